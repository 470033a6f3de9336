-- The segments as they were at the last month ends, worked out anew from the facts, and so never a snapshot: a late
-- delivery corrects them. At a month end only what had happened by then counts, the fifth of who spent most included.
{{ config(post_hook="{{ analyze() }}") }}

with

build as (

    select
        as_of,
        -- the last month that is over
        date_trunc('month', as_of + 1)::date as next_month
    from {{ ref('stg_build') }}

),

-- one month end more than is kept: it is what the first kept one came from
month_ends as (

    select
        (build.next_month - months_ago * interval '1 month')::date - 1 as month_end_date,
        months_ago = {{ var('segment_history_months') }} as is_only_for_moves
    from build
    cross join lateral generate_series(0, {{ var('segment_history_months') }}) as months_ago

),

oldest as (

    select min(month_end_date) as month_end_date
    from month_ends

),

customers as (

    select
        customer_key,
        orders,
        net_sales_cents,
        first_order_date
    from {{ ref('agg_customers') }}
    where orders > 0

),

months as (

    select
        customer_key,
        (sale_month + interval '1 month')::date - 1 as month_end_date,
        orders,
        net_sales_cents
    from {{ ref('agg_customers_monthly') }}
    where sale_month > (select oldest.month_end_date from oldest)

),

-- what is older than the days of Churned need not be known: who has ordered nothing since is Churned anyway
last_orders as (

    select
        customer_key,
        greatest(
            (date_trunc('month', order_date) + interval '1 month')::date - 1,
            (select oldest.month_end_date from oldest)
        ) as month_end_date,
        max(order_date) as last_order_date
    from {{ ref('fct_orders') }}
    where
        is_completed_order
        and customer_key <> {{ unknown_key() }}
        and order_date >= (select oldest.month_end_date - {{ var('segment_churned_days') }} from oldest)
    group by
        customer_key,
        greatest(
            (date_trunc('month', order_date) + interval '1 month')::date - 1,
            (select oldest.month_end_date from oldest)
        )

),

at_the_oldest as (

    select
        customers.customer_key,
        customers.first_order_date,
        customers.orders - coalesce(sum(months.orders), 0) as orders,
        customers.net_sales_cents - coalesce(sum(months.net_sales_cents), 0) as net_sales_cents
    from customers
    left join months on customers.customer_key = months.customer_key
    group by
        customers.customer_key,
        customers.first_order_date,
        customers.orders,
        customers.net_sales_cents

),

states as (

    select
        at_the_oldest.customer_key,
        month_ends.month_end_date,
        month_ends.is_only_for_moves,
        at_the_oldest.first_order_date,
        (at_the_oldest.orders + coalesce(sum(months.orders) over so_far, 0))::bigint as order_count,
        (at_the_oldest.net_sales_cents + coalesce(sum(months.net_sales_cents) over so_far, 0))::bigint as spent_cents,
        coalesce(
            max(last_orders.last_order_date) over so_far, at_the_oldest.first_order_date
        ) as last_order_date
    from at_the_oldest
    cross join month_ends
    left join months
        on
            at_the_oldest.customer_key = months.customer_key
            and month_ends.month_end_date = months.month_end_date
    left join last_orders
        on
            at_the_oldest.customer_key = last_orders.customer_key
            and month_ends.month_end_date = last_orders.month_end_date
    window so_far as (partition by at_the_oldest.customer_key order by month_ends.month_end_date)

),

buyers as (

    select
        *,
        lag(month_end_date) over each_customer as previous_month_end_date,
        lag(order_count) over each_customer as previous_order_count,
        lag(spent_cents) over each_customer as previous_spent_cents,
        lag(last_order_date) over each_customer as previous_last_order_date
    from states
    where first_order_date <= month_end_date
    window each_customer as (partition by customer_key order by month_end_date)

),

premium as (

    select
        month_end_date,
        percentile_disc({{ var('segment_premium_share') }}) within group (order by spent_cents) as from_spent_cents
    from buyers
    group by month_end_date

),

moves as (

    select
        buyers.month_end_date,
        buyers.is_only_for_moves,
        buyers.spent_cents,
        {{ customer_segment(
            'buyers.month_end_date', 'buyers.first_order_date', 'buyers.last_order_date',
            'buyers.order_count', 'buyers.spent_cents', 'premium.from_spent_cents'
        ) }} as segment,
        case
            when buyers.previous_month_end_date is not null
                then
                    {{ customer_segment(
                        'buyers.previous_month_end_date', 'buyers.first_order_date',
                        'buyers.previous_last_order_date', 'buyers.previous_order_count',
                        'buyers.previous_spent_cents', 'previous_premium.from_spent_cents'
                    ) }}
        end as previous_segment
    from buyers
    inner join premium on buyers.month_end_date = premium.month_end_date
    left join premium as previous_premium on buyers.previous_month_end_date = previous_premium.month_end_date

),

agg_customer_segments_monthly as (

    select
        month_end_date,
        segment,
        previous_segment,
        count(*) as customers,
        (sum(spent_cents))::bigint as spent_cents
    from moves
    where not is_only_for_moves
    group by
        month_end_date,
        segment,
        previous_segment

)

select
    month_end_date,
    segment,
    previous_segment,
    customers,
    spent_cents
from agg_customer_segments_monthly
