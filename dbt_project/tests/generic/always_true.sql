{# Fails for each row on which the condition does not hold. The test's own name is the sentence it protects. #}
{% test always_true(model, condition, column_name=none) %}

select *
from {{ model }}
where ({{ condition }}) is not true

{% endtest %}
