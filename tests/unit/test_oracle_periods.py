"""The oracle's own period arithmetic against the table of requirements §6 and its borders.

Belongs here: what must be true of the oracle before it may judge anything. No database.
Does not belong here: tests of the product's arithmetic (it is judged by the integration tests).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta

from tests.oracle.periods import (
    Period,
    accounting_last_day,
    due_on,
    is_working_day,
    last_day,
    local_date,
    next_working_day,
    parse_period,
    public_holidays,
    usable_date,
    utc_instant,
)

pytestmark = pytest.mark.unit

D = date.fromisoformat


@pytest.mark.parametrize(
    ("anchor", "months", "expected"),
    [
        pytest.param("2022-08-31", 6, "2023-02-28", id="31-august-to-short-february"),
        pytest.param("2023-08-29", 6, "2024-02-29", id="29-august-to-leap-february"),
        pytest.param("2023-08-30", 6, "2024-02-29", id="30-august-to-leap-february"),
        pytest.param("2023-08-31", 6, "2024-02-29", id="31-august-to-leap-february"),
        pytest.param("2024-02-29", 12, "2025-02-28", id="leap-day-plus-a-year"),
        pytest.param("2023-02-28", 12, "2024-02-28", id="end-of-february-stays-on-28"),
        pytest.param("2023-12-31", 6, "2024-06-30", id="new-years-eve-to-june"),
        pytest.param("2024-02-29", 48, "2028-02-29", id="leap-day-to-leap-day"),
        pytest.param("2024-02-29", 120, "2034-02-28", id="leap-day-plus-ten-years"),
        pytest.param("2023-01-15", 6, "2023-07-15", id="ordinary-day"),
        pytest.param("2023-03-30", 11, "2024-02-29", id="30-march-to-leap-february"),
    ],
)
def test_last_day_is_the_same_numbered_day_or_the_end_of_the_month(
    anchor: str, months: int, expected: str
) -> None:
    last = last_day(D(anchor), Period(months))
    assert last == D(expected)
    assert due_on(last) == D(expected) + timedelta(days=1)


@pytest.mark.parametrize(
    ("document", "period", "expected"),
    [
        pytest.param("2022-03-15", "P5Y", "2027-12-31", id="primary-5-years"),
        pytest.param("2022-03-15", "P3Y6M", "2026-06-30", id="secondary-3-years-6-months"),
        # 31.12.2028 is a Sunday, 1.1.2029 a holiday: Tuesday.
        pytest.param("2023-12-31", "P5Y", "2029-01-02", id="ends-on-a-sunday-before-new-year"),
        pytest.param("2024-01-01", "P5Y", "2029-12-31", id="first-day-of-the-next-fiscal-year"),
        # 30.6.2024 is a Sunday.
        pytest.param("2020-07-01", "P3Y6M", "2024-07-01", id="half-year-ends-on-a-sunday"),
    ],
)
def test_accounting_runs_from_the_end_of_the_fiscal_year(
    document: str, period: str, expected: str
) -> None:
    parsed = parse_period(period)
    assert parsed is not None
    assert accounting_last_day(D(document), parsed) == D(expected)


def test_the_tempting_comparison_misses_what_requirements_say_it_misses() -> None:
    """`anchor < as_of - 6 months` on the due date misses 200 of the anchors of 2000 to 2039."""
    day, missed, seen = date(2000, 1, 1), 0, 0
    while day < date(2040, 1, 1):
        as_of = due_on(last_day(day, Period(6)))
        missed += not day < as_of - relativedelta(months=6)
        seen += 1
        day += timedelta(days=1)
    assert (seen, missed) == (14_610, 200)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        pytest.param("2023-12-31T22:59:59.999999", "2023-12-31", id="winter-last-microsecond"),
        pytest.param("2023-12-31T23:00:00", "2024-01-01", id="winter-midnight-new-fiscal-year"),
        pytest.param("2023-12-31T23:30:00", "2024-01-01", id="another-fiscal-year"),
        pytest.param("2024-06-30T21:59:59", "2024-06-30", id="summer-last-second"),
        pytest.param("2024-06-30T22:00:00", "2024-07-01", id="summer-midnight"),
        pytest.param("2026-03-28T22:59:59", "2026-03-28", id="before-the-23-hour-day"),
        pytest.param("2026-03-28T23:00:00", "2026-03-29", id="start-of-the-23-hour-day"),
        pytest.param("2026-03-29T21:59:59", "2026-03-29", id="end-of-the-23-hour-day"),
        pytest.param("2026-03-29T22:00:00", "2026-03-30", id="after-the-23-hour-day"),
        pytest.param("2026-10-24T22:00:00", "2026-10-25", id="start-of-the-25-hour-day"),
        pytest.param("2026-10-25T22:59:59", "2026-10-25", id="end-of-the-25-hour-day"),
        pytest.param("2026-10-25T23:00:00", "2026-10-26", id="after-the-25-hour-day"),
        pytest.param("2024-02-28T23:30:00", "2024-02-29", id="leap-day-by-oslo-clock"),
        pytest.param("2023-02-28T23:30:00", "2023-03-01", id="no-leap-day-by-oslo-clock"),
    ],
)
def test_the_local_date_is_the_calendar_day_in_oslo(instant: str, expected: str) -> None:
    naive = datetime.fromisoformat(instant)
    assert local_date(naive.replace(tzinfo=UTC)) == D(expected)
    assert local_date(naive) == D(expected), "a timestamp without a zone is UTC"


def test_document_just_after_oslo_midnight_belongs_to_the_next_fiscal_year() -> None:
    day = local_date(datetime(2023, 12, 31, 23, 30, tzinfo=UTC))
    assert day is not None
    assert accounting_last_day(day, Period(60)) == date(2029, 12, 31)


def test_a_plain_date_is_its_own_local_day_and_no_instant() -> None:
    assert local_date(date(2024, 2, 29)) == date(2024, 2, 29)
    assert utc_instant(date(2024, 2, 29)) is None


@pytest.mark.parametrize("value", [None, "2022-02-30", "", 17, True])
def test_what_states_no_day_is_no_day(value: object) -> None:
    assert local_date(value) is None
    assert usable_date(value, date(2024, 1, 1)) is None


@pytest.mark.parametrize(
    ("value", "usable"),
    [
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), False, id="epoch"),
        pytest.param(datetime(1970, 1, 1, 22, 59, tzinfo=UTC), False, id="end-of-epoch-day"),
        pytest.param(datetime(1970, 1, 1, 23, 0, tzinfo=UTC), True, id="the-day-after"),
        pytest.param(datetime(1969, 12, 31, tzinfo=UTC), False, id="before-the-epoch"),
        pytest.param(datetime(2024, 1, 1, 22, 59, tzinfo=UTC), True, id="as-of-day-itself"),
        pytest.param(datetime(2024, 1, 1, 23, 0, tzinfo=UTC), False, id="tomorrow-in-oslo"),
    ],
)
def test_impossible_and_future_days_are_not_usable(value: datetime, usable: bool) -> None:
    assert (usable_date(value, date(2024, 1, 1)) is not None) is usable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P6M", Period(6)),
        ("P12M", Period(12)),
        ("P13Y", Period(156)),
        ("P3Y6M", Period(42)),
        ("P30D", Period(0, 30)),
        ("P2W", Period(0, 14)),
        ("P", None),
        ("6M", None),
        ("", None),
        (None, None),
        ("PT6M", None),
    ],
)
def test_periods_are_iso_8601(text: str | None, expected: Period | None) -> None:
    assert parse_period(text) == expected


def test_norwegian_holidays_of_2024() -> None:
    """Written down from the almanac of 2024."""
    assert sorted(public_holidays(2024)) == [
        date(2024, 1, 1),
        date(2024, 3, 28),
        date(2024, 3, 29),
        date(2024, 3, 31),
        date(2024, 4, 1),
        date(2024, 5, 1),
        date(2024, 5, 9),
        date(2024, 5, 17),
        date(2024, 5, 19),
        date(2024, 5, 20),
        date(2024, 12, 25),
        date(2024, 12, 26),
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param("2024-03-28", "2024-04-02", id="maundy-thursday-over-easter"),
        pytest.param("2024-05-17", "2024-05-21", id="constitution-day-then-whitsun"),
        pytest.param("2024-12-25", "2024-12-27", id="christmas"),
        pytest.param("2026-12-25", "2026-12-28", id="christmas-and-weekend"),
        pytest.param("2024-06-08", "2024-06-10", id="saturday"),
        pytest.param("2024-06-10", "2024-06-10", id="monday-stays"),
        pytest.param("2008-05-01", "2008-05-02", id="may-day-and-ascension-on-one-day"),
    ],
)
def test_minimum_periods_end_on_a_working_day(day: str, expected: str) -> None:
    assert next_working_day(D(day)) == D(expected)
    assert is_working_day(D(expected))


def test_maximum_periods_never_move_and_minimum_ones_do() -> None:
    anchor = date(2023, 12, 8)  # plus six months: Saturday 2024-06-08
    assert last_day(anchor, Period(6)) == date(2024, 6, 8)
    assert last_day(anchor, Period(6), minimum=True) == date(2024, 6, 10)
