"""The retention report: gathered in one transaction, written as JSON, CSV, a page and a PDF.

Belongs here: what the report consists of, and where its files go. Does not belong here: the queries
(`figures`), what is said beside them (`parts`), and how it looks (`render`).

The same database, policy and declarations give the same bytes: no clock is read here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from retention import state
from retention.applied_rule import applied_policy
from retention.classified import STATUSES, Classification, find_classification
from retention.coverage.examine import examine
from retention.declarations import load_declarations
from retention.errors import Refused, UsageError
from retention.files import replace_text
from retention.language import Language, chosen
from retention.ledger.failures import safe_errors
from retention.report import NAME
from retention.report.csv_text import as_csv
from retention.report.figures.figure import Figure, Reader, plain
from retention.report.figures.sections import ask_all
from retention.report.parts.concept import describe_concept
from retention.report.parts.coverage import describe_coverage
from retention.report.parts.lineage import copies_of, describe_lineage
from retention.report.parts.policy import describe_policy
from retention.report.parts.processing import describe_processing
from retention.report.parts.provenance import describe_provenance
from retention.report.render.files import page_path, pdf_path, write_pages
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

FORMAT = 2


@dataclass(frozen=True)
class Written:
    """Where a report went, and the document itself."""

    json_path: Path
    html_path: Path
    pdf_path: Path
    csv_folder: Path
    document: dict[str, Any]


def write_report(
    settings: Settings, as_of: date | None = None, language: Language | None = None
) -> Written:
    """Write the report of the classification in force, or of that as of a day, below `state`. The page and
    the PDF are in `language`, else in the reader's.

    Raises UsageError when nothing is classified as of that day, or under a policy that is gone;
    Refused while a classification is under way.
    """
    language = chosen(language)
    document = gather(settings, as_of)
    reports = state.make_folder(settings.state / "reports")
    folder = state.make_folder(reports / document["made_from"]["as_of"])
    if document["made_from"]["is_replay"]:
        # The day made again never takes the place of what was written on it.
        folder = state.make_folder(folder / "replay")
    csv_folder = state.make_folder(folder / "csv")
    data = folder / f"{NAME}.json"
    replace_text(data, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    for name, figure in document["figures"].items():
        replace_text(csv_folder / f"{name}.csv", as_csv(figure))
    write_pages(folder, document, language, settings.policy_dir)
    return Written(
        data, page_path(folder, language), pdf_path(folder, language), csv_folder, document
    )


def gather(settings: Settings, as_of: date | None = None) -> dict[str, Any]:
    """The report as plain data. Raises as `write_report` does."""
    with connect(settings, role=READER, read_only=True) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        classification = find_classification(conn, as_of)
        with safe_errors("writing the report"):
            return _gather(conn, settings, classification)


def _gather(
    conn: psycopg.Connection[Any], settings: Settings, classification: Classification
) -> dict[str, Any]:
    policy = applied_policy(classification, settings)
    if policy is None:
        raise UsageError(
            f"no file in {settings.policy_dir} is the policy that was applied"
            f" ({classification.policy_version}): run `retention run` with the one in force"
        )
    if not classification.suffix:
        _refuse_half_built(conn)
    declarations = load_declarations(settings.declarations_dir)
    compared = examine(conn, settings, declarations, policy, classification.as_of)
    governed = [
        table for table in declarations.governed if (table.schema_, table.name) in compared.landed
    ]
    sections = ask_all(Reader(conn, classification), policy, governed, compared.withheld)
    figures = {one.figure_id: one for section in sections for one in section.figures}
    lineage = describe_lineage(conn, settings, declarations)
    return {
        "kind": "retention_report",
        "format": FORMAT,
        "made_from": _made_from(conn, classification),
        "provenance": describe_provenance(conn, settings, declarations),
        "headline": _headline(figures),
        "policy": describe_policy(policy),
        "concept": describe_concept(policy, governed, _rules(figures), copies_of(lineage)),
        "processing": describe_processing(policy, governed),
        "coverage": describe_coverage(declarations, compared),
        "lineage": lineage,
        "sections": [section.as_dict() for section in sections],
        "figures": {name: figure.as_dict() for name, figure in figures.items()},
    }


def _rules(figures: Mapping[str, Figure]) -> dict[str, list[str]]:
    """The rules that stand behind the records of each table."""
    rules: dict[str, list[str]] = {}
    for row in figures["applied"].rows:
        listed = rules.setdefault(row["table"], [])
        if row["rule_id"] not in listed:
            listed.append(row["rule_id"])
    return rules


def _refuse_half_built(conn: psycopg.Connection[Any]) -> None:
    """Between the beginning and the end of a classification old models stand beside new ones: their
    figures would not belong together, and no reader could tell."""
    row = conn.execute(
        "select finished_at is null from ledger.classifications"
        " order by classification_id desc limit 1"
    ).fetchone()
    if row is not None and row[0]:
        raise Refused(
            "the last classification has not finished: wait for it, or run `retention run` again,"
            " then ask for the report"
        )


def _made_from(conn: psycopg.Connection[Any], classification: Classification) -> dict[str, Any]:
    """What every figure stands on: policy, database, day, and the recorded run.

    A replay of a day in the past is not recorded: it has no time.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        run = cursor.execute(
            "select classification_id, code_hash, started_by, finished_at"
            " from ledger.classifications"
            " where as_of = %s and policy_hash = %s and finished_at is not null and %s"
            " order by classification_id desc limit 1",
            (
                classification.as_of,
                classification.policy_hash,
                not classification.suffix,
            ),
        ).fetchone()
    return {
        "database": conn.info.dbname,
        "as_of": classification.as_of.isoformat(),
        "policy_version": classification.policy_version,
        "policy_hash": classification.policy_hash,
        "is_replay": bool(classification.suffix),
        "classification_id": run["classification_id"] if run else None,
        "classified_at": plain(run["finished_at"]) if run else None,
        "classified_by": run["started_by"] if run else None,
        "code_hash": run["code_hash"] if run else None,
    }


def _headline(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """The numbers that are read first; each is a sum over a figure below."""
    counted = figures["population"]
    by_status = {
        status: sum(row["records"] for row in counted.rows if row["status"] == status)
        for status in STATUSES
    }
    oldest = [row["oldest_due_on"] for row in figures["overdue"].rows]
    return {
        "records": counted.total("records"),
        "tables": len({row["table"] for row in counted.rows}),
        "by_status": by_status,
        "overdue": by_status["overdue"],
        "overdue_beyond_grace": figures["overdue"].total("beyond_grace"),
        "oldest_due_on": min(oldest, default=None),
        "purged": figures["purged"].total("records"),
        "unreconciled_tables": sum(not row["reconciled"] for row in figures["landed"].rows),
    }
