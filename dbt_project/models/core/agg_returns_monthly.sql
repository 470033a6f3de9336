-- What came back, by the month it came back and the month it had been sold, 1 January of the year 1 where the data does
-- not say which that is.
{{ config(
    materialized="incremental",
    incremental_strategy="additive",
    unique_key=["sale_month", "order_month"],
    post_hook="{{ analyze() }}",
) }}

with

lines as (

    select
        sign,
        sale_date,
        returned_order_date,
        quantity,
        net_cents
    from {{ changed_lines() }}
    where
        counts_as_revenue
        and line_type = 'return'

),

agg_returns_monthly as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        coalesce(date_trunc('month', returned_order_date)::date, date '0001-01-01') as order_month,
        sum(sign) as line_count,
        (-sum(sign * quantity))::numeric(18, 3) as units_returned,
        (sum(sign * net_cents))::bigint as returns_cents
    from lines
    group by
        date_trunc('month', sale_date)::date,
        coalesce(date_trunc('month', returned_order_date)::date, date '0001-01-01')

)

select
    sale_month,
    order_month,
    line_count,
    units_returned,
    returns_cents
from agg_returns_monthly
