-- The first rule that fits decides: Churned, At-Risk, Premium, New, else Regular. The thresholds are vars of the
-- project; days are counted back from as_of, so the segments of a file that ends last May are those of last May.
with

orders as (

    select
        customer_key,
        order_date,
        is_completed_order,
        gross_cents,
        discount_cents,
        net_cents
    from {{ ref('fct_orders') }}
    where customer_key <> {{ unknown_key() }}

),

customers as (

    select
        customer_key,
        customer_id,
        customer_name,
        customer_email,
        country
    from {{ ref('dim_customers') }}

),

build as (

    select as_of
    from {{ ref('stg_build') }}

),

buyers as (

    select
        customer_key,
        count(*) filter (where is_completed_order) as order_count,
        (sum(net_cents))::bigint as spent_cents,
        (coalesce(sum(gross_cents), 0))::bigint as gross_cents,
        (coalesce(sum(discount_cents), 0))::bigint as discount_cents,
        min(order_date) filter (where is_completed_order) as first_order_date,
        max(order_date) filter (where is_completed_order) as last_order_date
    from orders
    group by customer_key
    having count(*) filter (where is_completed_order) > 0

),

premium as (

    select percentile_disc({{ var('segment_premium_share') }}) within group (order by spent_cents) as from_spent_cents
    from buyers

),

customer_segments as (

    select
        buyers.customer_key,
        customers.customer_id,
        customers.customer_name,
        customers.customer_email,
        customers.country,
        case
            when build.as_of - buyers.last_order_date > {{ var('segment_churned_days') }} then 'Churned'
            when build.as_of - buyers.last_order_date > {{ var('segment_at_risk_days') }} then 'At-Risk'
            when
                buyers.order_count >= {{ var('segment_premium_orders') }}
                and buyers.spent_cents >= premium.from_spent_cents
                then 'Premium'
            when build.as_of - buyers.first_order_date < {{ var('segment_new_days') }} then 'New'
            else 'Regular'
        end as segment,
        buyers.order_count,
        buyers.spent_cents,
        {{ average_order_value_cents('buyers.gross_cents', 'buyers.discount_cents', 'buyers.order_count') }}
            as average_order_value_cents,
        buyers.first_order_date,
        buyers.last_order_date
    from buyers
    inner join customers on buyers.customer_key = customers.customer_key
    cross join premium
    cross join build

)

select
    customer_key,
    customer_id,
    customer_name,
    customer_email,
    country,
    segment,
    order_count,
    spent_cents,
    average_order_value_cents,
    first_order_date,
    last_order_date
from customer_segments
