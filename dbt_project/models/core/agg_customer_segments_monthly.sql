-- The segments as they were at the last month ends, worked out anew from the facts, and so never a snapshot: a late
-- delivery corrects them. At a month end only what had happened by then counts, the fifth of who spent most included.
--
-- A build makes the month ends anew that it can have changed: those that no touched day precedes stay as they are. The
-- first of the made ones needs the one before it, to tell where customers came from.
{{ config(post_hook=["{{ grain_key(['month_end_date', 'segment', 'previous_segment']) }}", "{{ analyze() }}"]) }}

{%- set made = var('segment_history_months') %}
{%- if execute and not is_new() %}
    {%- set made = month_ends_to_make() %}
{%- endif %}

with

build as (

    select
        as_of,
        -- the last month that is over
        date_trunc('month', as_of + 1)::date as next_month
    from {{ ref('stg_build') }}

),

month_ends as (

    select (build.next_month - months_ago * interval '1 month')::date - 1 as month_end_date
    from build
    cross join lateral generate_series(0, {{ made }}) as months_ago

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

since_the_oldest as (

    select
        customer_key,
        sum(orders) as orders,
        sum(net_sales_cents) as net_sales_cents
    from months
    group by customer_key

),

-- how each customer stood at the oldest month end, and what each month with sales or returns added
changes as (

    select
        customers.customer_key,
        customers.first_order_date,
        oldest.month_end_date,
        customers.orders - coalesce(since_the_oldest.orders, 0) as orders,
        customers.net_sales_cents - coalesce(since_the_oldest.net_sales_cents, 0) as net_sales_cents,
        coalesce(last_orders.last_order_date, customers.first_order_date) as last_order_date
    from customers
    cross join oldest
    left join since_the_oldest on customers.customer_key = since_the_oldest.customer_key
    left join last_orders
        on
            customers.customer_key = last_orders.customer_key
            and oldest.month_end_date = last_orders.month_end_date

    union all

    select
        customers.customer_key,
        customers.first_order_date,
        months.month_end_date,
        months.orders,
        months.net_sales_cents,
        last_orders.last_order_date
    from months
    inner join customers on months.customer_key = customers.customer_key
    left join last_orders
        on
            months.customer_key = last_orders.customer_key
            and months.month_end_date = last_orders.month_end_date

),

-- from one change to the next a customer stands the same, whatever the number of month ends between them
stands as (

    select
        first_order_date,
        month_end_date as from_month_end_date,
        coalesce(lead(month_end_date) over so_far, 'infinity') as next_month_end_date,
        (sum(orders) over so_far)::bigint as order_count,
        (sum(net_sales_cents) over so_far)::bigint as spent_cents,
        max(last_order_date) over so_far as last_order_date,
        (sum(orders) over earlier)::bigint as order_count_before,
        (sum(net_sales_cents) over earlier)::bigint as spent_cents_before,
        max(last_order_date) over earlier as last_order_date_before
    from changes
    window
        so_far as (partition by customer_key order by month_end_date rows unbounded preceding),
        earlier as (
            partition by customer_key
            order by month_end_date
            rows between unbounded preceding and 1 preceding
        )

),

premium as (

    select
        month_ends.month_end_date,
        percentile_disc({{ var('segment_premium_share') }}) within group (order by stands.spent_cents)
            as from_spent_cents
    from month_ends
    inner join stands
        on
            month_ends.month_end_date >= stands.from_month_end_date
            and month_ends.month_end_date < stands.next_month_end_date
            and month_ends.month_end_date >= stands.first_order_date
    group by month_ends.month_end_date

),

-- the month ends that are made: all but the oldest
views as (

    select
        premium.month_end_date,
        premium.from_spent_cents,
        date_trunc('month', premium.month_end_date)::date - 1 as month_end_date_before,
        earlier.from_spent_cents as from_spent_cents_before
    from premium
    left join premium as earlier
        on date_trunc('month', premium.month_end_date)::date - 1 = earlier.month_end_date
    where premium.month_end_date > (select oldest.month_end_date from oldest)

),

moves as (

    select
        views.month_end_date,
        stands.spent_cents,
        {{ customer_segment(
            'views.month_end_date', 'stands.first_order_date', 'stands.last_order_date',
            'stands.order_count', 'stands.spent_cents', 'views.from_spent_cents'
        ) }} as segment,
        case
            when stands.first_order_date > views.month_end_date_before then null
            when stands.from_month_end_date = views.month_end_date
                then
                    {{ customer_segment(
                        'views.month_end_date_before', 'stands.first_order_date', 'stands.last_order_date_before',
                        'stands.order_count_before', 'stands.spent_cents_before', 'views.from_spent_cents_before'
                    ) }}
            else
                {{ customer_segment(
                    'views.month_end_date_before', 'stands.first_order_date', 'stands.last_order_date',
                    'stands.order_count', 'stands.spent_cents', 'views.from_spent_cents_before'
                ) }}
        end as previous_segment
    from stands
    inner join views
        on
            stands.from_month_end_date <= views.month_end_date
            and stands.next_month_end_date > views.month_end_date
            and stands.first_order_date <= views.month_end_date

),

agg_customer_segments_monthly as (

    select
        month_end_date,
        segment,
        previous_segment,
        count(*) as customers,
        (sum(spent_cents))::bigint as spent_cents
    from moves
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
{%- if execute and not is_new() %}

    union all

    select
        month_end_date,
        segment,
        previous_segment,
        customers,
        spent_cents
    from {{ this }}
    where
        month_end_date <= (select oldest.month_end_date from oldest)
        and month_end_date >= (
            select build.next_month - interval '{{ var("segment_history_months") }} months' from build
        )
{%- endif %}
