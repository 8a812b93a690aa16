"""Retention periods as the policy writes them: ISO 8601 durations of whole days and longer.

Belongs here: reading a duration and saying it in words. Does not belong here: adding one to a date;
that arithmetic (requirements § 6) is done once, in SQL.
"""

import re
from dataclasses import dataclass

PERIOD_PATTERN = r"^P(?=[0-9])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+W)?(?:[0-9]+D)?$"

_PARTS = re.compile(r"P(?=[0-9])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?")
_MOST_MONTHS = 100 * 12


@dataclass(frozen=True)
class Period:
    """Calendar months, then days: the two units that a date can be moved by without a clock."""

    months: int
    days: int

    @property
    def words(self) -> str:
        """The period in English: '6 months', '12 months', '3 years 6 months'."""
        counted = zip(self._counted, ("year", "month", "day"), strict=True)
        return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in counted if n)

    @property
    def norwegian(self) -> str:
        """The same in bokmål: '6 måneder', '12 måneder', '3 år og 6 måneder'."""
        units = (("år", "år"), ("måned", "måneder"), ("dag", "dager"))
        counted = zip(self._counted, units, strict=True)
        return " og ".join(f"{n} {one if n == 1 else many}" for n, (one, many) in counted if n)

    @property
    def _counted(self) -> tuple[int, int, int]:
        # Below two years people, and § 6, speak of months.
        years, months = divmod(self.months, 12) if self.months >= 24 else (0, self.months)
        return years, months, self.days


def parse_period(text: str) -> Period:
    """The period that `text` writes as an ISO 8601 duration, such as P3Y6M or P30D.

    Raises ValueError, in words for the person who wrote it, for anything else, for a time of day
    (periods are whole days), for no time at all and for more than a hundred years.
    """
    match = _PARTS.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is no period: write an ISO 8601 duration of whole days, such as P6M or P3Y6M"
        )
    years, months, weeks, days = (int(number or 0) for number in match.groups())
    period = Period(months=12 * years + months, days=7 * weeks + days)
    if period == Period(0, 0):
        raise ValueError(f"{text!r} is no period: it lasts no time")
    if period.months > _MOST_MONTHS or period.days > _MOST_MONTHS * 31:
        raise ValueError(f"{text!r} is no period: it lasts more than a hundred years")
    return period
