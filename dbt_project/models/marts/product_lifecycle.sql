-- The first rule that fits decides: discontinued, introduction, growth, decline, else maturity; the thresholds are vars
-- of the project. Growth and decline are told from the same weekdays a year ago, so that no season looks like one;
-- a product that was not on sale all that time is compared with the days just before.

with

products as (

    select
        product_key,
        product_id,
        product_name,
        category,
        product_key = listed_key as is_listed,
        is_active,
        launched_date,
        discontinued_date
    from {{ ref('dim_products') }}
    where product_key <> {{ unknown_key() }}

),

performance as (

    select
        product_key,
        first_sale_date,
        last_sale_date
    from {{ ref('product_performance') }}

),

build as (

    select as_of
    from {{ ref('stg_build') }}

),

days as (

    select
        sale_date,
        product_key,
        orders,
        units - units_returned as net_units
    from {{ ref('agg_products_daily') }}
    where sale_date > (select build.as_of - 364 - {{ var('lifecycle_compare_days') }} from build)

),

windows as (

    -- each begins on the day after the date it is named by
    select
        build.as_of,
        build.as_of - {{ var('lifecycle_compare_days') }} as now_after,
        build.as_of - 2 * {{ var('lifecycle_compare_days') }} as before_after,
        build.as_of - 364 - {{ var('lifecycle_compare_days') }} as last_year_after,
        min(performance.first_sale_date) as history_from
    from build
    left join performance on true
    group by build.as_of

),

sold as (

    select
        days.product_key,
        sum(days.orders) filter (where days.sale_date > windows.now_after) as recent_orders,
        sum(days.net_units) filter (where days.sale_date > windows.now_after) as recent_units,
        sum(days.orders) filter (where days.sale_date > windows.before_after and days.sale_date <= windows.now_after)
            as orders_before,
        sum(days.net_units) filter (where days.sale_date > windows.before_after and days.sale_date <= windows.now_after)
            as units_before,
        sum(days.orders) filter (where days.sale_date <= windows.as_of - 364) as orders_last_year,
        sum(days.net_units) filter (where days.sale_date <= windows.as_of - 364) as units_last_year
    from days
    inner join windows on days.sale_date <= windows.as_of
    group by days.product_key

),

started as (

    -- what was sold in the first days of the history may have been on sale for years
    select
        products.product_key,
        performance.first_sale_date,
        performance.last_sale_date,
        coalesce(
            products.launched_date,
            case
                when performance.first_sale_date >= windows.history_from + {{ var('lifecycle_unknown_start_days') }}
                    then performance.first_sale_date
            end
        ) as started_date
    from products
    cross join windows
    left join performance on products.product_key = performance.product_key
    where
        products.is_listed
        or performance.product_key is not null

),

on_sale as (

    select
        started.product_key,
        started.first_sale_date,
        started.last_sale_date,
        started.started_date,
        greatest(coalesce(started.started_date, windows.history_from), windows.history_from)
        <= windows.last_year_after + 1 as was_there_last_year,
        greatest(coalesce(started.started_date, windows.history_from), windows.history_from)
        <= windows.before_after + 1 as was_there_before
    from started
    cross join windows

),

compared as (

    select
        on_sale.product_key,
        on_sale.first_sale_date,
        on_sale.last_sale_date,
        on_sale.started_date,
        coalesce(sold.recent_orders, 0) as recent_orders,
        coalesce(sold.recent_units, 0) as recent_units,
        case
            when on_sale.was_there_last_year then 'last year'
            when on_sale.was_there_before then 'days before'
        end as compared_with,
        case
            when on_sale.was_there_last_year then coalesce(sold.orders_last_year, 0)
            when on_sale.was_there_before then coalesce(sold.orders_before, 0)
        end as compared_orders,
        case
            when on_sale.was_there_last_year then coalesce(sold.units_last_year, 0)
            when on_sale.was_there_before then coalesce(sold.units_before, 0)
        end as compared_units
    from on_sale
    left join sold on on_sale.product_key = sold.product_key

),

judged as (

    select
        products.product_key,
        products.product_id,
        products.product_name,
        products.category,
        products.launched_date,
        products.discontinued_date,
        compared.first_sale_date,
        compared.last_sale_date,
        compared.recent_orders,
        compared.recent_units,
        compared.compared_with,
        compared.compared_orders,
        compared.compared_units,
        case
            when not products.is_active or products.discontinued_date <= build.as_of then 'the product list says so'
            when build.as_of - compared.last_sale_date > {{ var('lifecycle_silent_days') }}
                then 'no sale for {{ var("lifecycle_silent_days") }} days'
            when compared.last_sale_date is null then 'never sold'
            when build.as_of - compared.started_date < {{ var('lifecycle_introduction_days') }}
                then 'on sale for less than {{ var("lifecycle_introduction_days") }} days'
            when compared.compared_with is null then 'too little history to compare'
            when greatest(compared.recent_orders, compared.compared_orders) < {{ var('lifecycle_min_orders') }}
                then 'too few orders to compare'
            when compared.recent_units * 100 >= compared.compared_units * (100 + {{ var('lifecycle_change_pct') }})
                then 'sells more'
            when compared.recent_units * 100 <= compared.compared_units * (100 - {{ var('lifecycle_change_pct') }})
                then 'sells less'
            else 'sells as before'
        end as stage_reason
    from compared
    cross join build
    inner join products on compared.product_key = products.product_key

),

product_lifecycle as (

    select
        *,
        case
            when stage_reason = 'the product list says so' or stage_reason like 'no sale for%' then 'discontinued'
            when stage_reason like 'on sale for less%' then 'introduction'
            when stage_reason = 'sells more' then 'growth'
            when stage_reason = 'sells less' then 'decline'
            when stage_reason in ('sells as before', 'too few orders to compare') then 'maturity'
        end as lifecycle_stage,
        case
            when compared_orders >= {{ var('lifecycle_min_orders') }} and compared_units > 0
                then {{ percent_of('recent_units - compared_units', 'compared_units') }}
        end as units_change_pct
    from judged

)

select
    product_key,
    product_id,
    product_name,
    category,
    lifecycle_stage,
    stage_reason,
    launched_date,
    discontinued_date,
    first_sale_date,
    last_sale_date,
    recent_orders::bigint as recent_orders,
    recent_units::numeric(18, 3) as recent_units,
    compared_with,
    compared_orders::bigint as compared_orders,
    compared_units::numeric(18, 3) as compared_units,
    units_change_pct
from product_lifecycle
