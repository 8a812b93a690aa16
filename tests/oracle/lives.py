"""Generated lives: one person each, with everything that may have landed about them.

Belongs here: the hypothesis strategy of a life, and its rows in the CRM. Does not belong here: other
systems (`lives_elsewhere`), what is expected of the rows (`classify`), getting them into a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.oracle import lives_elsewhere
from tests.oracle.teller import TYPES, Teller

#: Partner 1 gave an instruction, 2 gave none, 3 gave one without a period.
PARTNERS: tuple[Mapping[str, object], ...] = (
    {"id": 1, "name": "Partner A", "instruction_id": "DPA-1", "instruction_period": "P3M"},
    {"id": 2, "name": "Partner B", "instruction_id": None, "instruction_period": None},
    {"id": 3, "name": "Partner C", "instruction_id": "DPA-3", "instruction_period": None},
)
_PARTNER_IDS = (1, 2, 3)
_PURPOSES = ("inquiry", "inquiry", "service", "rights_request", "supplier", "bounce")
_SENTINEL = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class LifeRows:
    """The landing rows of one life, as (table, values)."""

    rows: tuple[tuple[str, Mapping[str, Any]], ...]


@st.composite
def lives(draw: Any, as_of: date, number: int) -> LifeRows:
    """Draw the life of person `number` as of the date."""
    teller = Teller(draw, as_of, number, [], [])
    _registration(teller)
    _leads(teller)
    _contacts(teller)
    # Most people never become clients; in the others an assignment would outweigh all else.
    if teller.pick((False, False, True)):
        _assignments(teller)
    if teller.pick((False, False, False, True)):
        lives_elsewhere.products(teller)
    lives_elsewhere.payments(teller)
    _handovers(teller)
    lives_elsewhere.traces(teller)
    return LifeRows(tuple(teller.rows))


def _registration(teller: Teller) -> None:
    shares = teller.chance(12) and teller.number > 1
    teller.add(
        "crm.person",
        id=teller.number,
        created_at=teller.landed(),
        email=f"p{teller.number - 1 if shares else teller.number}@example.no",
        phone=f"4{teller.number:07d}",
        received_via_partner=teller.pick((True, False)),
        _fivetran_deleted=teller.chance(10),
    )


def _leads(teller: Teller) -> None:
    for _ in teller.times(3):
        teller.add(
            "crm.lead",
            id=teller.id(),
            person_id=-1 if teller.chance(25) else teller.number,
            partner_id=teller.pick((None, 1, 1, 2)),
            received_at=teller.landed(),
            _fivetran_deleted=teller.chance(10),
        )


def _contacts(teller: Teller) -> None:
    for _ in teller.times(2):
        counts = not teller.chance(3)
        teller.add(
            "crm.contact_event",
            id=teller.id(),
            person_id=teller.number,
            channel=teller.pick(("email", "phone", "video", "sms", "web")),
            direction="inbound" if counts else teller.pick(("inbound", "outbound")),
            outcome=teller.pick(("answered", "held", "received", "voicemail", "missed")),
            automated=None if teller.chance(10) else not counts and teller.chance(2),
            purpose="inquiry" if counts else teller.pick(_PURPOSES),
            duration_seconds=teller.pick((60, 60, 1, 0, None)),
            occurred_at=teller.landed(),
            _fivetran_deleted=teller.chance(10),
        )
    for _ in teller.times(1):
        known = not teller.chance(5)
        teller.add(
            "crm.inbound_email",
            id=teller.id(),
            from_address=teller.email() if known else f"stranger{teller.id()}@example.no",
            purpose=teller.pick(_PURPOSES),
            received_at=teller.landed(),
        )


def _assignments(teller: Teller) -> None:
    for _ in teller.times(2):
        identifier = teller.id()
        opened = teller.landed()
        final = {
            "type": teller.pick(TYPES),
            "state": teller.pick(("open", "completed", "completed", "closed", "cancelled", "?")),
            "opened_at": opened,
            "completed_at": teller.landed() if teller.chance(2) else teller.when(),
            "acknowledged_at": teller.landed() if teller.chance(5) else None,
        }
        if final["state"] == "open" or teller.chance(8):
            final["completed_at"] = None
        started = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=identifier)
        gone = teller.chance(12)
        if teller.chance(3):
            teller.add(
                "crm.assignment",
                id=identifier,
                person_id=teller.number,
                **{**final, "state": "open", "completed_at": None},
                _fivetran_start=started - timedelta(days=30),
                _fivetran_end=started,
                _fivetran_active=False,
            )
        teller.add(
            "crm.assignment",
            id=identifier,
            person_id=teller.number,
            **final,
            _fivetran_start=started,
            _fivetran_end=_SENTINEL,
            _fivetran_active=not gone,
            _fivetran_deleted=teller.chance(12),
        )
        _documents(teller, identifier)


def _documents(teller: Teller, assignment_id: int) -> None:
    if teller.chance(2):
        teller.add(
            "crm.assignment_document",
            id=teller.id(),
            assignment_id=-7 if teller.chance(15) else assignment_id,
            created_at=teller.landed(),
        )
    if teller.chance(3):
        document = f"doc-{teller.id()}"
        teller.add(
            "scrive.document",
            id=document,
            assignment_id=assignment_id,
            status="signed",
            created_at=teller.landed(),
        )
        teller.add(
            "scrive.signatory",
            id=f"sig-{teller.id()}",
            document_id=document,
            signed_at=teller.landed(),
        )


def _handovers(teller: Teller) -> None:
    if not teller.chance(4):
        return
    for _ in range(2 if teller.chance(5) else 1):
        teller.add(
            "crm.handover",
            id=teller.id(),
            person_id=teller.number,
            partner_id=teller.pick(_PARTNER_IDS),
            scope=teller.pick(("in_scope", "outside_scope", "outside_scope")),
            handed_over_at=teller.landed(),
        )
