-- On hand is the newest count, not rolled forward by later sales. A product whose stock is counted by store is judged
-- by store; one whose stock is told for the whole shop (store -1) by the sales of all stores; the newer way of counting
-- holds and the two are never added. Counts and sales may name one product, or one store, in different ways: a product
-- known by its name alone is the one product with an id of that name, and a store the one store of its name.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

products as (

    select
        product_key,
        product_id,
        product_name,
        category,
        unit_cost,
        unit_price,
        is_active,
        launched_date,
        discontinued_date
    from {{ ref('dim_products') }}
    where product_key <> {{ unknown_key() }}

),

stores as (

    select
        store_key,
        store_name
    from {{ ref('dim_stores') }}

),

counts as not materialized (

    select
        product_key,
        store_key,
        counted_date,
        delivery_no,
        on_hand
    from {{ ref('fct_inventory') }}
    where
        not is_dated
        or counted_date <= (select build.as_of from build)

),

lines as (

    select
        product_key,
        store_key,
        sale_date,
        line_type,
        quantity
    from {{ ref('fct_order_lines') }}
    where
        counts_as_revenue
        and product_key <> {{ unknown_key() }}
        and sale_date > (
            select build.as_of - greatest({{ var('stock_cover_days') }}, {{ var('stock_dead_days') }}) from build
        )
        and sale_date <= (select build.as_of from build)

),

performance as (

    select
        product_key,
        first_sale_date,
        last_sale_date
    from {{ ref('product_performance') }}

),

currency as (

    select minor_units
    from {{ ref('stg_reporting_currency') }}

),

history as (

    select min(first_sale_date) as first_date
    from performance

),

named_with_id as (

    select
        product_name,
        min(product_key) as product_key
    from products
    where product_id is not null
    group by product_name
    having count(*) = 1

),

product_members as (

    -- the key under which a member's stock and sales meet
    select
        products.product_key,
        coalesce(named_with_id.product_key, products.product_key) as stock_product_key
    from products
    left join named_with_id
        on
            products.product_id is null
            and products.product_name = named_with_id.product_name

),

store_members as (

    select
        store_key,
        coalesce(
            min(store_key) filter (where store_key = {{ hash_key(["store_name"]) }}) over of_one_name,
            min(store_key) over of_one_name
        ) as stock_store_key
    from stores
    window of_one_name as (partition by store_name)

),

newest_days as (

    -- two passes that hash instead of one that sorts every count there ever was
    select
        product_key,
        store_key,
        max(counted_date) as counted_date
    from counts
    group by
        product_key,
        store_key

),

newest_counts as (

    select
        counts.product_key,
        counts.store_key,
        counts.counted_date,
        counts.delivery_no,
        counts.on_hand
    from counts
    inner join newest_days
        on
            counts.product_key = newest_days.product_key
            and counts.store_key = newest_days.store_key
            and counts.counted_date = newest_days.counted_date

),

counted as (

    select distinct on (product_members.stock_product_key, store_members.stock_store_key)
        product_members.stock_product_key as product_key,
        store_members.stock_store_key as store_key,
        newest_counts.counted_date,
        newest_counts.on_hand
    from newest_counts
    inner join product_members on newest_counts.product_key = product_members.product_key
    inner join store_members on newest_counts.store_key = store_members.store_key
    order by
        product_members.stock_product_key asc,
        store_members.stock_store_key asc,
        newest_counts.counted_date desc,
        newest_counts.delivery_no desc,
        newest_counts.product_key asc,
        newest_counts.store_key asc

),

ways_of_counting as (

    select
        product_key,
        coalesce(
            max(counted_date) filter (where store_key <> {{ unknown_key() }})
            >= coalesce(max(counted_date) filter (where store_key = {{ unknown_key() }}), '-infinity'),
            false
        ) as is_by_store
    from counted
    group by product_key

),

stock as (

    select
        counted.product_key,
        counted.store_key,
        counted.counted_date,
        counted.on_hand
    from counted
    inner join ways_of_counting on counted.product_key = ways_of_counting.product_key
    where ways_of_counting.is_by_store = (counted.store_key <> {{ unknown_key() }})

),

sold_lines as (

    select
        product_key,
        store_key,
        sum(quantity) filter (where sale_date > (select build.as_of - {{ var('stock_cover_days') }} from build))
            as recent_units,
        bool_or(line_type = 'sale' and sale_date > (select build.as_of - {{ var('stock_dead_days') }} from build))
            as is_sold
    from lines
    group by
        product_key,
        store_key

),

