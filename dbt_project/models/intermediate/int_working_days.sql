{{ config(indexes=[{'columns': ['on_day'], 'unique': true}]) }}
-- Every day of the calendar with the first working day from it on (requirements § 6: Saturday, Sunday
-- and Norwegian public holidays move the end of a minimum period).
with days as (
    select generate_series('1970-01-01'::date, '2119-12-31'::date, interval '1 day')::date as on_day
),

marked as (
    select
        days.on_day,
        extract(isodow from days.on_day) < 6 and public_holidays.holiday_on is null as is_working_day
    from days
    left join {{ ref('public_holidays') }} as public_holidays on days.on_day = public_holidays.holiday_on
),

moved as (
    select
        on_day,
        min(on_day) filter (where is_working_day) over (
            order by on_day rows between current row and 20 following
        ) as working_day
    from marked
)

select
    on_day,
    working_day
from moved
where working_day is not null
