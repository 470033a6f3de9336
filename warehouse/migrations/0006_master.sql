-- Master data: what deliveries say about products, customers, stores, sales representatives, stock and rates.
-- Each row is a version, append-only; which of them holds is worked out from the loads that count.
alter table raw.loads add column holds text not null default 'sales' check (
    holds in ('sales', 'products', 'categories', 'customers', 'stores', 'sales_reps', 'inventory', 'rates')
);
comment on column raw.loads.holds is 'What its rows are: sales, or a kind of master data (raw.<holds>).';

create table raw.products (
    load_id bigint not null references raw.loads,
    row_number integer not null,
    product_id text,
    product_name text,
    category text,
    subcategory text,
    category_id text,
    subcategory_id text,
    unit_cost numeric(18, 6),
    unit_price numeric(18, 6),
    on_hand numeric(14, 3),
    is_active boolean,
    launched date,
    discontinued date,
    effective_from date,
    primary key (load_id, row_number),
    check (coalesce(product_id, product_name) is not null)
);
comment on table raw.products is 'Versions of products; a null says nothing. One row per accepted row of a delivery.';
comment on column raw.products.effective_from is 'First day on which the version holds; null: from its delivery on.';

create table raw.categories (
    load_id bigint not null references raw.loads,
    row_number integer not null,
    category_id text,
    category text,
    subcategory_id text,
    subcategory text,
    primary key (load_id, row_number)
);
comment on table raw.categories is 'Names of categories, and of subcategories with the category they belong to. One row per accepted row of a delivery.';

create table raw.customers (
    load_id bigint not null references raw.loads,
    row_number integer not null,
    customer_id text,
    customer_name text,
    customer_email text,
    segment text,
    city text,
    state text,
    region text,
    country text,
    created date,
    effective_from date,
    primary key (load_id, row_number),
    check (coalesce(customer_id, customer_email) is not null)
);
comment on table raw.customers is 'Versions of customers; a null says nothing. One row per accepted row of a delivery.';

create table raw.stores (
    load_id bigint not null references raw.loads,
    row_number integer not null,
    store_id text,
    store text,
    city text,
    region text,
    country text,
    time_zone text,
    opened date,
    effective_from date,
    primary key (load_id, row_number),
    check (coalesce(store_id, store) is not null)
);
comment on table raw.stores is 'Versions of stores; a null says nothing. One row per accepted row of a delivery.';

create table raw.sales_reps (
    load_id bigint not null references raw.loads,
    row_number integer not null,
    sales_rep_id text,
    sales_rep text,
    email text,
    region text,
    commission_rate numeric(9, 6),
    is_active boolean,
    effective_from date,
    primary key (load_id, row_number),
    check (coalesce(sales_rep_id, sales_rep) is not null)
);
comment on table raw.sales_reps is 'Versions of sales representatives; a null says nothing. One row per accepted row of a delivery.';
comment on column raw.sales_reps.commission_rate is 'Share of the net sale, 0 to 1.';

create table raw.inventory (
    load_id bigint not null references raw.loads,
    row_number integer not null,
    count_date date not null,
    store text,
    product_id text,
    product_name text,
    on_hand numeric(14, 3) not null,
    primary key (load_id, row_number)
);
comment on table raw.inventory is 'Stock counts. One row per accepted row of a delivery.';

create table raw.rates (
    load_id bigint not null references raw.loads,
    row_number integer not null,
    rate_date date not null,
    currency text not null,
    rate numeric(18, 9) not null check (rate > 0),
    primary key (load_id, row_number)
);
comment on table raw.rates is 'Exchange rates. One row per accepted row of a delivery.';
comment on column raw.rates.rate is 'What one unit of the currency was worth on that day, in units of the reporting currency.';
create index rates_day on raw.rates (currency, rate_date);

-- Sales in another currency than the reporting one, converted line by line.
alter table raw.sales_lines add column original_currency text;
alter table raw.sales_lines add column original_gross_cents bigint;
alter table raw.sales_lines add column exchange_rate_billionths bigint;
comment on column raw.sales_lines.original_currency is 'Currency of the delivery where it was converted, else null.';
comment on column raw.sales_lines.original_gross_cents is 'gross_cents before conversion, in minor units of original_currency.';
comment on column raw.sales_lines.exchange_rate_billionths is '10^9 times the rate it was converted with (raw.rates).';

-- How many rows of each delivery are stored, whatever it holds.
create view raw.stored_rows as
select load_id, count(*) as row_count from raw.sales_lines group by load_id
union all select load_id, count(*) from raw.products group by load_id
union all select load_id, count(*) from raw.categories group by load_id
union all select load_id, count(*) from raw.customers group by load_id
union all select load_id, count(*) from raw.stores group by load_id
union all select load_id, count(*) from raw.sales_reps group by load_id
union all select load_id, count(*) from raw.inventory group by load_id
union all select load_id, count(*) from raw.rates group by load_id;
comment on view raw.stored_rows is 'One row per delivery that has rows.';
