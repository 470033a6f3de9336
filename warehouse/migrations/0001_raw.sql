-- The ledger of deliveries and the rows they brought. Owned by shopx_owner; written by shopx_loader.
create schema raw;

create table raw.loads (
    load_id bigint generated always as identity primary key,
    delivery_no bigint not null,
    feed text not null,
    source text not null,
    delivered_name text not null,
    content_sha256 text not null check (content_sha256 ~ '^[0-9a-f]{64}$'),
    byte_count bigint not null check (byte_count >= 0),
    contract_sha256 text not null,
    mode text check (mode in ('orders', 'events', 'days', 'lines', 'match')),
    read_as jsonb not null default '{}',
    reading jsonb not null default '{}',
    rows_delivered bigint not null default 0,
    rows_accepted bigint not null default 0,
    rows_rejected bigint not null default 0,
    rows_duplicate bigint not null default 0,
    rows_gap bigint not null default 0,
    amount_cents bigint not null default 0,
    currency text,
    first_date date,
    last_date date,
    status text not null default 'landing' check (
        status in ('landing', 'landed', 'approved', 'held', 'duplicate', 'withdrawn', 'failed')
    ),
    held_reason text,
    held_message text,
    duplicate_of bigint references raw.loads,
    cursor_from jsonb,
    cursor jsonb,
    first_seen_at timestamptz not null default now(),
    landed_at timestamptz,
    decided_at timestamptz,
    decided_by text,
    constraint rows_add_up check (rows_delivered = rows_accepted + rows_rejected + rows_duplicate),
    constraint held_says_why check ((status = 'held') <= (held_reason is not null))
);
comment on table raw.loads is 'The ledger. One row per delivery.';
comment on column raw.loads.delivery_no is 'Order in which the bytes were first seen; kept through retry, hold, release and replay.';
comment on column raw.loads.mode is 'What the delivery means: orders (each order it holds is complete), events (every row is new), …; null until decided.';
comment on column raw.loads.read_as is 'What a person decided about reading it, e.g. {"date_order": "day-first"}.';
comment on column raw.loads.reading is 'What was found while reading: delimiter, encoding, date format, reader, header columns used and ignored.';
comment on column raw.loads.amount_cents is 'Sum of net_cents of its accepted rows, in minor units of the reporting currency.';
comment on column raw.loads.cursor_from is 'Of a fetched delivery: where its source was asked to go on from.';
comment on column raw.loads.cursor is 'Of a fetched delivery: how far it reaches; the next one goes on there once its rows count.';

create index loads_content on raw.loads (content_sha256);
create index loads_status on raw.loads (status);
create sequence raw.delivery_no as bigint;

create table raw.rejected_rows (
    load_id bigint not null references raw.loads,
    line_number bigint not null,
    sheet_row bigint not null,
    byte_offset bigint not null,
    columns text[] not null,
    reasons text[] not null check (cardinality(reasons) > 0),
    messages text[] not null,
    raw_bytes bytea not null,
    -- several rows may come from one line: an order and its items as one JSON object
    primary key (load_id, line_number, sheet_row)
);
comment on table raw.rejected_rows is 'One row per refused row of a delivery, with every reason; columns, reasons and messages run in parallel.';
comment on column raw.rejected_rows.line_number is 'Physical line in the file, from 1, where the record starts.';
comment on column raw.rejected_rows.sheet_row is 'Row as a spreadsheet shows it: records counted from 1, the header included.';

-- Columns of a fixed width come first: Postgres reads them at known places, without walking over the texts.
create table raw.sales_lines (
    load_id bigint not null,
    order_key bigint not null,
    order_line_key bigint not null,
    -- whole thousandths and millionths: numeric costs a tenth of a load more
    quantity_thousandths bigint not null,
    gross_cents bigint not null,
    discount_cents bigint not null default 0,
    net_cents bigint not null,
    sale_date date not null,
    sold_at timestamptz,
    unit_price_millionths bigint,
    tax_cents bigint,
    cost_cents bigint,
    line_type text not null,
    order_id text,
    line_number text,
    order_status text,
    product_id text,
    product_name text,
    category text,
    customer_id text,
    customer_name text,
    customer_email text,
    store text,
    region text,
    country text,
    sales_rep text,
    channel text,
    line_kind text
) partition by range (sale_date);
comment on table raw.sales_lines is 'Accepted rows, append-only, in monthly partitions (raw_parts). One row per accepted row of a delivery.';
comment on column raw.sales_lines.order_key is '64 bits of a hash of (source, scope, order id); minus order_line_key where the row names no order.';
comment on column raw.sales_lines.order_line_key is 'delivery_no * 10^10 + record number in the delivery (from 1, header not counted): unique, and it says where the line came from.';
comment on column raw.sales_lines.net_cents is 'gross_cents + discount_cents; negative on a return line.';
comment on column raw.sales_lines.line_kind is 'What the line is that is no sale of goods, by the contract (gift_card, deposit, shipping, …); null for sales and returns.';
create index sales_lines_load on raw.sales_lines using brin (load_id) with (pages_per_range = 16);

-- Partitions live in a schema of their own, so that BI tools do not list each month.
create schema raw_parts;

create function raw.create_months(first_month date, last_month date) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Creates the missing monthly partitions of raw.sales_lines, both ends inclusive. Months are found by name here
-- because only this function makes them. Returns how many were made.
declare
    month date := date_trunc('month', first_month)::date;
    made integer := 0;
begin
    if last_month - first_month > 366 * 120 then
        raise exception 'refused to create more than 120 years of partitions (% to %)', first_month, last_month;
    end if;
    while month <= last_month loop
        if to_regclass(format('raw_parts.sales_lines_%s', to_char(month, 'YYYYMM'))) is null then
            -- one creator at a time; a second session re-checks after the first has committed
            perform pg_advisory_xact_lock(hashtext('raw.create_months'));
            if to_regclass(format('raw_parts.sales_lines_%s', to_char(month, 'YYYYMM'))) is null then
                -- attached rather than created as a partition: that would lock every reader out until we commit
                execute format(
                    'create table raw_parts.sales_lines_%s (like raw.sales_lines including all)',
                    to_char(month, 'YYYYMM')
                );
                execute format(
                    'alter table raw.sales_lines attach partition raw_parts.sales_lines_%s for values from (%L) to (%L)',
                    to_char(month, 'YYYYMM'), month, (month + interval '1 month')::date
                );
                made := made + 1;
            end if;
        end if;
        month := (month + interval '1 month')::date;
    end loop;
    return made;
end
$$;
