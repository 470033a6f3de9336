-- Buyers are counted over a whole span of days: they cannot be summed from days. A buyer of a span has returned if one
-- of the orders in it is not the first in life. To read every order once for all spans, each span is a bit: a day has
-- the bits of the spans it lies in, a customer those of the days with an order.
with

spans as (

    select
        period,
        span,
        first_date,
        last_date,
        (row_number() over (order by period asc, span asc))::integer as bit_number
    from {{ ref('dim_period_spans') }}

),

-- all time is counted from customers, so that nothing further back than the longest comparison is read
reach as (

    select min(first_date) as first_date
    from spans
    where period <> 'all_time'

),

calendar as (

    select date_day
    from {{ ref('dim_dates') }}

),

customers as (

    select
        customer_key,
        orders,
        first_order_date
    from {{ ref('agg_customers') }}
    where first_order_date is not null

),

orders as (

    select
        customer_key,
        order_date
    from {{ ref('fct_orders') }}
    where
        is_completed_order
        and customer_key <> {{ unknown_key() }}
        and order_date >= (select reach.first_date from reach)

),

days as (

    select
        calendar.date_day,
        bit_or(1::bigint << spans.bit_number) as bits
    from calendar
    inner join spans on calendar.date_day between spans.first_date and spans.last_date
    where spans.period <> 'all_time'
    group by calendar.date_day

),

buyers as (

    select
        orders.customer_key,
        bit_or(days.bits) as bits,
        coalesce(bit_or(days.bits) filter (where orders.order_date > customers.first_order_date), 0) as later_bits,
        count(*) filter (where orders.order_date = customers.first_order_date) as orders_of_first_day,
        coalesce(bit_or(days.bits) filter (where orders.order_date = customers.first_order_date), 0) as first_day_bits
    from orders
    inner join days on orders.order_date = days.date_day
    inner join customers on orders.customer_key = customers.customer_key
    group by orders.customer_key

),

-- customers with the same bits are counted together: few rows from here on
patterns as (

    select
        bits,
        later_bits | case when orders_of_first_day > 1 then first_day_bits else 0 end as returning_bits,
        first_day_bits,
        count(*) as customers
    from buyers
    group by
        bits,
        later_bits | case when orders_of_first_day > 1 then first_day_bits else 0 end,
        first_day_bits

),

agg_buyers_by_period as (

    select
        spans.period,
        spans.span,
        (coalesce(sum(patterns.customers) filter (
            where (patterns.bits >> spans.bit_number) & 1 = 1
        ), 0))::bigint as customers,
        (coalesce(sum(patterns.customers) filter (
            where (patterns.first_day_bits >> spans.bit_number) & 1 = 1
        ), 0))::bigint as new_customers,
        (coalesce(sum(patterns.customers) filter (
            where (patterns.returning_bits >> spans.bit_number) & 1 = 1
        ), 0))::bigint as returning_customers
    from spans
    left join patterns on true
    where spans.period <> 'all_time'
    group by
        spans.period,
        spans.span

    union all

    select
        spans.period,
        spans.span,
        count(customers.customer_key) as customers,
        count(customers.customer_key) as new_customers,
        count(customers.customer_key) filter (where customers.orders > 1) as returning_customers
    from spans
    left join customers on spans.last_date >= customers.first_order_date
    where spans.period = 'all_time'
    group by
        spans.period,
        spans.span

)

select
    period,
    span,
    customers,
    new_customers,
    returning_customers
from agg_buyers_by_period
