"""Carrying an erasure out: its plan, and the end of the request once nothing is left to do.

Belongs here: freezing the plan of what was decided for a request, and saying of which requests everything
is done. Does not belong here: the purge itself, which carries out any approved plan.
"""

from dataclasses import dataclass
from uuid import UUID

from retention.ledger.failures import safe_errors
from retention.plan import Plan, create_decided
from retention.rights.erasure.decide import Counted, decided
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PURGER


@dataclass(frozen=True)
class CarriedOut:
    """`plan` holds what may go now, of every request that was decided; None where nothing of this request
    waits. `waiting` counts the request's records that are still there."""

    request_id: UUID
    plan: Plan | None
    waiting: tuple[Counted, ...]
    is_finished: bool


def carry_out(settings: Settings, request_id: UUID) -> CarriedOut:
    """Freeze what was decided into a plan, which the decisions approve, and say what waits.

    Raises Refused as `create_decided` does: where the records were not classified since the decision, above
    all. Nothing is deleted here: the purge carries the plan out.
    """
    settle(settings)
    found = decided(settings, [request_id])
    waiting = tuple(count for count in found.counts if count.waiting)
    plan = create_decided(settings) if waiting else None
    return CarriedOut(request_id, plan, waiting, _is_finished(settings, request_id))


def settle(settings: Settings) -> int:
    """Say of every decided erasure that has nothing left to do that it is carried out. Returns how many.

    Every record that was to go is gone from the warehouse, and none is left to a person.
    """
    with connect(settings, role=PURGER) as conn, safe_errors("ending requests for erasure"):
        row = conn.execute("select ledger.settle_erasures()").fetchone()
        conn.commit()
    assert row is not None
    return int(row[0])


def _is_finished(settings: Settings, request_id: UUID) -> bool:
    with connect(settings) as conn, safe_errors("reading the request"):
        row = conn.execute(
            "select state in ('carried_out', 'closed') from ledger.requests where request_id = %s",
            (request_id,),
        ).fetchone()
    return bool(row and row[0])
