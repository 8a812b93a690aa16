"""Carrying a plan out from its first batch to its last, as often as it takes.

Belongs here: what is checked before the first delete, trying a batch again that others were in the way
of, and the end of the plan. Does not belong here: what a batch does.

Started again after it was killed, it goes on with what is still planned: a batch either happened with
its evidence or not at all.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors, sql

from retention.code_hash import code_hash
from retention.declarations import load_declarations
from retention.errors import Refused, RetentionError
from retention.keys import load_key, refuse_logged_values
from retention.ledger import entries
from retention.ledger.failures import is_conflict, is_lost, safe_errors, translated
from retention.policy import in_force, load_versions
from retention.purge.batch import Job, run_batch
from retention.settings import Settings
from retention.warehouse.connection import connect

DEFAULT_BATCH_ITEMS = 5_000

_JOINED = (
    ("retention", "records"),
    ("intermediate", "int_record_cases"),
    ("intermediate", "int_case_fingerprints"),
)
_ATTEMPTS = 8
_PAUSE_SECONDS = 0.25

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class PurgeResult:
    """What became of a plan: rows purged, rows that stay with columns made null, items skipped by
    reason, batches, over all its runs."""

    plan_id: UUID
    purged: int
    minimised: int
    skipped: dict[str, int]
    batches: int


def execute(
    settings: Settings, plan_id: UUID, *, batch_items: int = DEFAULT_BATCH_ITEMS
) -> PurgeResult:
    """Purge what the approved plan holds and nothing has changed about since.

    Safe to call again after any failure. Raises Refused when a guard forbids it (not approved,
    expired, another digest, policy or code, key lost, another purge going on, a table busy), which is
    recorded as evidence; WarehouseError when the connection was lost or a promise broken. Batches that
    were finished before stay purged, with their evidence.
    """
    declarations = load_declarations(settings.declarations_dir)
    code = code_hash(settings, declarations)
    with connect(settings) as conn:
        try:
            with safe_errors("preparing the purge"):
                refuse_logged_values(conn)
                key = load_key(settings, conn)
                _refuse_changed_policy(settings, conn, plan_id)
                _tell_the_planner(conn)
                conn.commit()
            job = Job(plan_id, declarations, code, key, batch_items)
            more = _try_batch(conn, job, recount=True)
            while more:
                more = _try_batch(conn, job, recount=False)
            with safe_errors("ending the plan"):
                conn.execute("select ledger.finish_plan(%s)", (plan_id,))
                conn.commit()
                return _result(conn, plan_id)
        except Refused as refusal:
            _record(conn, plan_id, refusal)
            raise


def _try_batch(conn: Connection, job: Job, *, recount: bool) -> bool:
    """Run the next batch; where others were in the way, pause and try again a few times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return run_batch(conn, job, recount=recount)
        except psycopg.Error as error:
            busy = isinstance(error, errors.LockNotAvailable)
            if is_lost(error) or not (busy or is_conflict(error)):
                raise _failure(error) from None
        logger.info("a batch is tried again: a table or a guard was in use (%s)", attempt)
        time.sleep(_PAUSE_SECONDS * attempt)
    raise Refused(
        "a landing table or a hold is in use for longer than a batch waits: nothing of the batch was"
        " done; run the purge again when the load has ended"
    )


def _failure(error: psycopg.Error) -> RetentionError:
    if isinstance(error, errors.ForeignKeyViolation):
        # Names of constraints are schema, not data.
        name = error.diag.constraint_name or "a foreign key"
        return Refused(
            f"rows that stay refer to rows of the plan ({name}): the batch was undone;"
            " declare the link, so that both are planned together"
        )
    return translated(error, "purging")


def _tell_the_planner(conn: Connection) -> None:
    """Gather statistics of what every batch joins: dbt makes these tables anew and gathers none.

    On a table of another owner the server says so in a warning and goes on."""
    for name in _JOINED:
        row = conn.execute("select to_regclass(%s) is not null", (".".join(name),)).fetchone()
        if row and row[0]:
            conn.execute(sql.SQL("analyze {}").format(sql.Identifier(*name)))


def _refuse_changed_policy(settings: Settings, conn: Connection, plan_id: UUID) -> None:
    """The file rules, not only what was made from it: an edit counts from the moment it is saved."""
    row = conn.execute(
        "select policy_hash, ledger.today() from ledger.plans where plan_id = %s", (plan_id,)
    ).fetchone()
    if row is None:
        return
    policy_hash, today = row
    if in_force(load_versions(settings.policy_dir), today).hash != policy_hash:
        raise Refused("the policy file changed since the plan was frozen: make a new plan")


def _record(conn: Connection, plan_id: UUID, refusal: Refused) -> None:
    """Leave evidence of a refusal, and end a plan that has expired. Where the database cannot even do
    that, the refusal itself is what must be heard."""
    try:
        conn.rollback()
        row = conn.execute("select ledger.iso_time(now()), session_user").fetchone()
        known = conn.execute(
            "select expires_on < ledger.today() from ledger.plans where plan_id = %s", (plan_id,)
        ).fetchone()
        if row and known:
            entries.append(
                conn,
                "refusal",
                {
                    "plan_id": str(plan_id),
                    "of": "purge",
                    "reason": str(refusal),
                    "by": row[1],
                    "at": row[0],
                },
            )
            if known[0]:
                conn.execute("select ledger.finish_plan(%s)", (plan_id,))
        conn.commit()
    except psycopg.Error as error:
        logger.warning("the refusal could not be recorded (SQLSTATE %s)", error.sqlstate or "none")


def _result(conn: Connection, plan_id: UUID) -> PurgeResult:
    rows = conn.execute(
        "select state, skip_reason, count(*) from ledger.plan_items where plan_id = %s group by 1, 2",
        (plan_id,),
    ).fetchall()
    batches = conn.execute(
        "select count(distinct batch_no) from ledger.plan_items where plan_id = %s", (plan_id,)
    ).fetchone()
    return PurgeResult(
        plan_id=plan_id,
        purged=sum(count for state, _, count in rows if state == "purged"),
        minimised=sum(count for state, _, count in rows if state == "minimised"),
        skipped={reason: count for state, reason, count in rows if state == "skipped"},
        batches=batches[0] if batches else 0,
    )
