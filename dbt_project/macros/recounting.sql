{# How much of what was built the test `recounted` looks at. #}

{# First days of the months to be recounted in this build; nothing means all. #}
{% macro recounted_months() -%}
    {%- if execute -%}
        {%- set found = run_query("""
            select to_char(date_trunc('month', month_of.day), 'YYYY-MM-DD') as month
            from ops.builds as b
            cross join lateral (
                select min(l.first_date) as first_date, sum(l.rows_accepted) as row_count
                from ops.build_loads as c inner join raw.loads as l on c.load_id = l.load_id
                where c.build_id = b.build_id
            ) as history
            cross join lateral (values
                (b.as_of),
                (b.as_of - 31),
                -- each build another one, until all months have had their turn
                (b.as_of - (31 * (b.build_id % ((b.as_of - history.first_date) / 31 + 1)))::integer)
            ) as month_of (day)
            where
                b.build_id = ops.current_build()
                and (b.is_whole or b.touched_orders > 0)
                and history.row_count > 200000
            group by 1
        """) -%}
        {{ return(found.columns[0].values() | list) }}
    {%- endif -%}
    {{ return([]) }}
{%- endmacro %}

{# The condition for a day of these months. Without a day nothing but a whole recount is possible. #}
{% macro in_months(day, months) -%}
    {%- if not months -%}
        true
    {%- elif not day -%}
        false
    {%- else -%}
        ({% for month in months %}{{ day }} >= '{{ month }}' and {{ day }} < date '{{ month }}' + interval '1 month'
            {{- ' or ' if not loop.last }}{% endfor %})
    {%- endif -%}
{%- endmacro %}
