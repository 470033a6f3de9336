{# Fails if the model holds no row although the input it is made from does. #}
{% test not_empty(model, when_rows_in, input_where='true') %}

select 'empty although its input is not' as problem
where
    not exists (select 1 from {{ model }})
    and exists (select 1 from {{ when_rows_in }} where {{ input_where }})

{% endtest %}
