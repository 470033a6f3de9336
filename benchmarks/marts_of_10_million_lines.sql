-- What 10 million lines in five years leave in the marts: made-up rows of these numbers; days end on 2026-05-31.
insert into marts.publication values (1, now(), '2026-05-31', '2026-05-31', 1, 0, 0);
insert into marts.places (place_key, store_key, store_name, region, channel)
    select n, n / 4, 'Store ' || n / 4, 'Region ' || n / 20, 'Channel ' || n % 4 from generate_series(0, 79) as n;
insert into marts.categories (category_key, category) select n, 'Category ' || n from generate_series(1, 12) as n;
insert into marts.sales_by_filters
    (category_key, sale_date, place_key, category, store_key, store_name, region, channel, orders, units,
     units_returned, gross_sales_cents, discounts_cents, returns_cents, net_sales_cents, tax_cents, cost_cents,
     net_sales_with_cost_cents)
    select c, d::date, p.place_key, case c when 0 then 'All categories' else 'Category ' || c end, p.store_key,
        p.store_name, p.region, p.channel, 28, 70, 1, 100000 + c * 10 + p.place_key, -1000, -2000,
        97000 + c * 10 + p.place_key, 0, 50000, 97000 + c * 10 + p.place_key
    from generate_series(0, 12) as c, generate_series('2024-03-23'::date, '2026-05-31', '1 day') as d,
        marts.places as p order by 1, 2, 3;
insert into marts.daily_sales
    (sale_date, orders, units, customers, guest_orders, gross_sales_cents, returns_cents, discounts_cents,
     net_sales_cents)
    select d::date, 2200, 5500, 2000, 200, 8000000, -160000, -80000, 7760000
    from generate_series('2021-06-01'::date, '2026-05-31', '1 day') as d;
insert into marts.product_performance (product_key, product_id, product_name, category, abc_class, last_sale_date,
     recent_net_sales_cents)
    select n, n::text, 'Product ' || n, 'Category ' || n % 12 + 1, 'A', '2026-05-31', n from generate_series(1, 2000) as n;
insert into marts.product_sales_daily
    (sale_date, product_key, orders, units, units_returned, gross_sales_cents, returns_cents, discounts_cents,
     net_sales_cents, lines_with_cost, cost_cents, net_sales_with_cost_cents)
    select d::date, n, 3, 5, 1, 5000 + n, -100, -10, 4890 + n, 3, 2500, 4890 + n
    from generate_series('2025-04-27'::date, '2026-05-31', '1 day') as d, generate_series(1, 2000) as n;
insert into marts.buyers_daily (order_date, customer_key, place_key, orders, first_order_date)
    select d::date, (n * 7919 + extract(doy from d)::int * 104729) % 100000, n % 80, 1, '2022-01-01'
    from generate_series('2025-04-27'::date, '2026-05-31', '1 day') as d, generate_series(1, 2200) as n
    on conflict do nothing;
insert into marts.sales_by_store_and_hour
    (sale_date, sale_hour, store_key, store_name, orders, units, gross_sales_cents, discounts_cents, returns_cents,
     net_sales_cents)
    select d::date, h, s, 'Store ' || s, 9, 20, 30000, 0, 0, 30000
    from generate_series('2025-04-27'::date, '2026-05-31', '1 day') as d, generate_series(8, 21) as h,
        generate_series(0, 19) as s;
insert into marts.sales_rep_sales_daily
    (sale_date, sales_rep_key, sales_rep_name, region, orders, units, gross_sales_cents, discounts_cents,
     returns_cents, net_sales_cents, cost_cents, net_sales_with_cost_cents, net_sales_with_rate_cents,
     commission_cents)
    select d::date, n, 'Rep ' || n, 'Region ' || n % 4, 44, 100, 160000, 0, 0, 160000, 80000, 160000, 160000, 1600
    from generate_series('2024-03-23'::date, '2026-05-31', '1 day') as d, generate_series(1, 50) as n;
insert into marts.customer_rfm (customer_key, customer_id, customer_name, segment, rfm_group, recency_score,
     worth_score, order_count, spent_cents, last_order_date)
    select n, n::text, 'Customer ' || n, 'Regular', 'Loyal', n % 5 + 1, n % 5 + 1, 40, n, '2026-05-01'
    from generate_series(1, 100000) as n;
insert into marts.customer_segments (customer_key, customer_id, customer_name, segment, order_count, spent_cents)
    select customer_key, customer_id, customer_name, segment, order_count, spent_cents from marts.customer_rfm;
insert into marts.customers_at_risk (customer_key, value_rank, customer_name, segment, spent_cents, order_count)
    select n, n, 'Customer ' || n, 'At-Risk', n, 40 from generate_series(1, 20000) as n;
insert into marts.inventory_status (product_key, store_key, product_name, category, store_name, on_hand,
     needs_reorder, is_dead_stock, days_of_cover)
    select n, s, 'Product ' || n, 'Category ' || n % 12 + 1, case when s >= 0 then 'Store ' || s end, 100, n % 7 = 0,
        n % 50 = 0, n % 90
    from generate_series(1, 2000) as n, generate_series(-1, 19) as s;
insert into marts.product_lifecycle (product_key, product_name, category, lifecycle_stage)
    select n, 'Product ' || n, 'Category ' || n % 12 + 1, 'maturity' from generate_series(1, 2000) as n;
insert into marts.product_pairs (product_key, other_product_key, product_name, other_product_name, lift)
    select n, n + 1, 'Product ' || n, 'Product ' || n + 1, n from generate_series(1, 5000) as n;
insert into marts.orders_by_status (order_date, order_status, documents, orders, net_sales_cents, uncounted_cents)
    select d::date, s, 500, 500, 1000000, 0
    from generate_series('2025-04-27'::date, '2026-05-31', '1 day') as d, unnest(array['done', 'open', 'void']) as s;
insert into marts.sales_bridge (sale_date, step_number, step, amount_cents, running_cents, lines_that_cannot_say)
    select d::date, n, 'step', 10, 10 * n, 0
    from generate_series('2025-04-27'::date, '2026-05-31', '1 day') as d, generate_series(1, 7) as n;
