"""Days and instants on which mistakes gather, for generated lives.

Belongs here: hypothesis strategies of single moments. Does not belong here: what happens then
(`lives`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from dateutil.relativedelta import relativedelta
from hypothesis import strategies as st

#: The periods of the policy and of the law, and none at all.
_MONTHS = (0, 0, 6, 12, 18, 42, 60, 156, 240)
_NUDGES = (-2, -1, -1, 0, 0, 0, 1, 1, 2)
#: UTC clocks around the midnight of Oslo in winter (23:00Z) and in summer (22:00Z), and plain ones.
_CLOCKS = (
    time(12),
    time(12),
    time(8, 15),
    time(0),
    time(21, 59, 59, 999999),
    time(22),
    time(22, 30),
    time(22, 59, 59, 999999),
    time(23),
    time(23, 30),
    time(23, 59, 59, 999999),
)
_SPECIAL = tuple(
    date(year, month, day)
    for year in (2003, 2004, 2011, 2012, 2019, 2020, 2022, 2023, 2024, 2025)
    for month, day in (
        (1, 1),
        (2, 28),
        (3, 1),
        (4, 30),
        (5, 31),
        (6, 30),
        (8, 29),
        (8, 30),
        (8, 31),
        (12, 30),
        (12, 31),
    )
) + tuple(date(year, 2, 29) for year in (2004, 2012, 2016, 2020, 2024))
#: The days with 23 and with 25 hours, and their neighbours.
_CLOCK_CHANGES = tuple(
    change + timedelta(days=nudge)
    for change in (
        date(2022, 3, 27),
        date(2022, 10, 30),
        date(2023, 3, 26),
        date(2023, 10, 29),
        date(2024, 3, 31),
        date(2024, 10, 27),
    )
    for nudge in (-1, 0, 1)
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def days(as_of: date, known: Sequence[date] = ()) -> st.SearchStrategy[date]:
    """Days up to the as-of date: near borders, near known days, or special by themselves."""
    references = [as_of, *known]

    def near(reference: date, months: int, nudge: int, forward: bool) -> date:
        step = relativedelta(months=months if forward else -months)
        return min(reference + step + timedelta(days=nudge), as_of)

    borders = st.builds(
        near,
        st.sampled_from(references),
        st.sampled_from(_MONTHS),
        st.sampled_from(_NUDGES),
        st.booleans(),
    )
    special = st.sampled_from([day for day in _SPECIAL + _CLOCK_CHANGES if day <= as_of])
    recent = st.dates(min_value=as_of - timedelta(days=800), max_value=as_of)
    return st.one_of(borders, borders, borders, special, recent)


def instants(as_of: date, known: Sequence[date] = ()) -> st.SearchStrategy[datetime]:
    """Instants on such days, many of them around the midnight of Oslo."""
    return st.builds(
        lambda day, clock: datetime.combine(day, clock, UTC),
        days(as_of, known),
        st.sampled_from(_CLOCKS),
    )


def landed_instants(as_of: date, known: Sequence[date] = ()) -> st.SearchStrategy[datetime | None]:
    """Instants as they land: one in fifteen is missing, from the epoch, or still to come."""
    good = instants(as_of, known)
    future = st.builds(
        lambda ahead, clock: datetime.combine(as_of + timedelta(days=ahead), clock, UTC),
        st.sampled_from((1, 2, 400)),
        st.sampled_from(_CLOCKS),
    )
    bad = st.one_of(st.none(), st.just(EPOCH), future)
    return st.integers(0, 14).flatmap(lambda dice: bad if dice == 0 else good)
