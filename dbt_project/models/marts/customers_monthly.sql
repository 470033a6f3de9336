-- New are those whose first order ever is in the month. Returning are those who by the end of the month had ordered
-- twice in their life: everybody who was known before, and the new ones who came back within the month.
with

cohort_months as (

    select
        cohort_month,
        sale_month,
        customers,
        orders,
        net_sales_cents
    from {{ ref('agg_cohorts_monthly') }}

),

order_days as (

    select
        sale_date,
        orders,
        guest_orders,
        net_sales_cents
    from {{ ref('agg_orders_daily') }}

),

firsts as (

    select
        first_order_date,
        first_month_orders
    from {{ ref('agg_customers_by_age') }}

),

build as (

    select as_of
    from {{ ref('stg_build') }}

),

months as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        (sum(orders))::bigint as orders,
        (sum(guest_orders))::bigint as guest_orders,
        (sum(net_sales_cents))::bigint as net_sales_cents
    from order_days
    group by date_trunc('month', sale_date)

),

buyers as (

    select
        sale_month,
        (sum(customers))::bigint as customers,
        (coalesce(sum(customers) filter (where cohort_month = sale_month), 0))::bigint as new_customers,
        (coalesce(sum(net_sales_cents) filter (where cohort_month = sale_month), 0))::bigint
            as new_customers_net_sales_cents,
        (coalesce(sum(net_sales_cents) filter (where cohort_month < sale_month), 0))::bigint
            as known_customers_net_sales_cents
    from cohort_months
    group by sale_month

),

one_order_so_far as (

    select
        date_trunc('month', first_order_date)::date as sale_month,
        count(*) as customers
    from firsts
    where first_month_orders = 1
    group by date_trunc('month', first_order_date)

),

counted as (

    select
        months.sale_month,
        months.orders,
        months.guest_orders,
        coalesce(buyers.customers, 0) as customers,
        coalesce(buyers.new_customers, 0) as new_customers,
        coalesce(buyers.customers, 0) - coalesce(one_order_so_far.customers, 0) as returning_customers,
        coalesce(buyers.new_customers_net_sales_cents, 0) as new_customers_net_sales_cents,
        coalesce(buyers.known_customers_net_sales_cents, 0) as known_customers_net_sales_cents,
        months.net_sales_cents
    from months
    left join buyers on months.sale_month = buyers.sale_month
    left join one_order_so_far on months.sale_month = one_order_so_far.sale_month

),

customers_monthly as (

    select
        counted.sale_month,
        counted.orders,
        counted.guest_orders,
        (counted.guest_orders::numeric / nullif(counted.orders, 0))::numeric(9, 6) as guest_orders_share,
        counted.customers,
        counted.new_customers,
        counted.returning_customers,
        (counted.returning_customers::numeric / nullif(counted.customers, 0))::numeric(9, 6)
            as returning_customers_share,
        counted.new_customers_net_sales_cents,
        counted.known_customers_net_sales_cents,
        counted.net_sales_cents
        - counted.new_customers_net_sales_cents
        - counted.known_customers_net_sales_cents as other_net_sales_cents,
        counted.net_sales_cents,
        (counted.sale_month + interval '1 month')::date - 1 <= build.as_of as is_complete
    from counted
    cross join build

)

select
    sale_month,
    orders,
    guest_orders,
    guest_orders_share,
    customers,
    new_customers,
    returning_customers,
    returning_customers_share,
    new_customers_net_sales_cents,
    known_customers_net_sales_cents,
    other_net_sales_cents,
    net_sales_cents,
    is_complete
from customers_monthly
