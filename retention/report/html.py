"""The report as one page: a function of the report's plain data, and of nothing else.

Belongs here: arranging rows for the eye, words for codes, and rendering. Does not belong here: any
number that is not in the data already, and the page's marks and colours (report.html.j2,
report.css).

The page asks nothing of the outside, runs no script, and prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retention.classified import CATEGORIES, STATUSES
from retention.explanation import blocker_words

TEMPLATE = "report.html.j2"

# Between groups of three: narrow, and never a line's end.
_NARROW_SPACE = "\u202f"
_LONG_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTHS = tuple(name[:3] for name in _LONG_MONTHS)

STATUS_WORDS = {
    "held": "Held",
    "restricted": "Restricted",
    "locked": "Locked",
    "review": "Review",
    "overdue": "Overdue",
    "due_soon": "Due soon",
    "retained": "Retained",
    "active": "Active",
}

STATUS_MEANINGS = {
    "held": "legal hold, or a rights request pending",
    "restricted": "only stored (GDPR art. 18)",
    "locked": "erasure refused by law until an end date (§ 8)",
    "review": "a person must decide",
    "overdue": "past its last day",
    "due_soon": "within the notice days",
    "retained": "a clock runs",
    "active": "no clock runs",
}

FINDING_WORDS = {
    "undeclared_schema": "Schema of which nothing is declared",
    "undeclared_table": "Table neither declared nor exempt",
    "undeclared_view": "View neither declared nor exempt",
    "undeclared_materialized_view": "Materialized view neither declared nor exempt",
    "undeclared_foreign_table": "Foreign table neither declared nor exempt",
    "undeclared_column": "Column neither declared nor harmless",
    "missing_table": "Declared table is missing",
    "missing_column": "Declared column is missing",
    "type_changed": "Column may read otherwise, for its type changed",
    "type_differs": "Column has another type than declared, which changes nothing",
    "column_not_nullable": "Column to be minimised cannot become null",
    "partition_differs": "Part of a table differs from it",
    "exemption_past_date": "Exemption past its date",
    "harmless_seems_personal": "Declared harmless, seems to hold personal data",
    "copy_untraceable": "May hold copies that no key leads to",
    "stale_build": "Left of a build that is over",
    "undeclared_model": "Model with personal data that nobody declared",
    "model_exemption_past_date": "Exemption of a model past its date",
}


def render(document: Mapping[str, Any]) -> str:
    """The page for a report gathered by `report.gather`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number,
        day=day,
        long_day=long_day,
        moment=moment,
        stamp=stamp,
        blocker=blocker_words,
        month=month,
        words=words,
        short=short,
    )
    figures = document["figures"]
    return environment.get_template(TEMPLATE).render(
        report=document,
        made_from=document["made_from"],
        headline=document["headline"],
        policy=document["policy"],
        coverage=document["coverage"],
        figures=figures,
        statuses=STATUSES,
        status_words=STATUS_WORDS,
        status_meanings=STATUS_MEANINGS,
        finding_words=FINDING_WORDS,
        tables=by_table(figures["population"]["rows"], figures["landed"]["rows"]),
        categories=by_category(figures["population"]["rows"]),
        months=by_month(figures["calendar"]["rows"]),
        calendar_categories=_present(figures["calendar"]["rows"]),
        plans=_with_evidence(figures["plans"]["rows"], figures["evidence"]["rows"]),
        query_numbers={name: place for place, name in enumerate(figures, start=1)},
    )


def by_table(
    population: Sequence[Mapping[str, Any]], landed: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Each table with a line per category: records per status, beside the rows landed."""
    tables = []
    for one in landed:
        lines = [row for row in population if row["table"] == one["table"]]
        tables.append(
            {
                "table": one["table"],
                "landed": one["landed"],
                "records": one["records"],
                "reconciled": one["reconciled"],
                "lines": _lines(lines),
            }
        )
    return tables


def by_category(population: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A line per category over all tables, those without a record left out."""
    return _lines(population)


def by_month(calendar: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A line per month with its parts by category, and each part's share of the fullest month."""
    months: dict[str, list[Mapping[str, Any]]] = {}
    for row in calendar:
        months.setdefault(row["month"], []).append(row)
    fullest = max((sum(row["records"] for row in rows) for rows in months.values()), default=0)
    return [
        {
            "month": name,
            "records": sum(row["records"] for row in rows),
            "blocked": sum(row["blocked"] for row in rows),
            "parts": [
                {
                    "category": row["category"],
                    "records": row["records"],
                    "percent": round(100 * row["records"] / fullest, 2) if fullest else 0,
                }
                for row in sorted(rows, key=_category_order)
                if row["records"]
            ],
        }
        for name, rows in months.items()
    ]


def _lines(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of category, status and records as one line per category, in the policy's order."""
    found: dict[str | None, dict[str, Any]] = {}
    for row in sorted(rows, key=_category_order):
        line = found.setdefault(
            row["category"],
            {"category": row["category"], "counts": dict.fromkeys(STATUSES, 0), "records": 0},
        )
        line["counts"][row["status"]] += row["records"]
        line["records"] += row["records"]
    return list(found.values())


def _present(calendar: Sequence[Mapping[str, Any]]) -> list[str]:
    names = {row["category"] for row in calendar if row["category"]}
    return [name for name in CATEGORIES if name in names]


def _with_evidence(
    plans: Sequence[Mapping[str, Any]], evidence: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    found = {row["plan_id"]: row for row in evidence}
    return [{**plan, "evidence": found.get(plan["plan_id"])} for plan in plans]


def _category_order(row: Mapping[str, Any]) -> int:
    # A locked record tells no category; it stands last.
    name = row["category"]
    return CATEGORIES.index(name) if name in CATEGORIES else len(CATEGORIES)


def number(value: int | None) -> str:
    """12345 as '12 345'."""
    return "" if value is None else f"{value:,}".replace(",", _NARROW_SPACE)


def day(value: str | None) -> str:
    """'2026-11-03' as '3 Nov 2026'."""
    if not value:
        return ""
    found = date.fromisoformat(value[:10])
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}".replace(" ", "\u00a0")


def long_day(value: str) -> str:
    """'2026-11-03' as '3 November 2026'."""
    found = date.fromisoformat(value)
    return f"{found.day} {_LONG_MONTHS[found.month - 1]} {found.year}"


def moment(value: str | None) -> str:
    """An instant with its offset, to the second."""
    if not value:
        return ""
    found = datetime.fromisoformat(value)
    offset = found.strftime("%z")
    return f"{day(value)} {found:%H:%M:%S} (UTC{offset[:3]}:{offset[3:]})".replace(" ", "\u00a0")


def stamp(value: str | None) -> str:
    """An instant without its offset, which a line of the page tells; may break before the time."""
    if not value:
        return ""
    return f"{day(value)} {datetime.fromisoformat(value):%H:%M:%S}"


def month(value: str) -> str:
    """'2026-11' as 'Nov 2026'."""
    year, number_of_month = value.split("-")
    return f"{_MONTHS[int(number_of_month) - 1]}\u00a0{year}"


def words(code: str | None) -> str:
    """'lead_partner' as 'lead partner'."""
    return "" if code is None else code.replace("_", " ")


def short(value: str | None) -> str:
    """The first half of a hash or token that a reader compares by eye."""
    return "" if value is None else value[:12]
