-- Each period by category. A category holds what its subcategories sold as well, so rows do not add up to the period
-- where there is a tree; the `own_` columns, of products that stand in the category itself, do. An order with products
-- of two subcategories would count twice in their category: orders are told of the category itself only.
with

periods as (

    select
        period,
        period_name,
        period_number,
        first_date,
        last_date,
        has_previous,
        has_year_before
    from {{ ref('dim_periods') }}

),

spans as (

    select
        period,
        span,
        first_date,
        last_date
    from {{ ref('dim_period_spans') }}

),

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
        spans.period,
        spans.span,
        days.category_key,
        {{ added_up([
            'orders', 'units', 'units_returned', 'gross_sales_cents', 'discounts_cents', 'returns_cents',
            'net_sales_cents', 'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from spans
    inner join days on days.sale_date between spans.first_date and spans.last_date
    group by
        spans.period,
        spans.span,
        days.category_key

),

rolled_up as (

    select
        sales.period,
        categories.ancestor_key as category_key,
        {{ added_up([
            'units', 'units_returned', 'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents',
            'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ], span='this') }},
        (coalesce(sum(sales.net_sales_cents) filter (
            where sales.span = 'this' and categories.category_key = categories.ancestor_key
        ), 0))::bigint as own_net_sales_cents,
        (coalesce(sum(sales.orders) filter (
            where sales.span = 'this' and categories.category_key = categories.ancestor_key
        ), 0))::bigint as own_orders,
        -- of a category with subcategories the orders that are certain: at least those of its largest part
        (coalesce(max(sales.orders) filter (where sales.span = 'previous'), 0))::bigint as previous_orders,
        (coalesce(max(sales.orders) filter (where sales.span = 'year_before'), 0))::bigint as year_before_orders,
        {{ added_up(['net_sales_cents'], span='previous', prefix='previous_') }},
        {{ added_up(['net_sales_cents'], span='year_before', prefix='year_before_') }}
    from sales
    inner join categories on sales.category_key = categories.category_key
    group by
        sales.period,
        categories.ancestor_key

),

compared as (

    select
        rolled_up.period,
        rolled_up.category_key,
        members.category,
        members.parent_category,
        periods.period_name,
        periods.period_number,
        periods.first_date,
        periods.last_date,
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
        {{ gross_profit_cents('rolled_up.') }} as gross_profit_cents,
        rolled_up.previous_orders,
        rolled_up.year_before_orders,
        case when periods.has_previous then rolled_up.previous_net_sales_cents end as previous_net_sales_cents,
        case when periods.has_year_before then rolled_up.year_before_net_sales_cents end
            as year_before_net_sales_cents
    from rolled_up
    inner join periods on rolled_up.period = periods.period
    inner join members on rolled_up.category_key = members.category_key

),

category_performance as (

    select
        period,
        category_key,
        category,
        parent_category,
        period_name,
        period_number,
        first_date,
        last_date,
        (row_number() over (
            partition by period
            order by net_sales_cents desc, gross_sales_cents desc, category asc, category_key asc
        ))::integer as sales_rank,
        own_orders,
        units,
        units_returned,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        own_net_sales_cents,
        {{ percent_of('net_sales_cents', 'sum(own_net_sales_cents) over (partition by period)') }}
            as net_sales_share_pct,
        {{ percent_of('-returns_cents', 'gross_sales_cents + discounts_cents') }} as return_rate_pct,
        cost_cents,
        net_sales_with_cost_cents,
        gross_profit_cents,
        {{ percent_of('gross_profit_cents', 'net_sales_with_cost_cents') }} as gross_margin_pct,
        previous_net_sales_cents,
        net_sales_cents - previous_net_sales_cents as net_sales_change_cents,
        {{ change_pct('net_sales_cents', 'previous_net_sales_cents', 'previous_orders') }} as net_sales_change_pct,
        {{ why_no_percent('previous_net_sales_cents', 'previous_orders') }} as why_no_change_pct,
        year_before_net_sales_cents,
        {{ change_pct('net_sales_cents', 'year_before_net_sales_cents', 'year_before_orders') }}
            as net_sales_year_change_pct
    from compared

)

select
    period,
    category_key,
    category,
    parent_category,
    period_name,
    period_number,
    first_date,
    last_date,
    sales_rank,
    own_orders,
    units,
    units_returned,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    own_net_sales_cents,
    net_sales_share_pct,
    return_rate_pct,
    cost_cents,
    net_sales_with_cost_cents,
    gross_profit_cents,
    gross_margin_pct,
    previous_net_sales_cents,
    net_sales_change_cents,
    net_sales_change_pct,
    why_no_change_pct,
    year_before_net_sales_cents,
    net_sales_year_change_pct
from category_performance
