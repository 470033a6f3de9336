-- Bounded on purpose: pairs grow with the square of an order's lines, so only the last days and the products in most
-- orders are looked at, and of their pairs those in most orders are kept.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

lines as (

    -- one line for each product of each order
    select
        order_key,
        product_key
    from {{ ref('fct_order_lines') }}
    where
        product_flag = 1
        and product_key <> {{ unknown_key() }}
        and sale_date > (select build.as_of - {{ var('pairs_days') }} from build)
        and sale_date <= (select build.as_of from build)

),

days as (

    select
        product_key,
        orders
    from {{ ref('agg_products_daily') }}
    where
        product_key <> {{ unknown_key() }}
        and sale_date > (select build.as_of - {{ var('pairs_days') }} from build)
        and sale_date <= (select build.as_of from build)

),

all_orders as (

    select sum(orders) as orders
    from {{ ref('agg_orders_daily') }}
    where
        sale_date > (select build.as_of - {{ var('pairs_days') }} from build)
        and sale_date <= (select build.as_of from build)

),

products as (

    select
        product_key,
        product_name
    from {{ ref('dim_products') }}

),

top_products as (

    select
        product_key,
        sum(orders) as orders
    from days
    group by product_key
    order by
        sum(orders) desc,
        product_key asc
    limit {{ var('pairs_products') }}

),

baskets as (

    select
        lines.order_key,
        lines.product_key
    from lines
    inner join top_products on lines.product_key = top_products.product_key

),

pairs as (

    select
        one.product_key,
        other.product_key as other_product_key,
        count(*) as orders_together
    from baskets as one
    inner join baskets as other
        on
            one.order_key = other.order_key
            and one.product_key < other.product_key
    group by
        one.product_key,
        other.product_key
    having count(*) >= {{ var('pairs_min_orders') }}
    order by
        count(*) desc,
        one.product_key asc,
        other.product_key asc
    limit {{ var('pairs_kept') }}

),

product_pairs as (

    select
        pairs.product_key,
        pairs.other_product_key,
        products.product_name,
        other_products.product_name as other_product_name,
        pairs.orders_together,
        (one.orders)::bigint as product_orders,
        (other.orders)::bigint as other_product_orders,
        (all_orders.orders)::bigint as all_orders,
        {{ percent_of('pairs.orders_together', 'all_orders.orders', 3) }} as support_pct,
        {{ percent_of('pairs.orders_together', 'one.orders') }} as confidence_pct,
        {{ percent_of('pairs.orders_together', 'other.orders') }} as other_confidence_pct,
        (round(pairs.orders_together * all_orders.orders / nullif(one.orders * other.orders, 0), 3))::numeric(18, 3)
            as lift
    from pairs
    cross join all_orders
    inner join top_products as one on pairs.product_key = one.product_key
    inner join top_products as other on pairs.other_product_key = other.product_key
    inner join products on pairs.product_key = products.product_key
    inner join products as other_products on pairs.other_product_key = other_products.product_key

)

select
    product_key,
    other_product_key,
    product_name,
    other_product_name,
    orders_together,
    product_orders,
    other_product_orders,
    all_orders,
    support_pct,
    confidence_pct,
    other_confidence_pct,
    lift
from product_pairs
