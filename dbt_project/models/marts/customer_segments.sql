-- The first rule that fits decides: Churned, At-Risk, Premium, New, else Regular. The thresholds are vars of the
-- project; days are counted back from as_of, so the segments of a file that ends last May are those of last May.
with

buyers as (

    select
        customer_key,
        orders as order_count,
        net_sales_cents as spent_cents,
        gross_sales_cents,
        discounts_cents,
        first_order_date,
        last_order_date
    from {{ ref('agg_customers') }}
    where orders > 0

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
        {{ customer_segment(
            'build.as_of', 'buyers.first_order_date', 'buyers.last_order_date',
            'buyers.order_count', 'buyers.spent_cents', 'premium.from_spent_cents'
        ) }} as segment,
        buyers.order_count,
        buyers.spent_cents,
        {{ average_order_value_cents('buyers.gross_sales_cents', 'buyers.discounts_cents', 'buyers.order_count') }}
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
