-- Over the whole published history. Profit is told only of lines whose cost is known; unknown is never 0.
with

lines as (

    select
        product_key,
        order_key,
        sale_date,
        line_type,
        quantity,
        gross_cents,
        discount_cents,
        cost_cents,
        net_cents
    from {{ ref('fct_order_lines') }}
    where counts_as_revenue

),

products as (

    select
        product_key,
        product_id,
        product_name,
        category
    from {{ ref('dim_products') }}

),

lines_by_product as (

    select
        product_key,
        count(distinct order_key) filter (where line_type = 'sale') as orders,
        (coalesce(-sum(quantity) filter (where line_type = 'return'), 0))::numeric(18, 3) as units_returned,
        {{ sales_measures() }},
        (sum(cost_cents))::bigint as cost_cents,
        (sum(net_cents) filter (where cost_cents is not null))::bigint as net_sales_with_cost_cents,
        min(sale_date) filter (where line_type = 'sale') as first_sale_date,
        max(sale_date) filter (where line_type = 'sale') as last_sale_date
    from lines
    group by product_key

),

product_performance as (

    select
        lines_by_product.product_key,
        products.product_id,
        products.product_name,
        products.category,
        lines_by_product.orders,
        lines_by_product.units,
        lines_by_product.units_returned,
        lines_by_product.gross_sales_cents,
        lines_by_product.returns_cents,
        lines_by_product.discounts_cents,
        lines_by_product.net_sales_cents,
        lines_by_product.cost_cents,
        lines_by_product.net_sales_with_cost_cents,
        lines_by_product.net_sales_with_cost_cents - lines_by_product.cost_cents as gross_profit_cents,
        lines_by_product.first_sale_date,
        lines_by_product.last_sale_date
    from lines_by_product
    inner join products on lines_by_product.product_key = products.product_key

)

select
    product_key,
    product_id,
    product_name,
    category,
    orders,
    units,
    units_returned,
    gross_sales_cents,
    returns_cents,
    discounts_cents,
    net_sales_cents,
    cost_cents,
    net_sales_with_cost_cents,
    gross_profit_cents,
    first_sale_date,
    last_sale_date
from product_performance
