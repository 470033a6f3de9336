-- Two questions with two names: what came back in the month against what was sold in it, and how much of what was sold
-- in the month has come back since. The second is answered only where returns name their order.
with

sales as (

    select
        sale_month,
        gross_sales_cents,
        discounts_cents
    from {{ ref('agg_sales_monthly') }}

),

returns as (

    select
        sale_month,
        nullif(order_month, date '0001-01-01') as order_month,
        units_returned,
        returns_cents
    from {{ ref('agg_returns_monthly') }}

),

months as (

    select
        sale_month,
        (sum(gross_sales_cents + discounts_cents))::bigint as sold_cents
    from sales
    group by sale_month

),

returned as (

    select
        sale_month,
        (sum(units_returned))::numeric(18, 3) as units_returned,
        (sum(returns_cents))::bigint as returns_cents,
        (coalesce(sum(returns_cents) filter (where order_month is not null), 0))::bigint as linked_returns_cents
    from returns
    group by sale_month

),

returned_of_sold as (

    select
        order_month as sale_month,
        (sum(returns_cents))::bigint as returns_of_sold_cents
    from returns
    where order_month is not null
    group by order_month

),

-- what was sold in a month can only come back from that month on
from_then_on as (

    select
        months.sale_month,
        coalesce(sum(returned.linked_returns_cents) over later_months, 0) as linked_returns_cents,
        coalesce(sum(returned.returns_cents) over later_months, 0) as returns_cents
    from months
    left join returned on months.sale_month = returned.sale_month
    window later_months as (order by months.sale_month desc)

),

joined as (

    select
        months.sale_month,
        months.sold_cents,
        coalesce(returned.units_returned, 0) as units_returned,
        coalesce(returned.returns_cents, 0) as returns_cents,
        coalesce(returned.linked_returns_cents, 0) as linked_returns_cents,
        coalesce(returned_of_sold.returns_of_sold_cents, 0) as returns_of_sold_cents,
        from_then_on.linked_returns_cents
        <= {{ var('returns_linked_min_share') }} * from_then_on.returns_cents as are_linked
    from months
    inner join from_then_on on months.sale_month = from_then_on.sale_month
    left join returned on months.sale_month = returned.sale_month
    left join returned_of_sold on months.sale_month = returned_of_sold.sale_month

),

returns_monthly as (

    select
        sale_month,
        sold_cents,
        units_returned::numeric(18, 3) as units_returned,
        returns_cents,
        (-returns_cents::numeric / nullif(sold_cents, 0))::numeric(12, 6) as return_rate_share,
        linked_returns_cents,
        case when are_linked then returns_of_sold_cents end as returns_of_sold_cents,
        case
            when are_linked then -returns_of_sold_cents::numeric / nullif(sold_cents, 0)
        end::numeric(12, 6) as return_rate_of_sold_share,
        case when not are_linked then 'most returns do not name the order they belong to' end as missing_reason
    from joined

)

select
    sale_month,
    sold_cents,
    units_returned,
    returns_cents,
    return_rate_share,
    linked_returns_cents,
    returns_of_sold_cents,
    return_rate_of_sold_share,
    missing_reason
from returns_monthly
