-- How many minor units make one unit: 100, but for the currencies that have no or three decimals. Before the first
-- approved delivery no currency is known.
with

settings as (

    select value
    from {{ source('ops', 'settings') }}
    where name = 'currency'

),

stg_reporting_currency as (

    select
        max(value) as currency,
        case
            when max(value) in ('JPY', 'KRW', 'VND', 'CLP', 'ISK') then 1
            when max(value) in ('BHD', 'KWD', 'OMR', 'JOD', 'TND') then 1000
            else 100
        end as minor_units
    from settings

)

select
    currency,
    minor_units
from stg_reporting_currency
