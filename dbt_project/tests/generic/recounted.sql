{#
    Fails for each row of an aggregate that differs from its lines recounted. Small histories, and builds that touch
    nothing (the nightly one), are recounted whole. Otherwise, where `day` names the aggregate's day or month, three
    months are: the last two, and one that changes from build to build, so that each has its turn; recounting all
    would cost what the aggregate saves.

    rows     what is recounted, and `counted` which of it: the lines of fct_order_lines that count, if nothing else is said
    grain    the aggregate's columns that make a row, each with what it is in `rows`
    sums     other columns, each with what it is over the rows; with `orders`, the flag that counts them, the usual ones
#}
{% test recounted(
    model, grain, sums={}, orders=none, rows=ref('fct_order_lines'), counted='counts_as_revenue', day=none
) %}

    {%- set columns = {} -%}
    {%- do columns.update(grain) -%}
    {%- if orders -%}
        {%- do columns.update({
            'line_count': 'count(*)',
            'orders': 'count(*) filter (where ' ~ orders ~ ' = 1)',
            'units': "coalesce(sum(case when line_type = 'sale' then quantity end), 0)",
            'units_returned': "coalesce(sum(case when line_type = 'return' then -quantity end), 0)",
            'gross_sales_cents': "coalesce(sum(case when line_type = 'sale' then gross_cents end), 0)",
            'discounts_cents': "coalesce(sum(case when line_type = 'sale' then discount_cents end), 0)",
            'returns_cents': "coalesce(sum(case when line_type = 'return' then gross_cents + discount_cents end), 0)",
            'net_sales_cents': 'sum(gross_cents) + sum(discount_cents)',
            'tax_cents': 'sum(coalesce(tax_cents, 0))',
            'lines_with_cost': 'count(cost_cents)',
            'cost_cents': 'sum(coalesce(cost_cents, 0))',
            'net_sales_with_cost_cents': 'coalesce(sum(case when cost_cents is not null then net_cents end), 0)',
        }) -%}
    {%- endif -%}
    {%- do columns.update(sums) -%}
    {%- set months = recounted_months() -%}

    with

    recounted as (

        select
    {%- for column, expression in columns.items() %}
            {{ expression }} as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ rows }}
        where ({{ counted }}) and {{ in_months('sale_date' if day == 'sale_month' else day, months) }}
        group by {{ grain.values() | join(', ') }}

    ),

    standing as (

        select {{ columns.keys() | join(', ') }}
        from {{ model }}
        where {{ in_months(day, months) }}

    )

    select
    {%- for column in grain %}
        coalesce(recounted.{{ column }}, standing.{{ column }}) as {{ column }},
        {%- endfor %}
    {%- for column in columns if column not in grain %}
        recounted.{{ column }} as {{ column }}_of_lines,
        standing.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from recounted
    full join standing
        on {% for column in grain %}recounted.{{ column }} = standing.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    where
    {%- for column in columns if column not in grain %}
        recounted.{{ column }} is distinct from standing.{{ column }}{{ ' or' if not loop.last }}
        {%- endfor %}

{% endtest %}
