"""Periods as the policy writes them."""

import pytest

from retention.policy import Period, parse_period

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "months", "days"),
    [
        ("P6M", 6, 0),
        ("P12M", 12, 0),
        ("P1Y", 12, 0),
        ("P3Y6M", 42, 0),
        ("P30D", 0, 30),
        ("P2W", 0, 14),
        ("P1Y2M3W4D", 14, 25),
        ("P100Y", 1200, 0),
    ],
)
def test_a_period_is_months_and_days(text: str, months: int, days: int) -> None:
    assert parse_period(text) == Period(months, days)


@pytest.mark.parametrize(
    "text",
    ["", "P", "6M", "p6m", "P6", "P6X", "P-6M", "P6M3Y", "P0M", "P1.5Y", "PT6M", "P1DT2H", " P6M",
     "P6M\n", "P101Y", "P40000D", "P٦M", "six months"],
)  # fmt: skip
def test_anything_else_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="is no period"):
        parse_period(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("P6M", "6 months"),
        ("P12M", "12 months"),
        ("P1Y", "12 months"),
        ("P24M", "2 years"),
        ("P3Y6M", "3 years 6 months"),
        ("P1M", "1 month"),
        ("P1D", "1 day"),
        ("P2M10D", "2 months 10 days"),
    ],
)
def test_a_period_is_said_in_words(text: str, words: str) -> None:
    assert parse_period(text).words == words
