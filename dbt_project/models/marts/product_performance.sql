-- Over the whole published history; only the ABC class looks at a window. Profit is told only of lines whose cost is
-- known; unknown is never 0.
with

months as (

    select
        product_key,
        orders,
        units,
        units_returned,
        gross_sales_cents,
        returns_cents,
        discounts_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_products_monthly') }}

),

days as (

    select
        sale_date,
        product_key,
        orders,
        units,
        gross_sales_cents,
        net_sales_cents
    from {{ ref('agg_products_daily') }}

),

products as (

    select
        product_key,
        product_id,
        product_name,
        category
    from {{ ref('dim_products') }}

),

build as (

    select as_of
    from {{ ref('stg_build') }}

),

totals as (

    select
        product_key,
        (sum(orders))::bigint as orders,
        (sum(units))::numeric(18, 3) as units,
        (sum(units_returned))::numeric(18, 3) as units_returned,
        (sum(gross_sales_cents))::bigint as gross_sales_cents,
        (sum(returns_cents))::bigint as returns_cents,
        (sum(discounts_cents))::bigint as discounts_cents,
        (sum(net_sales_cents))::bigint as net_sales_cents,
        sum(lines_with_cost) as lines_with_cost,
        (sum(cost_cents))::bigint as cost_cents,
        (sum(net_sales_with_cost_cents))::bigint as net_sales_with_cost_cents
    from months
    group by product_key

),

by_day as (

    -- one pass over all days; an order may hold further lines of the product on another day, where it is not counted
    -- again
    select
        days.product_key,
        min(days.sale_date) filter (where days.orders <> 0 or days.units <> 0 or days.gross_sales_cents <> 0)
            as first_sale_date,
        max(days.sale_date) filter (where days.orders <> 0 or days.units <> 0 or days.gross_sales_cents <> 0)
            as last_sale_date,
        (
            sum(days.net_sales_cents) filter (
                where days.sale_date <= build.as_of and days.sale_date > build.as_of - {{ var('abc_days') }}
            )
        )::bigint as recent_net_sales_cents
    from days
    cross join build
    group by days.product_key

),

ranked as (

    select
        product_key,
        recent_net_sales_cents,
        sum(greatest(recent_net_sales_cents, 0)) over (
            order by
                recent_net_sales_cents desc,
                product_key asc
            rows between unbounded preceding and current row
        ) - greatest(recent_net_sales_cents, 0) as before_cents,
        sum(greatest(recent_net_sales_cents, 0)) over () as all_cents
    from by_day
    where recent_net_sales_cents is not null

),

classed as (

    select
        product_key,
        recent_net_sales_cents,
        case
            when recent_net_sales_cents <= 0 then 'C'
            when before_cents * 100 < all_cents * {{ var('abc_a_pct') }} then 'A'
            when before_cents * 100 < all_cents * {{ var('abc_b_pct') }} then 'B'
            else 'C'
        end as abc_class
    from ranked

),

known_costs as (

    select
        product_key,
        cost_cents,
        net_sales_with_cost_cents
    from totals
    where lines_with_cost > 0

),

product_performance as (

    select
        totals.product_key,
        products.product_id,
        products.product_name,
        products.category,
        totals.orders,
        totals.units,
        totals.units_returned,
        totals.gross_sales_cents,
        totals.returns_cents,
        totals.discounts_cents,
        totals.net_sales_cents,
        known_costs.cost_cents,
        known_costs.net_sales_with_cost_cents,
        known_costs.net_sales_with_cost_cents - known_costs.cost_cents as gross_profit_cents,
        {{ percent_of(
            'known_costs.net_sales_with_cost_cents - known_costs.cost_cents', 'known_costs.net_sales_with_cost_cents'
        ) }} as gross_margin_pct,
        {{ percent_of('-totals.returns_cents', 'totals.gross_sales_cents + totals.discounts_cents') }}
            as return_rate_pct,
        classed.recent_net_sales_cents,
        classed.abc_class,
        by_day.first_sale_date,
        by_day.last_sale_date
    from totals
    inner join products on totals.product_key = products.product_key
    left join known_costs on totals.product_key = known_costs.product_key
    left join classed on totals.product_key = classed.product_key
    left join by_day on totals.product_key = by_day.product_key

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
    gross_margin_pct,
    return_rate_pct,
    recent_net_sales_cents,
    abc_class,
    first_sale_date,
    last_sale_date
from product_performance
