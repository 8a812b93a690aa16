"""The rows of one story and what is expected of them.

Belongs here: collecting rows and expectations, and the days they are placed around. Does not belong
here: how a person, a lead or a charge looks (`crm_rows`, `connector_rows`) and the cases themselves
(`stories`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from dateutil.relativedelta import relativedelta

from landing.sample import dates
from landing.sample.tables import TABLES_BY_NAME

#: A row's table and its key as text, as `retention.records` shows it.
Ref = tuple[str, str]
Value = str | int | float | bool | date | datetime | None

#: Categories of the policy, by the short names that the stories use.
LEAD_PARTNER = "lead_partner"
LEAD_DIRECT = "lead_direct"
NO_ADVICE = "customer_no_advice"
ASSIGNMENT = "assignment"
ACCOUNTING = "accounting"
ACTIVE = "active"
SUPPORTING = "supporting"
BUSINESS = "business_contact"
RIGHTS = "rights_request"
OWN = "own"
UNCLASSIFIED = "unclassified"

#: Rows per person and table that have a fixed id of their own.
IDS_PER_PERSON = 100


@dataclass(frozen=True)
class Told:
    """A story's rows by table, and per row its (category, status) as of the sample's date.

    `last_days` holds the last day of the period where that very day is the point. Of a row that is
    not listed the story expects nothing.
    """

    rows: Mapping[str, tuple[Mapping[str, Value], ...]]
    expected: Mapping[Ref, tuple[str, str]]
    last_days: Mapping[Ref, date]


class Scene:
    """Collects one story. `first_person` begins its block of ten person ids.

    `notice_days` are the policy's due_soon days; they matter only for rows at absolute dates.
    """

    def __init__(self, as_of: date, seed: int, first_person: int, notice_days: int) -> None:
        self.as_of = as_of
        self.first_person = first_person
        self.notice_days = notice_days
        self.random = Random(f"{seed}/story/{first_person}").random  # noqa: S311 (must repeat)
        self.synced = dates.at(as_of, "01:15")
        self._rows: dict[str, list[dict[str, Value]]] = defaultdict(list)
        self._numbers: Counter[tuple[str, int]] = Counter()
        self._expected: dict[Ref, tuple[str, str]] = {}
        self._last_days: dict[Ref, date] = {}

    def told(self) -> Told:
        """What was collected."""
        rows = {table: tuple(rows) for table, rows in self._rows.items()}
        return Told(rows, dict(self._expected), dict(self._last_days))

    def next_id(self, table: str, person_id: int | None = None) -> int:
        """The next fixed id of `table` for a person of this story."""
        person = self.first_person if person_id is None else person_id
        number = self._numbers[table, person]
        self._numbers[table, person] += 1
        if number >= IDS_PER_PERSON:
            raise ValueError(f"story person {person} has too many rows in {table}")
        return person * IDS_PER_PERSON + number

    def add(self, table: str, values: Mapping[str, Value]) -> Ref:
        """Add a row; raises KeyError for a column the table does not have."""
        shape = TABLES_BY_NAME[table]
        row: dict[str, Value] = dict(values)
        if unknown := row.keys() - set(shape.column_names):
            raise KeyError(f"{table} has no column {sorted(unknown)}")
        row.setdefault("_fivetran_synced", self.synced)
        if shape.schema == "crm":
            row.setdefault("_fivetran_deleted", False)
        self._rows[table].append(row)
        return table, key_text([row[name] for name in shape.key])

    def ago(self, *, months: int = 0, days: int = 0) -> date:
        """The date so many months, then days, before the as-of date."""
        return self.as_of - relativedelta(months=months) - timedelta(days=days)

    def expect(self, category: str, status: str, *refs: Ref) -> None:
        """State the outcome of rows."""
        for ref in refs:
            self._expected[ref] = (category, status)

    def expect_last_day(self, day: date, *refs: Ref) -> None:
        """State the very day that the period of these rows ends on."""
        for ref in refs:
            self._last_days[ref] = day

    def expect_from(self, category: str, day: date, *refs: Ref) -> None:
        """State the last day, and with it the status that follows as of the sample's date."""
        self.expect(category, self.status_of(day), *refs)
        self.expect_last_day(day, *refs)

    def status_of(self, last_day: date) -> str:
        """overdue from the day after `last_day`, due_soon so many days before that."""
        due_on = last_day + dates.ONE_DAY
        if self.as_of >= due_on:
            return "overdue"
        return "due_soon" if self.as_of >= due_on - timedelta(self.notice_days) else "retained"


def key_text(values: list[Value]) -> str:
    """A key as `record_key` shows it: one value as text, several as a JSON array of strings."""
    texts = [
        f"{value:%Y-%m-%dT%H:%M:%S.%f}Z" if isinstance(value, datetime) else str(value)
        for value in values
    ]
    return texts[0] if len(texts) == 1 else "[" + ",".join(f'"{text}"' for text in texts) + "]"
