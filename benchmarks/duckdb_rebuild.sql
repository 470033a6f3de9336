-- What the models of core and the first marts amount to, as DuckDB would make them from the simulated shop's
-- files alone: no keys, contracts, versions or corrections. For full_build.py, which sets the folder.
create table raw_lines as
select
    order_id, line, order_date as sold_at, order_date::date as sale_date, product_id, product, category, quantity,
    unit_price, discount_amount, amount, tax, unit_cost, customer_id, store, channel, sales_rep, region, country, status
from read_csv(getvariable('folder') || '/sales.csv', all_varchar = false)
union all by name
select
    order_id, line, null::timestamp as sold_at, return_date::date as sale_date, product_id, product, category, quantity,
    unit_price, discount_amount, amount, tax, unit_cost, customer_id, store, channel, sales_rep, region, country, status
from read_csv(getvariable('folder') || '/returns.csv', all_varchar = false);

create table fct_order_lines as
select
    hash(order_id) as order_key, hash(order_id, line) as order_line_key, sale_date, order_id, sold_at,
    case when quantity < 0 then 'return' else 'sale' end as line_type, status,
    status = 'completed' as counts_as_revenue, hash(product_id) as product_key, hash(customer_id) as customer_key,
    customer_id is not null as is_known, hash(store, region, country, channel) as place_key,
    hash(category) as category_key, hash(sales_rep) as sales_rep_key, hour(sold_at) as sale_hour, quantity,
    (quantity * unit_price * 100)::bigint as gross_cents, (-sign(quantity) * discount_amount * 100)::bigint as discount_cents,
    (tax * 100)::bigint as tax_cents, (quantity * unit_cost * 100)::bigint as cost_cents, (amount * 100)::bigint as net_cents,
    status = 'completed' and quantity > 0
    and row_number() over (partition by order_id order by quantity < 0, line) = 1 as order_flag,
    status = 'completed' and quantity > 0
    and row_number() over (partition by order_id, category order by quantity < 0, line) = 1 as category_flag,
    status = 'completed' and quantity > 0
    and row_number() over (partition by order_id, product_id order by quantity < 0, line) = 1 as product_flag
from raw_lines;

create table fct_orders as
select
    order_key, min(sale_date) as order_date, min(sold_at) as ordered_at, any_value(status) as status,
    bool_or(order_flag) as is_completed_order, any_value(customer_key) as customer_key, bool_or(is_known) as is_known,
    any_value(place_key) as place_key, count(*) as line_count, sum(quantity) filter (quantity > 0) as units,
    sum(gross_cents) filter (quantity > 0) as gross_cents, sum(discount_cents) as discount_cents,
    sum(net_cents) as net_cents
from fct_order_lines group by order_key;

create table counted as
select
    *, case when line_type = 'sale' then gross_cents else 0 end as gross_sales_cents,
    case when line_type = 'sale' then discount_cents else 0 end as discounts_cents,
    case when line_type = 'return' then net_cents else 0 end as returns_cents
from fct_order_lines where counts_as_revenue;

create table agg_sales_daily as
select
    sale_date, place_key, category_key, count(*) as line_count, sum(order_flag::int) as orders,
    sum(category_flag::int) as category_orders, sum(quantity) as units, sum(gross_sales_cents) as gross_sales_cents,
    sum(discounts_cents) as discounts_cents, sum(returns_cents) as returns_cents, sum(net_cents) as net_sales_cents,
    sum(tax_cents) as tax_cents, sum(cost_cents) as cost_cents
from counted group by all;

create table agg_orders_daily as
select sale_date, place_key, sum(orders) as orders, sum(units) as units, sum(net_sales_cents) as net_sales_cents
from agg_sales_daily group by all;

create table agg_categories_daily as
select sale_date, category_key, sum(category_orders) as orders, sum(units) as units, sum(net_sales_cents) as net_sales_cents
from agg_sales_daily group by all;

create table agg_sales_monthly as
select
    date_trunc('month', sale_date) as sale_month, place_key, category_key, sum(orders) as orders, sum(units) as units,
    sum(net_sales_cents) as net_sales_cents
from agg_sales_daily group by all;

create table agg_sales_hourly as
select
    sale_date, sale_hour, place_key, sum(order_flag::int) as orders, sum(quantity) as units,
    sum(net_cents) as net_sales_cents
from counted group by all;

create table agg_sales_reps_daily as
select sale_date, sales_rep_key, sum(order_flag::int) as orders, sum(net_cents) as net_sales_cents
from counted group by all;

create table agg_products_daily as
select
    sale_date, product_key, sum(product_flag::int) as orders, sum(quantity) as units, sum(net_cents) as net_sales_cents,
    sum(cost_cents) as cost_cents
from counted group by all;

create table agg_products_monthly as
select
    date_trunc('month', sale_date) as sale_month, product_key, sum(orders) as orders, sum(units) as units,
    sum(net_sales_cents) as net_sales_cents
from agg_products_daily group by all;

create table agg_customers as
select
    customer_key, count(*) filter (is_completed_order) as orders, sum(net_cents) as net_sales_cents,
    min(order_date) filter (is_completed_order) as first_order_date,
    max(order_date) filter (is_completed_order) as last_order_date
from fct_orders where is_known group by all;

create table agg_customers_monthly as
select
    date_trunc('month', order_date) as sale_month, customer_key, count(*) as orders, sum(net_cents) as net_sales_cents
from fct_orders where is_known and is_completed_order group by all;

create table agg_cohorts_monthly as
select
    date_trunc('month', first_order_date) as cohort_month, sale_month, count(*) as customers, sum(m.orders) as orders,
    sum(m.net_sales_cents) as net_sales_cents
from agg_customers_monthly as m inner join agg_customers using (customer_key) group by all;

create table agg_buyers_daily as
select order_date, count(distinct customer_key) as customers
from fct_orders where is_known and is_completed_order group by all;

create table daily_sales as
select sale_date, sum(orders) as orders, sum(net_sales_cents) as net_sales_cents, any_value(customers) as customers
from agg_orders_daily left join agg_buyers_daily on sale_date = order_date group by all;

create table product_performance as
select product_key, sum(orders) as orders, sum(units) as units, sum(net_sales_cents) as net_sales_cents
from agg_products_monthly group by all;

create table customer_rfm as
select
    customer_key, ntile(5) over (order by last_order_date, customer_key) as recency,
    ntile(5) over (order by orders, customer_key) as frequency,
    ntile(5) over (order by net_sales_cents, customer_key) as money
from agg_customers where orders > 0;

create table product_pairs as
with recent as (
    select distinct order_key, product_key from counted
    where line_type = 'sale' and sale_date > (select max(sale_date) - 90 from counted)
)
select a.product_key, b.product_key as other_key, count(*) as orders
from recent as a inner join recent as b on a.order_key = b.order_key and a.product_key < b.product_key
group by all having count(*) >= 5 order by orders desc limit 5000