sold as (

    select
        product_members.stock_product_key as product_key,
        case
            when ways_of_counting.is_by_store then store_members.stock_store_key
            else {{ unknown_key() }}
        end as store_key,
        coalesce(sum(sold_lines.recent_units), 0) as recent_units,
        bool_or(sold_lines.is_sold) as is_sold
    from sold_lines
    inner join product_members on sold_lines.product_key = product_members.product_key
    inner join store_members on sold_lines.store_key = store_members.store_key
    left join ways_of_counting on product_members.stock_product_key = ways_of_counting.product_key
    group by
        product_members.stock_product_key,
        case
            when ways_of_counting.is_by_store then store_members.stock_store_key
            else {{ unknown_key() }}
        end

),

last_sales as (

    select
        product_members.stock_product_key as product_key,
        max(performance.last_sale_date) as last_sale_date
    from performance
    inner join product_members on performance.product_key = product_members.product_key
    group by product_members.stock_product_key

),

placed as (

    select
        coalesce(stock.product_key, sold.product_key) as product_key,
        coalesce(stock.store_key, sold.store_key) as store_key,
        stock.counted_date,
        stock.on_hand,
        -- greatest alone would turn an unknown stock into 0
        case when stock.on_hand is not null then greatest(stock.on_hand, 0) end as pieces,
        coalesce(sold.recent_units, 0) as recent_units,
        coalesce(sold.is_sold, false) as is_sold
    from stock
    full join sold
        on
            stock.product_key = sold.product_key
            and stock.store_key = sold.store_key

),

judged as (

    select
        placed.product_key,
        placed.store_key,
        products.product_id,
        products.product_name,
        products.category,
        case when placed.store_key <> {{ unknown_key() }} then stores.store_name end as store_name,
        placed.counted_date,
        placed.on_hand,
        placed.recent_units,
        last_sales.last_sale_date,
        case
            when placed.on_hand is null then 'stock unknown'
            when placed.on_hand <= 0 then 'out of stock'
            when placed.recent_units <= 0 then 'no sales in {{ var("stock_cover_days") }} days'
            else 'covered'
        end as stock_status,
        case
            when placed.on_hand > 0 and placed.recent_units > 0
                then round(placed.on_hand * {{ var('stock_cover_days') }} / placed.recent_units, 1)
        end as days_of_cover,
        case
            when placed.on_hand is not null
                then {{ percent_of(
                    'greatest(placed.recent_units, 0)', 'greatest(placed.recent_units, 0) + placed.pieces'
                ) }}
        end as sell_through_pct,
        case
            when placed.on_hand is not null and build.as_of - history.first_date >= {{ var('stock_dead_days') }} - 1
                then
                    placed.on_hand > 0
                    and not placed.is_sold
                    and coalesce(products.launched_date <= build.as_of - {{ var('stock_dead_days') }}, true)
        end as is_dead_stock,
        (
            placed.recent_units > 0
            and placed.pieces * {{ var('stock_cover_days') }}
            <= placed.recent_units * ({{ var('reorder_lead_days') }} + {{ var('reorder_safety_days') }})
            and products.is_active
            and coalesce(products.discontinued_date > build.as_of, true)
        ) is true as needs_reorder,
        ceil(
            placed.recent_units
            * ({{ var('reorder_lead_days') }} + {{ var('reorder_safety_days') }} + {{ var('reorder_cycle_days') }})
            / {{ var('stock_cover_days') }}
            - placed.pieces
        ) as missing_pieces,
        (round(placed.pieces * products.unit_cost * currency.minor_units))::bigint as value_at_cost_cents,
        (round(placed.pieces * products.unit_price * currency.minor_units))::bigint as value_at_price_cents
    from placed
    cross join build
    cross join currency
    cross join history
    inner join products on placed.product_key = products.product_key
    inner join stores on placed.store_key = stores.store_key
    left join last_sales on placed.product_key = last_sales.product_key

),

inventory_status as (

    select
        *,
        case when needs_reorder then missing_pieces end as suggested_quantity
    from judged

)

select
    product_key,
    store_key,
    product_id,
    product_name,
    category,
    store_name,
    counted_date,
    on_hand::numeric(14, 3) as on_hand,
    stock_status,
    recent_units::numeric(18, 3) as recent_units,
    last_sale_date,
    days_of_cover::numeric(18, 1) as days_of_cover,
    sell_through_pct,
    is_dead_stock,
    needs_reorder,
    suggested_quantity::numeric(18, 0) as suggested_quantity,
    value_at_cost_cents,
    value_at_price_cents
from inventory_status
