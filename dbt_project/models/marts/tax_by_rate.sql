-- Tax of the last 13 months by the rate that the amounts show, to half a point: no delivery names rates. An amount so
-- small that a rounded cent moves the rate, and one without a delivered tax, has none.
{{ config(post_hook="{{ grain_key(['sale_month', 'tax_rate_pct', 'why_no_rate']) }}") }}

with

build as (

    select date_trunc('month', as_of)::date as this_month
    from {{ ref('stg_build') }}

),

lines as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        net_cents,
        tax_cents
    from {{ ref('fct_order_lines') }}
    where
        counts_as_revenue
        and sale_date >= (select {{ months_before('build.this_month', 12) }} from build)

),

rated as (

    select
        sale_month,
        net_cents,
        tax_cents,
        case
            when tax_cents is null then 'tax_not_delivered'
            when abs(net_cents) < {{ var('tax_rate_min_cents') }} then 'amount_too_small'
        end as why_no_rate
    from lines

),

tax_by_rate as (

    select
        sale_month,
        case
            when why_no_rate is null then (round(200 * tax_cents::numeric / net_cents) / 2)::numeric(18, 1)
        end as tax_rate_pct,
        why_no_rate,
        count(*) as line_count,
        sum(net_cents)::bigint as net_sales_cents,
        (coalesce(sum(tax_cents), 0))::bigint as tax_cents
    from rated
    group by
        sale_month,
        case
            when why_no_rate is null then (round(200 * tax_cents::numeric / net_cents) / 2)::numeric(18, 1)
        end,
        why_no_rate

)

select
    sale_month,
    tax_rate_pct,
    why_no_rate,
    line_count,
    net_sales_cents,
    tax_cents
from tax_by_rate
