-- Fails if a table of core holds no row although what it is made of does.
{{ empty_without_reason([
    (ref('agg_buyers_by_period'), ref('dim_period_spans')),
    (ref('dim_dates'), ref('fct_order_lines')),
    (ref('dim_period_spans'), ref('stg_build')),
    (ref('dim_periods'), ref('stg_build')),
    (ref('fct_inventory'), ref('stg_stock_counts')),
    (ref('fct_order_lines'), ref('stg_sales_lines')),
    (ref('fct_orders'), ref('fct_order_lines')),
]) }}
