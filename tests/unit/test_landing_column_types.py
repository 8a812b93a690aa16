"""Which type a column gets: only one that every value reads as, else text and a reason."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landing.column_types import ColumnReading, KeptAsText, form_of, mask

pytestmark = pytest.mark.unit


def _decide(values: list[str | None], name: str = "col") -> tuple[str, KeptAsText | None]:
    reading = ColumnReading(name)
    for value in values:
        reading.add(value)
    return reading.decide()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(["1", "-2", "0", None], "bigint", id="whole numbers"),
        pytest.param(["999999999999999999"], "bigint", id="18 digits"),
        pytest.param(["1", "2.50", "-0.01"], "numeric", id="decimals"),
        pytest.param(["true", "FALSE", "True"], "boolean", id="booleans"),
        pytest.param(["2022-02-28", "2024-02-29"], "date", id="dates"),
        pytest.param([None, None], "text", id="only nulls"),
        pytest.param([], "text", id="no rows"),
        pytest.param(["t", "f"], "text", id="letters are no booleans"),
        pytest.param(["2022-01", "2022-02"], "text", id="months are no dates"),
        pytest.param(["68.1.21.55"], "text", id="addresses are no numbers"),
    ],
)
def test_a_type_is_given_where_every_value_reads_as_it(
    values: list[str | None], expected: str
) -> None:
    assert _decide(values) == (expected, None)


@pytest.mark.parametrize(
    "value",
    [
        "2022-12-06 14:19:07",
        "2022-12-06T14:19:07",
        "2022-09-01 6:12:13",
        "2022-09-01 06:12",
        "2021-06-30 10:04:03.000",
        "2022-09-19 05:50:07.000000",
        "2022-09-19 05:50:07.000000000",
        "2023-04-26 23:59:59.000000 UTC",
        "2020-04-26 14:45:34 UTC",
        "2022-03-30T10:46:11.937Z",
        "2022-02-15 09:45:30+00",
        "2022-02-15 09:45:30.707316+0200",
        "2022-02-15T09:45:30-05:30",
        "2022-02-15 09:45:30 +00:00",
        "9999-12-31 23:59:59.999 UTC",
    ],
)
def test_a_time_is_read_in_many_shapes(value: str) -> None:
    assert _decide([value]) == ("timestamptz", None)


@pytest.mark.parametrize(
    ("values", "reason", "count", "shape"),
    [
        pytest.param(
            ["2022-02-28 10:00:00 UTC", "2022-02-30 10:00:00 UTC", "2022-03-01 10:00:00 UTC"],
            "unreadable",
            1,
            "dddd-dd-dd dd:dd:dd a",
            id="a day that is none",
        ),
        pytest.param(
            ["2022-02-28 24:00:00", "2022-02-28 10:00:00"],
            "unreadable",
            1,
            "dddd-dd-dd dd:dd:dd",
            id="an hour that is none",
        ),
        pytest.param(
            ["2022-02-28 10:00:00.1234567", "2022-02-28 10:00:00"],
            "unreadable",
            1,
            "dddd-dd-dd dd:dd:dd.ddddddd",
            id="finer than microseconds",
        ),
        pytest.param(["01/02/2022", "03/04/2022"], "ambiguous", 2, "dd/dd/dddd", id="day or month"),
        pytest.param(
            ["2022-01-01", "2022-01-02", "01.02.2022"],
            "ambiguous",
            1,
            "dd.dd.dddd",
            id="one of another order",
        ),
        pytest.param(
            ["2022-01-01 10:00:00 CET", "2022-01-01 10:00:00 UTC"],
            "unreadable",
            1,
            "dddd-dd-dd dd:dd:dd a",
            id="a zone that is no offset",
        ),
        pytest.param(
            ["2022-01-01 10:00:00Z", "2022-01-01 10:00:00Z", "2022-01-01 10:00:00"],
            "mixed",
            1,
            "dddd-dd-dd dd:dd:dd",
            id="some without an offset",
        ),
        pytest.param(
            ["2022-01-01", "2022-01-01", "2022-01-01 10:00:00"],
            "mixed",
            1,
            "dddd-dd-dd dd:dd:dd",
            id="dates and times",
        ),
        pytest.param(["12", "0900", "13"], "identifier", 1, "dddd", id="a leading zero"),
        pytest.param(["+4791234567"], "identifier", 1, "+dddddddddd", id="a phone number"),
        pytest.param(["1" * 19, "1"], "identifier", 1, "d" * 19, id="19 digits"),
        pytest.param(["0.01", "0.05", "$0.07"], "unreadable", 1, "?d.dd", id="a currency sign"),
        pytest.param(["1,5", "2,5"], "unreadable", 2, "d,d", id="a decimal comma"),
        pytest.param(["1e5", "2"], "unreadable", 1, "dad", id="an exponent"),
        pytest.param(["-0", "1"], "unreadable", 1, "-d", id="a negative zero"),
        pytest.param(["1", "2", "unknown"], "unreadable", 1, "a", id="a word among numbers"),
        pytest.param(["1", "2", ""], "empty text", 1, "", id="an empty text is not null"),
    ],
)
def test_what_is_in_doubt_stays_text_and_is_reported(
    values: list[str], reason: str, count: int, shape: str
) -> None:
    column_type, kept = _decide(list(values))
    assert column_type == "text"
    assert kept is not None
    assert (kept.reason, kept.values, kept.of, kept.mask) == (reason, count, len(values), shape)


def test_words_are_text_without_a_report() -> None:
    assert _decide(["Kari", "Ola", "12"]) == ("text", None)


@pytest.mark.parametrize("name", ["from", "to", "phone_number", "billing_postal_code", "last_4"])
def test_digits_under_the_name_of_an_identifier_are_no_quantity(name: str) -> None:
    column_type, kept = _decide(["15555555555", "15555555556"], name)
    assert column_type == "text"
    assert kept is not None
    assert kept.reason == "identifier"


@given(st.text())
def test_a_mask_shows_the_form_and_nothing_else(value: str) -> None:
    assert re.fullmatch(r"[ad:/.,+? -]{0,40}", mask(value))


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 6))
def test_a_number_that_gets_a_type_comes_back_as_the_same_text(number: int, places: int) -> None:
    value = str(number) if places == 0 else f"{number}.{'0' * places}"
    assert form_of(value) == ("numeric" if places else "bigint")


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day: date) -> None:
    assert form_of(day.isoformat()) == "date"


_OFFSETS = st.integers(-14 * 60 + 1, 14 * 60 - 1).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.datetimes(timezones=st.just(UTC) | _OFFSETS), st.sampled_from("T "))
def test_every_moment_with_an_offset_is_read(moment: datetime, separator: str) -> None:
    assert form_of(moment.isoformat(separator)) == "zoned"


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99))
def test_a_day_is_read_exactly_if_the_calendar_has_it(year: int, month: int, day: int) -> None:
    try:
        date(year, month, day)
        expected = "date"
    except ValueError:
        expected = "odd_time"
    assert form_of(f"{year:04}-{month:02}-{day:02}") == expected
