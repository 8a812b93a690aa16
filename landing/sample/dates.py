"""Placing events around the as-of date.

Belongs here: local time, and finding the anchor whose period ends on a wanted day. Does not
belong here: the periods in force. The months written in the stories are what each story is about
(half a year of a partner lead, 13 years of advice); classification reads the policy file and
never this package.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
from dateutil.relativedelta import relativedelta

from retention.errors import UsageError

OSLO = ZoneInfo("Europe/Oslo")
ONE_DAY = timedelta(days=1)


def today() -> date:
    """Today's date in Oslo."""
    return datetime.now(OSLO).date()


def parse_date(text: str) -> date:
    """The date of `YYYY-MM-DD`. Raises UsageError for anything else."""
    try:
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"as-of date {text!r} is no date: write YYYY-MM-DD")


def at(day: date, clock: str = "12:00") -> datetime:
    """The instant of a local clock time on `day`, in UTC."""
    return datetime.combine(day, time.fromisoformat(clock), OSLO).astimezone(UTC)


def at_utc(day: date, clock: str) -> datetime:
    """The instant of a UTC clock time on the UTC date `day`."""
    return datetime.combine(day, time.fromisoformat(clock), UTC)


def local_date(moment: datetime) -> date:
    """The date in Oslo at `moment`."""
    return moment.astimezone(OSLO).date()


def last_day(anchor: date, months: int, *, minimum: bool = False) -> date:
    """The day a period ends on: same-numbered, clamped; a minimum ends on a working day."""
    day = anchor + relativedelta(months=months)
    return next_working_day(day) if minimum else day


def next_working_day(day: date) -> date:
    """`day` or the first day after it that is no Saturday, Sunday or Norwegian holiday."""
    while day.weekday() >= 5 or day in _public_holidays(day.year):
        day += ONE_DAY
    return day


def newest_overdue_anchor(as_of: date, months: int, *, minimum: bool = False) -> date:
    """The latest anchor whose period ended before `as_of`; the day after it is not yet due."""
    anchor = as_of - relativedelta(months=months) + timedelta(days=10)
    while last_day(anchor, months, minimum=minimum) >= as_of:
        anchor -= ONE_DAY
    return anchor


def clock_change(as_of: date, month: int) -> date:
    """The latest last Sunday of `month` (March or October) at least 30 days before `as_of`."""
    for year in range(as_of.year, as_of.year - 3, -1):
        day = date(year, month, 31)
        day -= timedelta(days=(day.weekday() + 1) % 7)
        if day <= as_of - timedelta(days=30):
            return day
    raise AssertionError("every three years hold a last Sunday of each month")


@cache
def _public_holidays(year: int) -> frozenset[date]:
    # The shops' Sundays are left out: the weekday test covers them.
    return frozenset(holidays.country_holidays("NO", years=year))
