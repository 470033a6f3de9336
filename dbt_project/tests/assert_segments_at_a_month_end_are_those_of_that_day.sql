-- Fails if as_of is the end of a month and the last day, and the segments of that month end are not those of
-- customer_segments. What is dated after as_of counts for customer_segments, but not for a month that is over.
with

build as (

    select as_of
    from {{ ref('stg_build') }}
    where
        extract(month from as_of + 1) <> extract(month from as_of)
        and as_of >= (select max(daily.sale_date) from {{ ref('daily_sales') }} as daily)

),

month_end as (

    select
        monthly.segment,
        sum(monthly.customers) as customers,
        sum(monthly.spent_cents) as spent_cents
    from {{ ref('customer_segments_monthly') }} as monthly
    inner join build on monthly.month_end_date = build.as_of
    group by monthly.segment

),

today as (

    select
        segments.segment,
        count(*) as customers,
        sum(segments.spent_cents) as spent_cents
    from {{ ref('customer_segments') }} as segments
    cross join build
    group by segments.segment

)

select
    coalesce(today.segment, month_end.segment) as segment,
    today.customers,
    month_end.customers as customers_at_month_end,
    today.spent_cents,
    month_end.spent_cents as spent_cents_at_month_end
from today
full join month_end on today.segment = month_end.segment
where
    today.customers is distinct from month_end.customers
    or today.spent_cents is distinct from month_end.spent_cents
