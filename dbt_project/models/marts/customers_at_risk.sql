-- Late by their own rhythm: the days since the last order exceed so many times the customer's mean gap between orders.
-- Dates instead of "days since", so that a quiet day changes no row but those that come and go.
with

customers as (

    select
        customer_key,
        customer_id,
        customer_name,
        customer_email,
        country,
        segment,
        order_count,
        spent_cents,
        average_order_value_cents,
        first_order_date,
        last_order_date
    from {{ ref('customer_segments') }}

),

build as (

    select as_of
    from {{ ref('stg_build') }}

),

with_rhythm as (

    select
        *,
        (last_order_date - first_order_date)::numeric / (order_count - 1) as order_gap_days
    from customers
    where
        order_count >= {{ var('at_risk_min_orders') }}
        and last_order_date > first_order_date
        and spent_cents > 0

),

with_due_dates as (

    select
        *,
        last_order_date + round(order_gap_days)::integer as expected_next_order_date,
        last_order_date + greatest(
            floor(order_gap_days * {{ var('at_risk_gap_factor') }})::integer, {{ var('at_risk_min_days') }}
        ) + 1 as at_risk_since_date
    from with_rhythm

),

customers_at_risk as (

    select
        with_due_dates.customer_key,
        row_number() over (
            order by
                with_due_dates.spent_cents desc,
                with_due_dates.order_count desc,
                with_due_dates.last_order_date desc,
                with_due_dates.customer_key asc
        ) as value_rank,
        with_due_dates.customer_id,
        with_due_dates.customer_name,
        with_due_dates.customer_email,
        with_due_dates.country,
        with_due_dates.segment,
        with_due_dates.order_count,
        with_due_dates.spent_cents,
        with_due_dates.average_order_value_cents,
        round(with_due_dates.order_gap_days, 1)::numeric(8, 1) as order_gap_days,
        with_due_dates.first_order_date,
        with_due_dates.last_order_date,
        with_due_dates.expected_next_order_date,
        with_due_dates.at_risk_since_date
    from with_due_dates
    cross join build
    where
        with_due_dates.at_risk_since_date <= build.as_of
        and build.as_of - with_due_dates.last_order_date <= {{ var('at_risk_max_days') }}

)

select
    customer_key,
    value_rank,
    customer_id,
    customer_name,
    customer_email,
    country,
    segment,
    order_count,
    spent_cents,
    average_order_value_cents,
    order_gap_days,
    first_order_date,
    last_order_date,
    expected_next_order_date,
    at_risk_since_date
from customers_at_risk
