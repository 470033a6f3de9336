-- The figures of the overview, one row each, with what they stand on, what they were before, and why one is missing.
-- Customers are counted over the whole span: days must not be summed. Whether a buyer has come back is seen from the
-- end of the span, so that the past stays as it was published.
with

periods as (

    select
        period,
        period_name,
        period_number,
        first_date,
        last_date,
        period_days
    from {{ ref('dim_periods') }}

),

spans as (

    select
        period,
        span,
        first_date,
        last_date,
        is_covered
    from {{ ref('dim_period_spans') }}

),

days as (

    select
        sale_date,
        {{ added_up([
            'orders', 'guest_orders', 'units', 'gross_sales_cents', 'discounts_cents', 'returns_cents',
            'net_sales_cents', 'tax_cents', 'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from {{ ref('agg_orders_daily') }}
    group by sale_date

),

tax as (

    select coalesce(bool_or(tax_cents <> 0), false) as is_delivered
    from days

),

people as (

    select
        period,
        span,
        customers,
        new_customers,
        returning_customers
    from {{ ref('agg_buyers_by_period') }}

),

money as (

    select
        spans.period,
        spans.span,
        {{ added_up([
            'orders', 'guest_orders', 'units', 'gross_sales_cents', 'discounts_cents', 'returns_cents',
            'net_sales_cents', 'tax_cents', 'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from spans
    left join days on days.sale_date between spans.first_date and spans.last_date
    group by
        spans.period,
        spans.span

),

measured as (

    select
        spans.period,
        spans.span,
        spans.is_covered,
        money.orders,
        money.guest_orders,
        money.units,
        money.gross_sales_cents,
        money.discounts_cents,
        money.gross_sales_cents + money.discounts_cents as sold_cents,
        {{ average_order_value_cents('money.gross_sales_cents', 'money.discounts_cents', 'money.orders') }}
            as average_order_value_cents,
        money.returns_cents,
        money.net_sales_cents,
        case when tax.is_delivered then money.tax_cents end as tax_cents,
        money.net_sales_with_cost_cents,
        {{ gross_profit_cents('money.') }} as gross_profit_cents,
        -- orders of which none names a customer say nothing about how many there were
        case when money.guest_orders < money.orders or money.orders = 0 then people.customers end
            as customers,
        case when money.guest_orders < money.orders or money.orders = 0 then people.new_customers end
            as new_customers,
        people.returning_customers
    from spans
    inner join money
        on
            spans.period = money.period
            and spans.span = money.span
    inner join people
        on
            spans.period = people.period
            and spans.span = people.span
    cross join tax

),

figures as (

    select
        measured.period,
        measured.span,
        measured.is_covered,
        measured.orders,
        kpis.kpi_number,
        kpis.kpi,
        kpis.unit,
        (kpis.value)::numeric(20, 3) as value,
        (kpis.stands_on)::numeric(20, 3) as stands_on,
        case when kpis.value is null then kpis.why_missing end as why_missing
    from measured
    cross join lateral (
        values
        (
            1::smallint,
            'gross_sales',
            'cents',
            measured.gross_sales_cents::numeric,
            measured.orders::numeric,
            null
        ),
        (2, 'discounts', 'cents', measured.discounts_cents, measured.gross_sales_cents, null),
        (3, 'returns', 'cents', measured.returns_cents, measured.sold_cents, null),
        (4, 'net_sales', 'cents', measured.net_sales_cents, measured.orders, null),
        (5, 'tax', 'cents', measured.tax_cents, measured.net_sales_cents, 'tax_not_delivered'),
        (
            6,
            'total_collected',
            'cents',
            measured.net_sales_cents + measured.tax_cents,
            measured.net_sales_cents,
            'tax_not_delivered'
        ),
        (7, 'orders', 'count', measured.orders, measured.orders, null),
        (8, 'units', 'count', measured.units, measured.orders, null),
        (9, 'average_order_value', 'cents', measured.average_order_value_cents, measured.orders, 'no_orders'),
        (10, 'customers', 'count', measured.customers, measured.orders, 'no_order_names_a_customer'),
        (11, 'new_customers', 'count', measured.new_customers, measured.customers, 'no_order_names_a_customer'),
        (
            12,
            'returning_customers_pct',
            'percent',
            {{ percent_of('measured.returning_customers', 'measured.customers') }},
            measured.customers,
            case when measured.orders = 0 then 'no_orders' else 'no_order_names_a_customer' end
        ),
        (
            13,
            'guest_orders_pct',
            'percent',
            {{ percent_of('measured.guest_orders', 'measured.orders') }},
            measured.orders,
            'no_orders'
        ),
        (
            14,
            'return_rate_pct',
            'percent',
            {{ percent_of('-measured.returns_cents', 'measured.sold_cents') }},
            measured.sold_cents,
            'nothing_sold'
        ),
        (
            15,
            'gross_profit',
            'cents',
            measured.gross_profit_cents,
            measured.net_sales_with_cost_cents,
            'cost_not_delivered'
        ),
        (
            16, 'gross_margin_pct', 'percent',
            {{ percent_of('measured.gross_profit_cents', 'measured.net_sales_with_cost_cents') }},
            measured.net_sales_with_cost_cents,
            'cost_not_delivered'
        ),
        (
            17,
            'cost_known_pct',
            'percent',
            {{ percent_of('measured.net_sales_with_cost_cents', 'measured.net_sales_cents') }},
            measured.net_sales_cents, 'nothing_sold'
        )
    ) as kpis (kpi_number, kpi, unit, value, stands_on, why_missing)

),

-- what a span before shows; nothing where it reaches back beyond the first sale
bases as (

    select
        period,
        span,
        kpi,
        orders,
        case when is_covered then value end as base_value,
        case when is_covered then why_missing else 'history_too_short' end as why_missing
    from figures
    where span <> 'this'

),

kpi_summary as (

    select
        figures.period,
        figures.kpi,
        periods.period_name,
        periods.period_number,
        figures.kpi_number,
        periods.first_date,
        periods.last_date,
        periods.period_days,
        figures.unit,
        figures.value,
        figures.stands_on,
        figures.why_missing,
        (previous.base_value)::numeric(20, 3) as previous_value,
        figures.value - previous.base_value as previous_change,
        {{ kpi_change_pct('figures', 'previous') }} as previous_change_pct,
        {{ kpi_why_no_percent('figures', 'previous') }} as why_no_previous_pct,
        (year_before.base_value)::numeric(20, 3) as year_before_value,
        figures.value - year_before.base_value as year_before_change,
        {{ kpi_change_pct('figures', 'year_before') }} as year_before_change_pct,
        {{ kpi_why_no_percent('figures', 'year_before') }} as why_no_year_before_pct
    from figures
    inner join periods on figures.period = periods.period
    left join bases as previous
        on
            figures.period = previous.period
            and figures.kpi = previous.kpi
            and previous.span = 'previous'
    left join bases as year_before
        on
            figures.period = year_before.period
            and figures.kpi = year_before.kpi
            and year_before.span = 'year_before'
    where figures.span = 'this'

)

select
    period,
    kpi,
    period_name,
    period_number,
    kpi_number,
    first_date,
    last_date,
    period_days,
    unit,
    value,
    stands_on,
    why_missing,
    previous_value,
    previous_change,
    previous_change_pct,
    why_no_previous_pct,
    year_before_value,
    year_before_change,
    year_before_change_pct,
    why_no_year_before_pct
from kpi_summary
