-- The grid of recency against worth, and with it which simple segments the customers of a group are in.
{{ config(post_hook="{{ grain_key(['recency_score', 'worth_score', 'segment']) }}") }}

with

customers as (

    select
        recency_score,
        worth_score,
        rfm_group,
        segment,
        missing_reason,
        order_count,
        spent_cents
    from {{ ref('customer_rfm') }}

),

customer_rfm_cells as (

    select
        recency_score,
        worth_score,
        rfm_group,
        segment,
        missing_reason,
        count(*) as customers,
        (sum(order_count))::bigint as order_count,
        (sum(spent_cents))::bigint as spent_cents
    from customers
    group by
        recency_score,
        worth_score,
        rfm_group,
        segment,
        missing_reason

)

select
    recency_score,
    worth_score,
    rfm_group,
    segment,
    missing_reason,
    customers,
    order_count,
    spent_cents
from customer_rfm_cells
