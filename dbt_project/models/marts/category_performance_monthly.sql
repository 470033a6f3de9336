-- category_performance by calendar month, over the whole history. A category holds what its subcategories sold as well.
with

categories as (

    {{ categories_and_their_ancestors() }}

),

members as (

    select
        category_key,
        category,
        parent_category
    from {{ ref('dim_categories') }}

),

days as (

    select
        sale_date,
        category_key,
        orders,
        units,
        units_returned,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_categories_daily') }}

),

sales as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        category_key,
        {{ added_up([
            'orders', 'units', 'units_returned', 'gross_sales_cents', 'discounts_cents', 'returns_cents',
            'net_sales_cents', 'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from days
    group by
        date_trunc('month', sale_date)::date,
        category_key

),

rolled_up as (

    select
        sales.sale_month,
        categories.ancestor_key as category_key,
        (coalesce(sum(sales.orders) filter (where categories.category_key = categories.ancestor_key), 0))::bigint
            as own_orders,
        (coalesce(sum(sales.net_sales_cents) filter (
            where categories.category_key = categories.ancestor_key
        ), 0))::bigint as own_net_sales_cents,
        {{ added_up([
            'units', 'units_returned', 'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents',
            'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from sales
    inner join categories on sales.category_key = categories.category_key
    group by
        sales.sale_month,
        categories.ancestor_key

),

category_performance_monthly as (

    select
        rolled_up.sale_month,
        rolled_up.category_key,
        members.category,
        members.parent_category,
        rolled_up.own_orders,
        rolled_up.units,
        rolled_up.units_returned,
        rolled_up.gross_sales_cents,
        rolled_up.discounts_cents,
        rolled_up.returns_cents,
        rolled_up.net_sales_cents,
        rolled_up.own_net_sales_cents,
        rolled_up.cost_cents,
        rolled_up.net_sales_with_cost_cents,
        {{ gross_profit_cents('rolled_up.') }} as gross_profit_cents
    from rolled_up
    inner join members on rolled_up.category_key = members.category_key

)

select
    sale_month,
    category_key,
    category,
    parent_category,
    own_orders,
    units,
    units_returned,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    own_net_sales_cents,
    cost_cents,
    net_sales_with_cost_cents,
    gross_profit_cents
from category_performance_monthly
