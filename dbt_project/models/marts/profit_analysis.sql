-- Gross profit by every group a shop sorts its sales into. Cost that is not known is not 0: profit is told over the
-- sales whose cost is known, with their share beside it. Groups are different cuts of the same sales: never add up
-- rows of two groups. Customers' money is kept over their whole history, so their groups stand under all_time only.
{{ config(post_hook="{{ grain_key(['period', 'group_type', 'group_key', 'group_name']) }}") }}

{%- set money = [
    'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents', 'lines_with_cost', 'cost_cents',
    'net_sales_with_cost_cents'
] %}

with

periods as (

    select
        period,
        period_name,
        period_number,
        first_date,
        last_date
    from {{ ref('dim_periods') }}
    where
        period in (
            'last_28_days', 'last_91_days', 'month_to_date', 'year_to_date', 'last_month', 'last_quarter', 'all_time'
        )

),

categories as (

    select
        category_key,
        category
    from {{ ref('dim_categories') }}

),

products as (

    select
        product_key,
        product_name
    from {{ ref('dim_products') }}

),

places as (

    select
        place_key,
        store_key,
        store_name,
        region,
        country,
        channel
    from {{ ref('dim_places') }}

),

sales_reps as (

    select
        sales_rep_key,
        sales_rep_name
    from {{ ref('dim_sales_reps') }}

),

segments as (

    select
        customer_key,
        segment
    from {{ ref('customer_segments') }}

),

category_days as (

    select
        sale_date,
        category_key,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_categories_daily') }}

),

product_days as (

    select
        sale_date,
        product_key,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_products_daily') }}

),

product_months as (

    select
        product_key,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_products_monthly') }}

),

place_days as (

    select
        sale_date,
        place_key,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_orders_daily') }}

),

sales_rep_days as (

    select
        sale_date,
        sales_rep_key,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_sales_reps_daily') }}

),

customers as (

    select
        customer_key,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_customers') }}

),

by_category as (

    select
        periods.period,
        category_days.category_key,
        {{ added_up(money) }}
    from periods
    inner join category_days on category_days.sale_date between periods.first_date and periods.last_date
    group by
        periods.period,
        category_days.category_key

),

by_product as (

    select
        periods.period,
        product_days.product_key,
        {{ added_up(money) }}
    from periods
    inner join product_days on product_days.sale_date between periods.first_date and periods.last_date
    where periods.period <> 'all_time'
    group by
        periods.period,
        product_days.product_key

    union all

    -- the whole history from the months: thirty times fewer rows
    select
        'all_time' as period,
        product_key,
        {{ added_up(money) }}
    from product_months
    group by product_key

),

by_place as (

    select
        periods.period,
        place_days.place_key,
        {{ added_up(money) }}
    from periods
    inner join place_days on place_days.sale_date between periods.first_date and periods.last_date
    group by
        periods.period,
        place_days.place_key

),

by_sales_rep as (

    select
        periods.period,
        sales_rep_days.sales_rep_key,
        {{ added_up(money) }}
    from periods
    inner join sales_rep_days on sales_rep_days.sale_date between periods.first_date and periods.last_date
    group by
        periods.period,
        sales_rep_days.sales_rep_key

),

groups as (

    select
        by_category.period,
        'category' as group_type,
        by_category.category_key as group_key,
        categories.category as group_name,
        by_category.gross_sales_cents,
        by_category.discounts_cents,
        by_category.returns_cents,
        by_category.net_sales_cents,
        by_category.lines_with_cost,
        by_category.cost_cents,
        by_category.net_sales_with_cost_cents
    from by_category
    inner join categories on by_category.category_key = categories.category_key

    union all

    select
        by_product.period,
        'product' as group_type,
        by_product.product_key as group_key,
        products.product_name as group_name,
        by_product.gross_sales_cents,
        by_product.discounts_cents,
        by_product.returns_cents,
        by_product.net_sales_cents,
        by_product.lines_with_cost,
        by_product.cost_cents,
        by_product.net_sales_with_cost_cents
    from by_product
    inner join products on by_product.product_key = products.product_key

    union all

    select
        by_sales_rep.period,
        'sales_rep' as group_type,
        by_sales_rep.sales_rep_key as group_key,
        sales_reps.sales_rep_name as group_name,
        by_sales_rep.gross_sales_cents,
        by_sales_rep.discounts_cents,
        by_sales_rep.returns_cents,
        by_sales_rep.net_sales_cents,
        by_sales_rep.lines_with_cost,
        by_sales_rep.cost_cents,
        by_sales_rep.net_sales_with_cost_cents
    from by_sales_rep
    inner join sales_reps on by_sales_rep.sales_rep_key = sales_reps.sales_rep_key

    union all

    select
        by_place.period,
        cuts.group_type,
        cuts.group_key,
        cuts.group_name,
        by_place.gross_sales_cents,
        by_place.discounts_cents,
        by_place.returns_cents,
        by_place.net_sales_cents,
        by_place.lines_with_cost,
        by_place.cost_cents,
        by_place.net_sales_with_cost_cents
    from by_place
    inner join places on by_place.place_key = places.place_key
    cross join
        lateral (
            values
            ('store', places.store_key, places.store_name),
            ('region', null, places.region),
            ('country', null, places.country),
            ('channel', null, places.channel)
        ) as cuts (group_type, group_key, group_name)

    union all

    select
        'all_time' as period,
        'customer_segment' as group_type,
        null as group_key,
        segments.segment as group_name,
        customers.gross_sales_cents,
        customers.discounts_cents,
        customers.returns_cents,
        customers.net_sales_cents,
        customers.lines_with_cost,
        customers.cost_cents,
        customers.net_sales_with_cost_cents
    from customers
    inner join segments on customers.customer_key = segments.customer_key

),

sums as (

    select
        period,
        group_type,
        group_key,
        group_name,
        {{ added_up(money) }}
    from groups
    group by
        period,
        group_type,
        group_key,
        group_name

),

profit_analysis as (

    select
        sums.period,
        sums.group_type,
        sums.group_key,
        sums.group_name,
        periods.period_name,
        periods.period_number,
        periods.first_date,
        periods.last_date,
        sums.gross_sales_cents,
        sums.discounts_cents,
        sums.returns_cents,
        sums.net_sales_cents,
        sums.cost_cents,
        sums.net_sales_with_cost_cents,
        {{ gross_profit_cents('sums.') }} as gross_profit_cents,
        {{ percent_of('sums.net_sales_with_cost_cents - sums.cost_cents', 'sums.net_sales_with_cost_cents') }}
            as gross_margin_pct,
        {{ percent_of('sums.net_sales_with_cost_cents', 'sums.net_sales_cents') }} as cost_known_pct,
        {{ percent_of('-sums.discounts_cents', 'sums.gross_sales_cents') }} as discount_pct
    from sums
    inner join periods on sums.period = periods.period

)

select
    period,
    group_type,
    group_key,
    group_name,
    period_name,
    period_number,
    first_date,
    last_date,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    cost_cents,
    net_sales_with_cost_cents,
    gross_profit_cents,
    gross_margin_pct,
    cost_known_pct,
    discount_pct
from profit_analysis
