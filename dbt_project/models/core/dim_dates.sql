-- Contiguous from the first day of the first year that a delivery speaks of to the last day of the year of as_of.
with

loads as (

    select
        first_date,
        last_date
    from {{ ref('stg_build_loads') }}

),

build as (

    select as_of
    from {{ ref('stg_build') }}

),

bounds as (

    select
        date_trunc('year', least(min(loads.first_date), min(build.as_of)))::date as first_day,
        (date_trunc('year', greatest(max(loads.last_date), max(build.as_of))) + interval '1 year')::date - 1 as last_day
    from build
    left join loads on true

),

days as (

    select first_day + day_offset as date_day
    from bounds
    cross join lateral generate_series(0, last_day - first_day) as day_offset

),

dim_dates as (

    select
        date_day,
        extract(isodow from date_day)::smallint as day_of_week,
        to_char(date_day, 'FMDay') as day_name,
        extract(isodow from date_day) >= 6 as is_weekend,
        extract(week from date_day)::smallint as iso_week,
        extract(isoyear from date_day)::smallint as iso_year,
        date_trunc('week', date_day)::date as week_start_date,
        extract(month from date_day)::smallint as month_number,
        to_char(date_day, 'FMMonth') as month_name,
        date_trunc('month', date_day)::date as month_start_date,
        extract(quarter from date_day)::smallint as quarter_number,
        extract(year from date_day)::smallint as year_number,
        date_day - 364 as same_weekday_last_year_date
    from days

)

select
    date_day,
    day_of_week,
    day_name,
    is_weekend,
    iso_week,
    iso_year,
    week_start_date,
    month_number,
    month_name,
    month_start_date,
    quarter_number,
    year_number,
    same_weekday_last_year_date
from dim_dates
