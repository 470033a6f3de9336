-- The spans of days that dim_periods compares, one below the other, to join days to: `this`, `previous`, `year_before`.
with

periods as (

    select
        period,
        first_date,
        last_date,
        is_covered,
        previous_first_date,
        previous_last_date,
        has_previous,
        year_before_first_date,
        year_before_last_date,
        has_year_before
    from {{ ref('dim_periods') }}

),

dim_period_spans as (

    select
        periods.period,
        spans.span,
        spans.first_date,
        spans.last_date,
        spans.last_date - spans.first_date + 1 as span_days,
        spans.is_covered
    from periods
    cross join
        lateral (
            values
            ('this', periods.first_date, periods.last_date, periods.is_covered),
            ('previous', periods.previous_first_date, periods.previous_last_date, periods.has_previous),
            ('year_before', periods.year_before_first_date, periods.year_before_last_date, periods.has_year_before)
        ) as spans (span, first_date, last_date, is_covered)
    where spans.first_date is not null

)

select
    period,
    span,
    first_date,
    last_date,
    span_days,
    is_covered
from dim_period_spans
