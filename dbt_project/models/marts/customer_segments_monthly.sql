-- Counts and moves: a row says how many were in one segment a month ago and are in another now.
{{ config(post_hook="{{ grain_key(['month_end_date', 'segment', 'previous_segment']) }}") }}

with

customer_segments_monthly as (

    select
        month_end_date,
        segment,
        previous_segment,
        customers,
        spent_cents
    from {{ ref('agg_customer_segments_monthly') }}

)

select
    month_end_date,
    segment,
    previous_segment,
    customers,
    spent_cents
from customer_segments_monthly
