"""Which difference has which cause, in numbers: what no evidence accounts for is unexplained.

Belongs here: the account of each table, and putting each difference down to causes as far as their counts
go. Does not belong here: the evidence itself (`causes`), and figures about what was done (`done`).

The population is held to account strictly. Per table: then - purged + loaded = now, `loaded` being bounded
by the rows that bear a later time of loading. Per category and status: what is more than then must be
records that were touched and stand there; what is less must have gone, or be one of those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retention.classified import STATUSES
from retention.report.history.causes import WORDS, Causes
from retention.report.history.differences import Difference

#: Figures about records.
RECORD_FIGURES = frozenset(
    {
        *(
            "population",
            "landed",
            "movements",
            "overdue",
            "overdue_because",
            "minimisable",
            "review",
        ),
        *("review_deadlines", "calendar", "blocked", "purged", "minimised", "returned", "consents"),
        *("applied", "sample"),
    }
)

# Records drawn at random: where one is gone or stands elsewhere, another is drawn.
_DRAWN = "sample"

# Columns that only grow: more of them means that more was done.
_DONE = {"purged": "purged", "purged_again": "purged", "minimised": "minimised"}


@dataclass(frozen=True)
class Account:
    """One table: then - purged + loaded + unaccounted = now. `because` where the whole table is explained
    by itself, or nothing can be told of it."""

    table: str
    then: int
    purged: int
    loaded: int
    unaccounted: int
    now: int
    because: str | None = None


def account(table: str, then: int, now: int, causes: Causes) -> Account:
    """What became of the records of a table, by the evidence."""
    if table in causes.tables:
        return Account(table, then, 0, 0, 0, now, causes.tables[table])
    purged = causes.purged.get(table, 0)
    came = now - then + purged
    if came < 0:
        # Rows that were there, are not now, and that nobody says to have removed.
        return Account(table, then, purged, 0, came, now)
    if table in causes.unstamped:
        return Account(table, then, purged, came, 0, now, "unstamped" if came else None)
    # What was loaded since may have been purged since, too.
    most = sum(
        one.records for one in causes.touched if one.table == table and one.cause == "loaded"
    )
    beyond = max(came - most - purged, 0)
    return Account(table, then, purged, came - beyond, beyond, now)


def attribute_population(
    differences: Sequence[Difference], accounts: Mapping[str, Account], causes: Causes
) -> None:
    """Put the differences of the population down to causes, table by table."""
    for table, found in _by_table(differences).items():
        _attribute_table(found, accounts[table], causes)


def _attribute_table(found: Sequence[Difference], told: Account, causes: Causes) -> None:
    if told.because in ("set_aside", "table_added", "table_gone"):
        for one in found:
            one.causes[told.because] = abs(one.changes.get("records", 0))
        return
    more = [one for one in found if one.changes.get("records", 0) > 0]
    less = [one for one in found if one.changes.get("records", 0) < 0]
    loaded = sum(
        one.records for one in causes.touched if one.table == told.table and one.cause == "loaded"
    )
    # Of what was purged since, some may have been loaded since as well: it was not there then.
    gone = told.purged - (max(told.loaded - loaded, 0) if told.because is None else 0)
    # Another policy or other models move records, and make none.
    whole = Counter(dict.fromkeys(causes.whole[:1], max(-_total(less) - gone, 0)))
    for one in more:
        available = _touched(causes, one.row)
        if told.table in causes.unstamped:
            available["unstamped"] = one.changes["records"]
        spend(one, one.changes["records"], available + whole)
        whole.subtract({cause: one.causes.get(cause, 0) for cause in whole})
    # A record that stands elsewhere now has left where it stood; those that are new have left nothing.
    moved = Counter[str]()
    for one in more:
        moved.update(one.causes)
    new = told.loaded - (told.purged - gone)
    for cause in ("loaded", "unstamped"):
        taken = min(new, moved[cause])
        moved[cause] -= taken
        new -= taken
    pool = Counter({"purged": gone}) + moved
    for one in sorted(less, key=lambda one: _STATUS_ORDER.get(one.row.get("status"), 0)):
        spend(one, -one.changes["records"], pool)
        pool.subtract(one.causes)
    for one in found:
        if one not in more and one not in less:
            _unless_nothing(one, causes, Counter())


# What was overdue is purged first.
_STATUS_ORDER: Mapping[Any, int] = {
    name: place
    for place, name in enumerate(("overdue", *(name for name in STATUSES if name != "overdue")))
}


def attribute_records(
    differences: Iterable[Difference], accounts: Mapping[str, Account], causes: Causes
) -> None:
    """Put the differences of any other figure about records down to causes."""
    of_tables = Counter[str]()
    for told in accounts.values():
        if told.table in causes.tables:
            of_tables[causes.tables[told.table]] += abs(told.now - told.then)
        elif told.because == "unstamped":
            of_tables["unstamped"] += told.loaded
    for one in differences:
        if apart := causes.tables.get(one.table or ""):
            one.causes[apart] = max(map(abs, one.changes.values()), default=0)
            continue
        counts = one.changes if one.figure_id != _DRAWN else {}
        for column, change in counts.items():
            available = _available(one, column, change, causes)
            spend(one, abs(change), available if one.table else available + of_tables)
        if not counts:
            _unless_nothing(one, causes, of_tables if one.table is None else Counter())


def _available(one: Difference, column: str, change: int, causes: Causes) -> Counter[str]:
    """What may have changed one count of a row by that much, and how far each can account for it."""
    done = _DONE.get(column) or _DONE.get(one.figure_id)
    if done:
        of_all = causes.purged if done == "purged" else causes.minimised
        if change > 0:
            return Counter({done: _of_table(of_all, one.table)})
        return Counter({"forgotten": -change if causes.forgotten else 0})
    if change > 0:
        found = _touched(causes, one.row)
    else:
        found = _touched(causes, {"table": one.table} if one.table else {})
        found["purged"] = _of_table(causes.purged, one.table)
    found["minimised"] = _of_table(causes.minimised, one.table)
    found.update(dict.fromkeys(causes.whole[:1], abs(change)))
    if one.table in causes.unstamped:
        found["unstamped"] = abs(change)
    return found


def _touched(causes: Causes, row: Mapping[str, Any]) -> Counter[str]:
    """Records touched since that stand where the row counts, by cause."""
    found = Counter[str]()
    for one in causes.touched:
        if all(
            getattr(one, name) == row[name]
            for name in ("table", "category", "status")
            if name in row
        ):
            found[one.cause] += one.records
    return found


def _of_table(counts: Mapping[str, int], table: str | None) -> int:
    return sum(counts.values()) if table is None else counts.get(table, 0)


def spend(one: Difference, amount: int, available: Counter[str]) -> None:
    """Put `amount` down to what is available, in the order of WORDS. What remains is unexplained."""
    for cause in WORDS:
        taken = min(amount, max(available[cause], 0))
        if taken:
            one.causes[cause] = max(one.causes.get(cause, 0), taken)
            amount -= taken
    one.unexplained = max(one.unexplained, amount)


def _total(differences: Iterable[Difference]) -> int:
    return sum(one.changes["records"] for one in differences)


def _unless_nothing(one: Difference, causes: Causes, of_tables: Counter[str]) -> None:
    """A row whose counts are the same and whose days are not: any record of it may be another."""
    found = of_tables + _touched(causes, {"table": one.table} if one.table else {})
    found["purged"] = _of_table(causes.purged, one.table)
    found["minimised"] = _of_table(causes.minimised, one.table)
    present = [cause for cause in WORDS if found.get(cause)] + list(causes.whole)
    if one.table in causes.unstamped:
        present.append("unstamped")
    for cause in present:
        one.causes[cause] = found.get(cause, 0)
    one.unexplained = 0 if present else 1


def _by_table(differences: Iterable[Difference]) -> dict[str, list[Difference]]:
    found: dict[str, list[Difference]] = {}
    for one in differences:
        found.setdefault(str(one.table), []).append(one)
    return found
