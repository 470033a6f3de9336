-- Quintiles inside the shop: the fifth that bought last scores 5 for recency, and so on. Equals are told apart by the
-- other two measures and at last by the key, so that the fifths are even and the same in every build.
with

buyers as (

    select
        customer_key,
        customer_id,
        customer_name,
        customer_email,
        segment,
        order_count,
        spent_cents,
        first_order_date,
        last_order_date,
        count(*) over () >= {{ var('rfm_min_customers') }} as are_enough
    from {{ ref('customer_segments') }}

),

fifths as (

    select
        *,
        ntile(5) over (order by last_order_date, order_count, spent_cents, customer_key) as recency_fifth,
        ntile(5) over (order by order_count, spent_cents, last_order_date, customer_key) as frequency_fifth,
        ntile(5) over (order by spent_cents, order_count, last_order_date, customer_key) as monetary_fifth
    from buyers

),

scored as (

    select
        *,
        case when are_enough then recency_fifth end::smallint as recency_score,
        case when are_enough then frequency_fifth end::smallint as frequency_score,
        case when are_enough then monetary_fifth end::smallint as monetary_score,
        case when are_enough then ceil((frequency_fifth + monetary_fifth) * 0.5) end::smallint as worth_score
    from fifths

),

customer_rfm as (

    select
        customer_key,
        customer_id,
        customer_name,
        customer_email,
        segment,
        recency_score,
        frequency_score,
        monetary_score,
        worth_score,
        {{ rfm_group('recency_score', 'worth_score') }} as rfm_group,
        case
            when not are_enough
                then 'fewer than {{ var("rfm_min_customers") }} customers: fifths of them would say nothing'
        end as missing_reason,
        order_count,
        spent_cents,
        first_order_date,
        last_order_date
    from scored

)

select
    customer_key,
    customer_id,
    customer_name,
    customer_email,
    segment,
    recency_score,
    frequency_score,
    monetary_score,
    worth_score,
    rfm_group,
    missing_reason,
    order_count,
    spent_cents,
    first_order_date,
    last_order_date
from customer_rfm
