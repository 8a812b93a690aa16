"""The report of a past day made again and held against the one kept then: where it differs, and why.

Belongs here: the comparison as plain data, from the report kept, the report made again and the evidence.
Does not belong here: finding differences (`differences`), evidence (`causes`), and putting the one down to
the other (`attribution`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from retention.classified import find_classification
from retention.code_hash import code_hash
from retention.declarations import load_declarations
from retention.errors import UsageError
from retention.ledger.failures import safe_errors
from retention.report.figures.figure import plain
from retention.report.history import attribution
from retention.report.history.attribution import Account, account
from retention.report.history.causes import WORDS, Causes, Report, find_report, gather_causes
from retention.report.history.comparable import figure_hashes, part_hashes
from retention.report.history.differences import (
    NOT_REPLAYED,
    Difference,
    differing,
    is_comparable,
)
from retention.report.history.done import LEDGER_FIGURES, attribute_ledger
from retention.report.report import gather
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

Document = Mapping[str, Any]

_OF_TABLES = ("set_aside", "table_added", "table_gone", "catalogue")

# What may change a part of the report that is no figure, and the figure that a part follows.
_PART_CAUSES: Mapping[str, tuple[str, ...]] = {"policy": ("policy",)}
_OTHER_PARTS = (*_OF_TABLES, "policy", "code")
_FOLLOWS = {"concept": "applied"}


def compare(settings: Settings, as_of: date) -> dict[str, Any]:
    """Make the report of `as_of` again and hold it against the last one kept of that day.

    The answer has `agrees`, the account of each table, every difference with its causes in counts, what
    cannot be told, and `unexplained`: how much no evidence accounts for. Raises UsageError where no report
    of that day was kept, or its classification is not there (it says what makes it); as `gather` does.
    """
    with connect(settings, role=READER, read_only=True) as conn, safe_errors("comparing reports"):
        kept = find_report(conn, as_of)
        if kept is None:
            raise UsageError(
                f"no report of {as_of} was kept: a report is kept when a login with the classifier's"
                " rights makes it while its classification is in force"
            )
        classification = find_classification(conn, as_of)
        document = gather(settings, as_of)
        declarations = load_declarations(settings.declarations_dir)
        keyless = {table.qualified for table in declarations.governed if not table.key}
        whole = [
            name
            for name, then, now in (
                ("policy", kept.policy_hash, classification.policy_hash),
                ("code", kept.code_hash, code_hash(settings, declarations)),
            )
            if then != now
        ]
        causes = gather_causes(
            conn,
            kept,
            classification.suffix,
            unstamped=frozenset(keyless | _unstamped(kept)),
            tables=_changed_tables(kept, document),
            whole=tuple(whole),
        )
    return _told(kept, document, causes)


def _told(kept: Report, document: Document, causes: Causes) -> dict[str, Any]:
    is_replay = document["made_from"]["is_replay"]
    found = list(_differences(kept, document, is_replay=is_replay))
    accounts = _accounts(kept, document, causes)
    of_population = [one for one in found if one.figure_id == "population"]
    attribution.attribute_population(of_population, accounts, causes)
    of_ledger = [one for one in found if one.figure_id in LEDGER_FIGURES]
    attribute_ledger(of_ledger, causes)
    attribution.attribute_records(
        (one for one in found if one.figure_id not in {*LEDGER_FIGURES, "population"}),
        accounts,
        causes,
    )
    parts = list(_parts(kept, document, found, causes))
    unexplained = sum(one.unexplained for one in found) + sum(not part["causes"] for part in parts)
    evidenced = bool(kept.is_as_evidenced)
    return {
        "kind": "report_comparison",
        "as_of": kept.as_of.isoformat(),
        "is_replay": is_replay,
        "kept": {
            "kept_at": plain(kept.kept_at),
            "kept_by": kept.kept_by,
            "classification_id": kept.classification_id,
            "document_sha256": kept.document_sha256,
            "is_as_evidenced": evidenced,
        },
        "agrees": evidenced and not found and not parts,
        "unexplained": unexplained + (not evidenced),
        "tables": [
            {**vars(one), "because": one.because and WORDS[one.because]}
            for one in accounts.values()
            if one.then != one.now or one.purged or one.loaded or one.unaccounted
        ],
        "differences": [
            {"title": document["figures"][one.figure_id]["title"], **one.as_dict()} for one in found
        ],
        "parts": parts,
        "causes": {
            name: WORDS[name]
            for name in WORDS
            if any(name in one.causes for one in found)
            or any(name in part["causes"] for part in parts)
            or any(one.because == name for one in accounts.values())
        },
        "cannot": list(_cannot(kept, document, found, is_replay=is_replay)),
    }


def _differences(kept: Report, document: Document, *, is_replay: bool) -> Iterator[Difference]:
    for figure_id, made in document["figures"].items():
        then = (kept.figures or {}).get(figure_id)
        if then is not None and is_comparable(then, made):
            yield from differing(figure_id, then, made, is_replay=is_replay)


def _accounts(kept: Report, document: Document, causes: Causes) -> dict[str, Account]:
    """The account of every table whose records are counted in either report."""
    then = _records((kept.figures or {}).get("population", {}).get("rows", ()))
    now = _records(document["figures"]["population"]["rows"])
    if kept.figures is None:
        return {}
    return {
        table: account(table, then.get(table, 0), now.get(table, 0), causes)
        for table in sorted({*then, *now})
    }


def _records(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row["table"]] = found.get(row["table"], 0) + row["records"]
    return found


def _unstamped(kept: Report) -> set[str]:
    return {_name(mark) for mark in kept.landing if not mark["is_stamped"]}


def _changed_tables(kept: Report, document: Document) -> dict[str, str]:
    """Tables that stand apart as a whole: set aside in one of the two reports, or in one of them alone."""
    then = {_name(mark) for mark in kept.landing}
    now = {row["table"] for row in document["figures"]["landed"]["rows"]}
    aside = {*kept.parts["set_aside"]} ^ {*document["coverage"]["set_aside"]}
    return {
        **dict.fromkeys(now - then, "table_added"),
        **dict.fromkeys(then - now, "table_gone"),
        **dict.fromkeys(aside, "set_aside"),
    }


def _name(mark: Mapping[str, Any]) -> str:
    return f"{mark['source_schema']}.{mark['source_table']}"


def _parts(
    kept: Report, document: Document, found: Sequence[Difference], causes: Causes
) -> Iterator[dict[str, Any]]:
    """Parts that are no figure and are not what they were, each with what may have changed it."""
    then, now = kept.parts["others"], part_hashes(document)
    present = {*causes.whole, *causes.tables.values()} | (
        {"catalogue"} if causes.catalogue else set()
    )
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            causing = {cause for cause in _PART_CAUSES.get(name, _OTHER_PARTS) if cause in present}
            for one in found:
                if one.figure_id == _FOLLOWS.get(name):
                    causing |= one.causes.keys()
            yield {"part": name, "causes": sorted(causing)}


def _cannot(
    kept: Report, document: Document, found: Sequence[Difference], *, is_replay: bool
) -> Iterator[str]:
    """What cannot be compared, and why not."""
    told = {one.figure_id for one in found}
    then, now = kept.parts["figures"], figure_hashes(document)
    for name in sorted({*then, *now}):
        if then.get(name) == now.get(name):
            continue
        if name not in then or name not in now:
            yield f"{name}: only one of the two reports has this figure"
        elif kept.figures is None:
            yield f"{name}: differs; its counts were kept as long as reports are, now its hash alone"
        elif name not in kept.figures:
            yield f"{name}: differs; it was too large for its counts to be kept"
        elif not is_comparable(kept.figures[name], document["figures"][name]):
            yield f"{name}: it was counted in another way then"
        elif is_replay and name in NOT_REPLAYED:
            yield f"{name}: a part of it is known of the classification in force alone"
        elif name not in told:
            yield f"{name}: differs in ids or texts alone, of which none is kept"
