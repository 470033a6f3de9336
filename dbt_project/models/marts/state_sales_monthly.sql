-- Sales of the last 25 months by the state customers live in, where customer lists tell it. Guests and customers of
-- unknown state are in no row: `state_known_pct` says how much of the month the rows hold.
with

build as (

    select date_trunc('month', as_of)::date as this_month
    from {{ ref('stg_build') }}

),

customers as (

    select
        customer_key,
        state
    from {{ ref('dim_customers') }}
    where state is not null

),

customer_months as (

    select
        sale_month,
        customer_key,
        orders,
        net_sales_cents
    from {{ ref('agg_customers_monthly') }}
    where sale_month >= (select {{ months_before('build.this_month', 24) }} from build)

),

sales_by_place as (

    select
        sale_date,
        net_sales_cents
    from {{ ref('agg_orders_daily') }}

),

months as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        sum(net_sales_cents) as net_sales_cents
    from sales_by_place
    group by date_trunc('month', sale_date)::date

),

states as (

    select
        customer_months.sale_month,
        customers.state,
        count(*) filter (where customer_months.orders > 0) as customers,
        sum(customer_months.orders)::bigint as orders,
        sum(customer_months.net_sales_cents)::bigint as net_sales_cents
    from customer_months
    inner join customers on customer_months.customer_key = customers.customer_key
    group by
        customer_months.sale_month,
        customers.state

),

state_sales_monthly as (

    select
        states.sale_month,
        states.state,
        states.customers,
        states.orders,
        states.net_sales_cents,
        {{ percent_of('states.net_sales_cents', 'months.net_sales_cents') }} as net_sales_share_pct,
        {{ percent_of('sum(states.net_sales_cents) over (partition by states.sale_month)', 'months.net_sales_cents') }}
            as state_known_pct
    from states
    inner join months on states.sale_month = months.sale_month

)

select
    sale_month,
    state,
    customers,
    orders,
    net_sales_cents,
    net_sales_share_pct,
    state_known_pct
from state_sales_monthly
