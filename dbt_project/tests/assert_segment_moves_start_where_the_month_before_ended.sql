-- Fails if the customers who leave a segment in a month are not those it held at the month end before.
with

moves as (

    select
        month_end_date,
        segment,
        previous_segment,
        customers
    from {{ ref('customer_segments_monthly') }}

),

held as (

    select
        month_end_date,
        segment,
        sum(customers) as customers
    from moves
    group by
        month_end_date,
        segment

),

came_from as (

    select
        date_trunc('month', month_end_date)::date - 1 as month_end_date,
        previous_segment as segment,
        sum(customers) as customers
    from moves
    where previous_segment is not null
    group by
        month_end_date,
        previous_segment

)

select
    coalesce(held.month_end_date, came_from.month_end_date) as month_end_date,
    coalesce(held.segment, came_from.segment) as segment,
    held.customers,
    came_from.customers as customers_who_came_from_it
from held
full join came_from
    on
        held.month_end_date = came_from.month_end_date
        and held.segment = came_from.segment
where
    held.customers is distinct from came_from.customers
    -- the last month end has no month after it, the first kept one none before it
    and coalesce(held.month_end_date, came_from.month_end_date) < (select max(moves.month_end_date) from moves)
    and coalesce(held.month_end_date, came_from.month_end_date) >= (select min(moves.month_end_date) from moves)
