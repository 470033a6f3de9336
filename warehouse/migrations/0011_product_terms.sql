-- What the lines of core.fct_order_lines have taken from their products: category and cost by day. Where
-- core.dim_product_terms says otherwise, lines have to be made anew.
create table ops.product_terms (
    product_key bigint not null,
    valid_from_date date not null,
    category_key bigint not null,
    unit_cost_cents numeric(20, 6),
    primary key (product_key, valid_from_date)
);
comment on table ops.product_terms is 'core.dim_product_terms as the lines were last made with it; written with them. One row per product and first day.';
