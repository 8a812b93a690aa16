"""Trying a policy: from its file to what it would change, as a plain document.

Belongs here: what must hold before, the order of the steps, the document (`what_if.schema.json`). Does not
belong here: the scratch schemas (`retention.scratch`), the SQL of the comparison (`compare`).

Nothing in force is touched: not the ledger, not the seeds, not dbt's files, not a record.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retention import scratch
from retention.classified import Classification, find_classification
from retention.classify import check_references, today
from retention.code_hash import code_hash
from retention.declarations import Declarations, load_declarations
from retention.errors import Refused
from retention.ledger import classifications
from retention.ledger.failures import safe_errors
from retention.lineage import find_lineage
from retention.plan.tables import plan_tables
from retention.policy import Policy, in_force, load_policy, load_versions
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER, READER
from retention.what_if import compare
from retention.what_if.differences import differences
from retention.what_if.project import SELECTION, reuse, write_project

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Standing:
    """What is in force: the policy and the classification that was made by it."""

    policy: Policy
    classification: Classification
    classification_id: int


def what_if(settings: Settings, path: Path, *, examples: int = 3, ahead: int = 1) -> dict[str, Any]:
    """What would change if the policy in `path` were in force today; `examples` keys of each group.
    The purge that it tells of is one in `ahead` days.

    Raises UsageError where the file is no valid policy, does not fit the declarations, or nothing is
    classified; Refused where the classification in force is not of today, of other code or of another
    policy than the one in force, while one is going, or where one begins before this has ended.
    """
    policy = load_policy(path.resolve())
    declarations = load_declarations(settings.declarations_dir)
    check_references(policy, declarations)
    day = today()
    standing = _standing(settings, declarations, day)
    project = partial(write_project, settings.dbt_dir, policy)
    with (
        scratch.trial(settings, day, project) as (trial, suffix),
        safe_errors("trying a policy"),
        ThreadPoolExecutor(1) as beside,
    ):
        # What a purge would take now depends on nothing that is tried: it is counted while dbt builds.
        now = beside.submit(_purge, settings, declarations, standing.policy, "", ahead)
        with connect(settings, role=CLASSIFIER) as conn:
            reuse(conn, settings.dbt_dir, suffix)
        scratch.build(trial, day, suffix, SELECTION, "the what-if")
        after = beside.submit(_purge, settings, declarations, policy, suffix, ahead)
        with connect(settings, role=CLASSIFIER) as conn:
            compare.compare(conn, suffix)
            document = {
                "as_of": day,
                "before": _named(standing.policy),
                "after": _named(policy),
                "differences": [asdict(one) for one in differences(standing.policy, policy)],
                "summary": compare.summary(conn, suffix),
                "groups": [asdict(one) for one in compare.groups(conn, suffix, examples)],
                "needs_review": [asdict(one) for one in compare.needs_review(conn, suffix)],
                "purge": {
                    "on": day + timedelta(days=ahead),
                    "before": now.result(),
                    "after": after.result(),
                },
            }
            if _last_begun(conn) != standing.classification_id:
                raise Refused("a run began meanwhile: wait until it has ended, then try again")
    return document


def _standing(settings: Settings, declarations: Declarations, day: date) -> Standing:
    code = code_hash(settings, declarations)
    with (
        connect(settings, role=CLASSIFIER, read_only=True) as conn,
        safe_errors("looking at what is in force"),
    ):
        classification = find_classification(conn)
        if objection := classifications.objection(conn, code):
            raise Refused(objection)
        policy = in_force(load_versions(settings.policy_dir), day)
        if policy.hash != classification.policy_hash:
            raise Refused(
                "the policy in force changed since the records were classified: run `retention run` first"
            )
        return Standing(policy, classification, _last_begun(conn))


def _last_begun(conn: Connection) -> int:
    row = conn.execute("select max(classification_id) from ledger.classifications").fetchone()
    assert row is not None
    return int(row[0])


def _purge(
    settings: Settings, declarations: Declarations, policy: Policy, suffix: str, ahead: int
) -> dict[str, Any]:
    """What a purge in `ahead` days would take, by the text that freezes plans; see `ledger.purge_if`."""
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("looking at what a purge would take"),
    ):
        tables = plan_tables(
            conn,
            declarations,
            planning=True,
            lineage=find_lineage(conn, settings, declarations),
            coverage=policy.coverage,
        )
        described = Jsonb([table.as_json() for table in tables])
        row = conn.execute(
            "select ledger.purge_if(%s, %s, %s)", (described, suffix, ahead)
        ).fetchone()
    assert row is not None
    counted: dict[str, Any] = row[0]
    needs_a_person = counted["records"] - counted["left_to_a_job"]
    return {**counted, "needs_a_person": needs_a_person}


def _named(policy: Policy) -> dict[str, Any]:
    """A policy as the document names it: of the file its name alone, not where it lies."""
    assert policy.path is not None
    return {
        "version": policy.version,
        "hash": policy.hash,
        "effective_from": policy.effective_from,
        "file": policy.path.name,
    }
