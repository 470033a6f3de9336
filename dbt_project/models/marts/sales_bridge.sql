-- From our net sales to what a shop system shows that counts differently: step by step, in cents, day by day. A step
-- that lacks what it needs says for how many lines (docs/decisions/0052).
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

statuses as (

    select
        order_status,
        sale_counts,
        return_counts
    from {{ ref('dim_order_statuses') }}

),

lines as (

    select
        order_key,
        sale_date,
        (sold_at at time zone 'UTC')::date as day_in_utc,
        line_type,
        line_kind,
        order_status,
        counts_as_revenue,
        returned_order_key,
        tax_cents,
        net_cents
    from {{ ref('fct_order_lines') }}
    where sale_date > (select build.as_of - {{ var('sales_bridge_days') }} from build)

),

returned_orders as (

    select
        order_key,
        order_date
    from {{ ref('fct_orders') }}
    where order_key in (select lines.returned_order_key from lines)

),

judged as (

    select
        lines.sale_date,
        lines.day_in_utc,
        case
            when lines.counts_as_revenue then 'net_sales'
            when
                not coalesce(
                    case when lines.line_type = 'return' then statuses.return_counts else statuses.sale_counts end, true
                )
                then 'not_completed'
            when lines.line_kind = 'shipping' then 'shipping'
            else 'other_charges'
        end as part,
        returned_orders.order_date as returned_order_date,
        lines.counts_as_revenue and lines.line_type = 'return' and returned_orders.order_date is null
            as names_no_order,
        lines.counts_as_revenue and lines.tax_cents is null as lacks_tax,
        lines.net_cents,
        coalesce(lines.tax_cents, 0) as tax_cents
    from lines
    left join statuses on lines.order_status = statuses.order_status
    left join returned_orders
        -- a return that names its order has its key; said so, the two meet where they stand (docs/partitions.md)
        on
            lines.order_key = returned_orders.order_key
            and lines.returned_order_key = returned_orders.order_key
            and lines.counts_as_revenue
            and lines.line_type = 'return'

),

-- few rows from here on
parts as (

    select
        sale_date,
        day_in_utc,
        part,
        returned_order_date,
        sum(net_cents) as net_cents,
        sum(tax_cents) as tax_cents,
        count(*) as line_count,
        count(*) filter (where names_no_order) as lines_without_order,
        count(*) filter (where lacks_tax) as lines_without_tax
    from judged
    group by
        sale_date,
        day_in_utc,
        part,
        returned_order_date

),

entries as (

    select
        sale_date,
        part as step,
        case when part = 'net_sales' then net_cents else net_cents + tax_cents end as amount_cents,
        0 as unknown_lines
    from parts

    union all

    select
        sale_date,
        'returns_on_order_day' as step,
        case when returned_order_date is null then 0 else -net_cents end as amount_cents,
        lines_without_order as unknown_lines
    from parts
    where part = 'net_sales'

    union all

    select
        returned_order_date as sale_date,
        'returns_on_order_day' as step,
        net_cents as amount_cents,
        0 as unknown_lines
    from parts
    where returned_order_date is not null

    union all

    select
        sale_date,
        'tax' as step,
        tax_cents as amount_cents,
        lines_without_tax as unknown_lines
    from parts
    where part = 'net_sales'

    union all

    select
        sale_date,
        'utc_day' as step,
        case when day_in_utc <> sale_date and returned_order_date is null then -net_cents - tax_cents else 0 end
            as amount_cents,
        case when day_in_utc is null then line_count else 0 end as unknown_lines
    from parts

    union all

    select
        day_in_utc as sale_date,
        'utc_day' as step,
        net_cents + tax_cents as amount_cents,
        0 as unknown_lines
    from parts
    where
        day_in_utc <> sale_date
        and returned_order_date is null

),

amounts as (

    select
        sale_date,
        step,
        sum(amount_cents) as amount_cents,
        sum(unknown_lines) as unknown_lines
    from entries
    where sale_date > (select build.as_of - {{ var('sales_bridge_days') }} from build)
    group by
        sale_date,
        step

),

days as (

    select distinct sale_date
    from amounts

),

steps as (

    select
        steps.step_number,
        steps.step,
        steps.needs
    from (
        values
        (1::smallint, 'net_sales', null),
        (2, 'returns_on_order_day', 'returns_that_name_their_order'),
        (3, 'tax', 'tax'),
        (4, 'shipping', null),
        (5, 'other_charges', null),
        (6, 'not_completed', null),
        (7, 'utc_day', 'time_of_sale')
    ) as steps (step_number, step, needs)

),

sales_bridge as (

    select
        days.sale_date,
        steps.step_number,
        steps.step,
        (coalesce(amounts.amount_cents, 0))::bigint as amount_cents,
        (sum(coalesce(amounts.amount_cents, 0)) over (
            partition by days.sale_date
            order by steps.step_number
            rows unbounded preceding
        ))::bigint as running_cents,
        (coalesce(amounts.unknown_lines, 0))::bigint as lines_that_cannot_say,
        case when amounts.unknown_lines > 0 then steps.needs end as missing_input
    from days
    cross join steps
    left join amounts
        on
            days.sale_date = amounts.sale_date
            and steps.step = amounts.step

)

select
    sale_date,
    step_number,
    step,
    amount_cents,
    running_cents,
    lines_that_cannot_say,
    missing_input
from sales_bridge
