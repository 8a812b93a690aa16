"""Period arithmetic of the oracle: local dates, last days, due dates, Norwegian holidays.

Belongs here: everything that turns an instant and a period into a date.
Does not belong here: what an anchor is, which rule applies, and any import of product code:
the oracle is worth something only because it shares nothing with what it judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

OSLO = ZoneInfo("Europe/Oslo")
ONE_DAY = timedelta(days=1)
#: A date up to and including this one is a default value of some system, not an event.
LAST_IMPOSSIBLE_DAY = date(1970, 1, 1)

_ISO_PERIOD = re.compile(r"^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$")


@dataclass(frozen=True)
class Period:
    """A retention period in whole months and days."""

    months: int = 0
    days: int = 0


def parse_period(text: str | None) -> Period | None:
    """Read an ISO 8601 period of years, months, weeks and days; None if it is no such period."""
    if text is None:
        return None
    found = _ISO_PERIOD.match(text.strip())
    if found is None or not any(found.groups()):
        return None
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    return Period(months=12 * years + months, days=7 * weeks + days)


def utc_instant(value: object) -> datetime | None:
    """Return the instant a landed value states, aware and in UTC; None if it states none.

    A timestamp without a zone is UTC (this is how the connectors write them). A plain date is
    its own local day, so it has no instant: see `local_date`.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return None


def local_date(value: object) -> date | None:
    """Return the calendar day in Oslo on which the landed value lies; None if unreadable."""
    instant = utc_instant(value)
    if instant is not None:
        # The last day of the calendar cannot move eastwards: a sentinel, whatever its clock.
        return date.max if instant.date() == date.max else instant.astimezone(OSLO).date()
    if isinstance(value, date):
        return value
    return None


def usable_date(value: object, as_of: date) -> date | None:
    """Return the local day of an event that may count on the as-of date, else None.

    Not usable: nothing, a day after the as-of date, a day up to 1970-01-01 (requirements §2).
    """
    day = local_date(value)
    if day is None or day > as_of or day <= LAST_IMPOSSIBLE_DAY:
        return None
    return day


@cache
def public_holidays(year: int) -> frozenset[date]:
    """Return the Norwegian public holidays of a year (laws of 1947-04-26 and 1995-02-24)."""
    sunday = easter(year)
    moving = (-3, -2, 0, 1, 39, 49, 50)
    fixed = ((1, 1), (5, 1), (5, 17), (12, 25), (12, 26))
    return frozenset(
        [sunday + timedelta(days=offset) for offset in moving]
        + [date(year, month, day) for month, day in fixed]
    )


def is_working_day(day: date) -> bool:
    """Return whether the day is neither Saturday, Sunday nor a Norwegian public holiday."""
    return day.weekday() < 5 and day not in public_holidays(day.year)


def next_working_day(day: date) -> date:
    """Return the day itself or the first working day after it."""
    while not is_working_day(day):
        day += ONE_DAY
    return day


def last_day(anchor: date, period: Period, *, minimum: bool = False) -> date:
    """Return the last day of a period: same-numbered day, or the last day of that month.

    A minimum period (limitation, accounting) ends on a working day; a maximum one never moves.
    """
    day = anchor + relativedelta(months=period.months) + timedelta(days=period.days)
    return next_working_day(day) if minimum else day


def fiscal_year_end(document_day: date) -> date:
    """Return the last day of the fiscal year of an accounting document."""
    return date(document_day.year, 12, 31)


def accounting_last_day(document_day: date, period: Period) -> date:
    """Return the last day of the duty to keep an accounting document (a minimum period)."""
    return last_day(fiscal_year_end(document_day), period, minimum=True)


def due_on(last: date) -> date:
    """Return the first day on which a record is due: the day after its last day."""
    return last + ONE_DAY
