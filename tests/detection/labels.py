"""The labelled columns: reading them, and which part each belongs to.

Belongs here: `labels.csv` as objects, and the split into a part for tuning and one held out. Does
not belong here: what a label means (docs/detection.md), and counting.
"""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("labels.csv")

# The same table of the same connector: what is learnt from one is known of the other.
_VARIANT = re.compile(r"_(snowflake|postgres|json|history)$")
_SAME_TABLE = {
    "google_analytics.event": "ga4_export.event",
    "fivetran_log.connector": "fivetran_log.connection",
    "xero.journal_cash": "xero.journal",
    "xero.journal_cash_line": "xero.journal_line",
    "xero.journal_cash_line_has_tracking_category": "xero.journal_line_has_tracking_category",
}
_EVERY = 3


@dataclass(frozen=True)
class Label:
    """What one column holds. `source` is the real files or the sample; `kind` one of
    `PERSONAL_KINDS` or `none`; `form` natural, masked or empty; `class_` identifier,
    name_or_address, other, or '' for none."""

    source: str
    schema: str
    table: str
    column: str
    kind: str
    form: str
    class_: str
    part: str

    @property
    def name(self) -> tuple[str, str, str]:
        return self.schema, self.table, self.column

    @property
    def personal(self) -> bool:
        return self.kind != "none"


@cache
def all_labels() -> tuple[Label, ...]:
    """Every labelled column, as written down."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(Label(*row) for row in list(csv.reader(file))[1:])


def family(schema: str, table: str) -> str:
    """The table that this one is, or is a variant of: variants are never on both sides of the split."""
    name = f"{schema}.{_VARIANT.sub('', table)}"
    return _SAME_TABLE.get(name, name)


def split(rows: Iterable[Sequence[str]]) -> set[str]:
    """The families held out, for rows of (source, schema, table, column, kind, form, class, …).

    Families that hold the same classes with natural values are put in the order of a hash of their
    name, and the second of every three is held out: no hand chooses, and each class is in both.
    """
    classes: dict[str, set[str]] = defaultdict(set)
    for _, schema, table, _, _, form, class_, *_ in rows:
        found = classes[family(schema, table)]
        if class_ and form == "natural":
            found.add(class_)
    alike: dict[frozenset[str], list[str]] = defaultdict(list)
    for name, found in classes.items():
        alike[frozenset(found)].append(name)
    return {
        name
        for names in alike.values()
        for place, name in enumerate(sorted(names, key=_hash))
        if place % _EVERY == 1
    }


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
