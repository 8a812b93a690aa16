"""The words that requests are told in.

Belongs here: values that several steps of a request share. Does not belong here: any step.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Right(StrEnum):
    """What a person asks for: GDPR art. 15, 20, 16, 17, 18, 21 and 7(3)."""

    ACCESS = "access"
    PORTABILITY = "portability"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    WITHDRAWAL = "withdrawal"


class RequestState(StrEnum):
    """How far a request has come. Until it is decided or carried out, nothing of the person is purged."""

    RECEIVED = "received"
    IDENTITY_VERIFIED = "identity_verified"
    DECIDED = "decided"
    CARRIED_OUT = "carried_out"
    CLOSED = "closed"


class Verified(StrEnum):
    """How a person's identity was made sure of."""

    IDENTITY_DOCUMENT = "identity_document"
    ELECTRONIC_ID = "electronic_id"
    KNOWN_CONTACT = "known_contact"
    IN_PERSON = "in_person"


class Extension(StrEnum):
    """Why an answer takes longer: the two reasons that the law knows."""

    COMPLEXITY = "complexity"
    NUMBER_OF_REQUESTS = "number_of_requests"


class Closing(StrEnum):
    """How a request ended. All but `answered` end it before it was decided."""

    ANSWERED = "answered"
    TAKEN_BACK = "taken_back"
    NOT_IDENTIFIED = "not_identified"
    DUPLICATE = "duplicate"
    UNFOUNDED = "unfounded"


class Answer(StrEnum):
    """What a person got who asked for a copy or a correction."""

    GRANTED = "granted"
    PARTLY = "partly"
    REFUSED = "refused"


class Outcome(StrEnum):
    """What becomes of one record of a person who asks for erasure."""

    ERASE = "erase"  # purged at once, under rule ERASURE
    MINIMISE = (
        "minimise"  # the row stays for accounting and is locked; what accounting does not need goes
    )
    LOCK = "lock"  # refused until the hindrance ends, out of use until then, purged afterwards
    REFUSE = "refuse"  # refused, and stays in use: the data still serves its purpose
    RELAY = "relay"  # we are the partner's processor: the partner decides
    PERSON = "person"  # no rule decides: whose it is, or until when it must stay, is not known


@dataclass(frozen=True)
class Request:
    """One request as the register has it. Dates are local (Europe/Oslo). `source` is the landed row,
    `schema.table:key`, None for one that was entered by hand or whose row was purged; `asserted` is None
    while nobody knows which right is meant, `subject_token` while nobody knows whose it is."""

    request_id: UUID
    asserted: Right | None
    state: RequestState
    received_on: date
    answer_by: date
    source: str | None
    subject_token: UUID | None
    extended_on: date | None
    decided_at: datetime | None
    carried_out_at: datetime | None
    closed_at: datetime | None
