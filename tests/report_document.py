"""A report's document made by hand: as `gather` makes one, without a database.

Belongs here: a small one with something in every part. Does not belong here: what is asserted of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention.classified import STATUSES
from retention.policy import load_versions
from retention.report.parts.concept import describe_concept
from retention.report.parts.policy import describe_policy
from retention.report.parts.processing import describe_processing
from retention.settings import load_settings

MADE_FROM = {
    "database": "warehouse",
    "as_of": "2026-01-31",
    "policy_version": "lexly-2023-01-12",
    "policy_hash": "ab" * 32,
    "is_replay": False,
    "classification_id": 7,
    "classified_at": "2026-01-31T02:00:09+01:00",
    "classified_by": "retention",
    "code_hash": "cd" * 32,
}
_TYPES = {
    **dict.fromkeys(("table",), "table"),
    **dict.fromkeys(("oldest_due_on", "as_of", "row_kept_until", "first_deadline"), "day"),
    **dict.fromkeys(("month", "until_month"), "month"),
    **dict.fromkeys(("plan_id", "record_key", "key_id", "run"), "id"),
    **dict.fromkeys(("digest", "root"), "hash"),
    **dict.fromkeys(("reconciled", "passed"), "flag"),
    **dict.fromkeys(("reason", "detail", "policy_clause", "case", "command"), "text"),
}
_CODES = {
    "category": "category",
    "status": "status",
    "rule_id": "rule",
    "disposition": "disposition",
    "waits_for": "waits_for",
    "stage": "plan_stage",
    "kind": "blocker",
    "scope": "scope",
    "state": "plan_state",
    "approval_kind": "approval_kind",
    "check": "check",
    "outcome": "check_outcome",
    "severity": "severity",
}
# In reading order, each with its title and columns.
_FIGURES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "population": (
        "population",
        "Records by table, category and status",
        ("table", "category", "status", "records", "oldest_due_on"),
    ),
    "landed": (
        "population",
        "Rows landed against records classified",
        ("table", "landed", "records", "by_status", "reconciled"),
    ),
    "overdue": (
        "overdue",
        "Overdue records by table and rule",
        (
            *("table", "rule_id", "category", "policy_clause", "disposition", "records"),
            *("oldest_due_on", "beyond_grace"),
        ),
    ),
    "left_out": (
        "overdue",
        "Overdue records left out of the latest plan, by reason",
        ("stage", "reason", "records"),
    ),
    "review": (
        "review",
        "Records under review by reason",
        ("reason", "table", "category", "records"),
    ),
    "calendar": (
        "calendar",
        "Records falling due, by month",
        ("month", "category", "records", "blocked"),
    ),
    "plans": ("purges", "Purge plans and their approvals", ("plan_id", "as_of", "state", "items")),
    "evidence": ("purges", "Rows purged against the evidence of it, by plan", ("plan_id",)),
    "blockers": (
        "blockers",
        "Holds, restrictions and locks in force",
        ("kind", "scope", "until_month", "blockers"),
    ),
    "checks": (
        "trust",
        "Checks, in their last run",
        ("as_of", "run_at", "check", "outcome", "severity", "evaluated", "failing"),
    ),
    "sample": (
        "sample",
        "A random sample to test by hand",
        ("table", "record_key", "category", "rule_id", "status", "command"),
    ),
}
_SECTIONS = {
    "population": "Population",
    "overdue": "Overdue, and why",
    "review": "Under review",
    "calendar": "What falls due",
    "purges": "Plans, approvals and purges",
    "blockers": "Holds, restrictions, locks and halts",
    "recipients": "Recipients and partners",
    "concept": "Rules as applied",
    "trust": "Controls, checks and evidence",
    "sample": "A sample to test by hand",
}

POPULATION = [
    {"table": "crm.lead", "category": "lead_partner", "status": "overdue", "records": 1200},
    {"table": "crm.lead", "category": "lead_partner", "status": "retained", "records": 3},
    {"table": "crm.lead", "category": None, "status": "locked", "records": 1},
    {"table": "crm.person", "category": "active", "status": "active", "records": 2},
    {"table": "crm.person", "category": "lead_direct", "status": "review", "records": 90},
]
LANDED = [
    {"table": "crm.lead", "landed": 1204, "records": 1204, "reconciled": True},
    {"table": "crm.person", "landed": 95, "records": 92, "reconciled": False},
    {"table": "crm.recording", "landed": 0, "records": 0, "reconciled": True},
]
OVERDUE = [
    {
        "table": "crm.lead",
        "rule_id": "R1",
        "category": "lead_partner",
        "policy_clause": "§ 6",
        "disposition": "purge",
        "records": 1200,
        "oldest_due_on": "2025-12-24",
        "beyond_grace": 17,
    }
]
LEFT_OUT = [
    {"stage": "not planned", "reason": "its table is set aside", "records": 4},
    {"stage": "skipped", "reason": "words that nobody knows", "records": 1},
]
REVIEW = [
    {
        "reason": "its own date is missing, unreadable or impossible",
        "table": table,
        "category": "lead_direct",
        "records": 45,
    }
    for table in ("crm.lead", "crm.person")
]
CALENDAR = [
    {"month": "2026-01", "category": "supporting", "records": 30, "blocked": 1},
    {"month": "2026-01", "category": "lead_partner", "records": 10, "blocked": 0},
    {"month": "2026-02", "category": None, "records": 0, "blocked": 0},
    {"month": "2026-03", "category": "accounting", "records": 20, "blocked": 0},
]
PLAN = {
    "plan_id": "0b5e1c9e-5a8e-4a57-9f0e-3f7f0a4c2f10",
    "as_of": "2026-01-31",
    "scope": "ordinary",
    "state": "executed",
    "items": 1200,
    "planned_by": "retention",
    "planned_at": "2026-01-31T02:01:00+01:00",
    "expires_on": "2026-02-07",
    "approved_by": "approver",
    "approved_at": "2026-01-31T09:00:00+01:00",
    "approval_kind": "person",
    "rejected_by": None,
    "rejected_at": None,
    "executed_at": "2026-01-31T09:05:00+01:00",
    "run_by": "retention",
    "policy_version": "lexly-2023-01-12",
    "digest": "ef" * 32,
}
EVIDENCE = {
    "plan_id": PLAN["plan_id"],
    "purged": 1199,
    "tombstones": 1199,
    "minimised": 17,
    "skipped": 1,
    "open": 0,
    "batches": 1,
    "entries": 6,
    "read_backs": 1,
    "read_back_findings": 0,
}
CHECKS = [
    {
        "as_of": "2026-01-31",
        "run_at": "2026-01-31T02:00:30+01:00",
        "check": check,
        "outcome": outcome,
        "severity": "error",
        "evaluated": 1296,
        "failing": failing,
    }
    for check, outcome, failing in (
        ("one_category_and_status", "passed", 0),
        ("nothing_overdue", "failed", 1200),
    )
]
SAMPLE = [
    {
        "table": "crm.lead",
        "record_key": "17",
        "category": "lead_partner",
        "rule_id": "R1",
        "status": "overdue",
        "command": "retention explain crm.lead '17'",
    }
]
FULL: dict[str, list[dict[str, Any]]] = {
    "population": POPULATION,
    "landed": LANDED,
    "overdue": OVERDUE,
    "left_out": LEFT_OUT,
    "review": REVIEW,
    "calendar": CALENDAR,
    "plans": [PLAN],
    "evidence": [EVIDENCE],
    "checks": CHECKS,
    "sample": SAMPLE,
    "blockers": [{"kind": "hold", "scope": "subject", "until_month": None, "blockers": 2}],
}


def document(**rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A report with the given figures' rows; the others are empty."""
    policy = load_versions(load_settings({}).policy_dir)[0]
    counted = rows.get("population", [])
    by_status = {
        status: sum(row["records"] for row in counted if row["status"] == status)
        for status in STATUSES
    }
    return {
        "kind": "retention_report",
        "format": 2,
        "made_from": MADE_FROM,
        "provenance": {
            "database": {
                "name": "warehouse",
                "system_identifier": "7412345678901234567",
                "server_version": 18,
            },
            "code_hash": "cd" * 32,
            "manifest_hash": None,
            "revision": "12" * 20,
            "ledger": {
                "origin": "sletteplikt/test",
                "size": 6,
                "root": "34" * 32,
                "checkpoint": None,
            },
            "verify": ["retention evidence verify ledger.txt --key PUBLIC_KEY --since CHECKPOINT"],
        },
        "headline": {
            "records": sum(by_status.values()),
            "tables": len({row["table"] for row in counted}),
            "by_status": by_status,
            "overdue": by_status["overdue"],
            "overdue_beyond_grace": sum(row["beyond_grace"] for row in rows.get("overdue", [])),
            "oldest_due_on": "2025-12-24" if by_status["overdue"] else None,
            "purged": 0,
            "unreconciled_tables": sum(not row["reconciled"] for row in rows.get("landed", [])),
        },
        "policy": describe_policy(policy),
        "concept": describe_concept(policy, (), {}, {}),
        "processing": describe_processing(policy, ()),
        "coverage": {
            "declared": 3,
            "landed": 3,
            "governed": 3,
            "undeclared": 0,
            "set_aside": ["crm.handover"],
            "withheld": [],
            "findings": [
                {
                    "kind": "undeclared_column",
                    "severity": "error",
                    "table": "crm.lead",
                    "column": "notes<b>",
                    "since": "2026-01-30",
                }
            ],
            "exempt": [
                {
                    "table": "crm.price",
                    "reason": "The price list of our products; no person is named or pointed to",
                    "owner": "data@example.no",
                    "review_on": "2027-01-01",
                }
            ],
            "exempt_columns": [],
        },
        "lineage": {
            "columns": [
                {
                    "table": "crm.lead",
                    "column": "email",
                    "kind": "email",
                    "reaches": [{"relation": "staging.stg_crm__lead", "columns": ["link_hash"]}],
                }
            ],
            "relations": [
                {"relation": "staging.stg_crm__lead", "layer": "staging", "rows_go": "by_name"}
            ],
            "unfollowed": [],
        },
        "sections": [
            {
                "id": section,
                "title": title,
                "figures": [name for name, (of, _, _) in _FIGURES.items() if of == section],
            }
            for section, title in _SECTIONS.items()
        ],
        "figures": {
            name: {
                "id": name,
                "title": title,
                "query": f"select 1 -- {name}",
                "parameters": {},
                "columns": [_column(column) for column in columns],
                "rows": rows.get(name, []),
            }
            for name, (_, title, columns) in _FIGURES.items()
        },
    }


def full_document() -> dict[str, Any]:
    """One with rows in every figure."""
    rows = {name: [dict(row) for row in listed] for name, listed in FULL.items()}
    for row in rows["population"]:
        row.setdefault("oldest_due_on", None)
    for row in rows["landed"]:
        row.setdefault("by_status", row["records"])
    return document(**rows)


def _column(name: str) -> dict[str, str]:
    if name in _CODES:
        return {"name": name, "type": "code", "words": _CODES[name]}
    return {"name": name, "type": "moment" if name.endswith("_at") else _TYPES.get(name, "count")}
