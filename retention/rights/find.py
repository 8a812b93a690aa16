"""Finding a person: one identity over all governed tables, and what cannot be searched.

Belongs here: whose records are the person's, and which may be, as the last classification knows. Does not
belong here: any value of a row (`package`), and deciding anything but whose an ambiguous record is.

Source: § 8 (access); GDPR art. 12(2), 15. A contact point is bound, hashed in the database, and stands in
no log and no message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from retention.classified import find_classification
from retention.coverage.compare import compare
from retention.coverage.model import State
from retention.declarations import Declarations, load_declarations
from retention.errors import UsageError
from retention.keys.server_log import refuse_logged_values
from retention.ledger.failures import safe_errors
from retention.lineage import built_relations
from retention.settings import Settings

Connection = psycopg.Connection[Any]
ContactKind = Literal["email", "phone"]


@dataclass(frozen=True)
class PersonRecord:
    """One landing row of the person. `subject_id` is the data subject it is of, None where a person decided
    that it is theirs (`is_decided`). `due_on` None: no clock runs."""

    source_schema: str
    source_table: str
    record_key: str
    subject_id: str | None
    controller_role: str | None
    category: str | None
    rule_id: str | None
    policy_clause: str | None
    anchor_on: date | None
    due_on: date | None
    status: str
    collected_at: datetime | None
    is_decided: bool

    @property
    def table(self) -> str:
        return f"{self.source_schema}.{self.source_table}"

    @property
    def is_processors(self) -> bool:
        """We process it for a partner: theirs to give (§ 1). Not by the role alone: accounting and requests
        of a referred person are duties of our own."""
        return self.rule_id == "PROCESSOR"


@dataclass(frozen=True)
class Candidate:
    """A record that may be the person's, of so many `candidates`. `is_theirs` is what was decided."""

    source_schema: str
    source_table: str
    record_key: str
    category: str | None
    rule_id: str | None
    due_on: date | None
    status: str
    candidates: int
    is_theirs: bool | None

    @property
    def table(self) -> str:
        return f"{self.source_schema}.{self.source_table}"


@dataclass(frozen=True)
class Person:
    """A person as of a classification. `subjects` are the data subjects that bear the token. `not_searched`
    names the tables in which nobody can be found, each with the reason."""

    token: UUID
    as_of: date
    policy_version: str
    subjects: tuple[str, ...]
    records: tuple[PersonRecord, ...]
    candidates: tuple[Candidate, ...]
    not_searched: Mapping[str, str]

    @property
    def undecided(self) -> tuple[Candidate, ...]:
        """The records on which somebody must decide first."""
        return tuple(one for one in self.candidates if one.is_theirs is None)


def find_person(conn: Connection, settings: Settings, target: UUID | str) -> Person:
    """The person named by a token, or by `schema.table:key` of any record of theirs.

    Raises UsageError where nothing is classified, or the last classification knows no such person.
    """
    with safe_errors("finding a person"):
        classification = find_classification(conn)
        row = conn.execute("select ledger.person_of(%s)", (str(target),)).fetchone()
        token = row[0] if row else None
        if token is None:
            raise UsageError(
                "the last classification knows no such person: name a record of theirs as"
                " SCHEMA.TABLE:KEY, or their token"
            )
        with conn.cursor(row_factory=class_row(PersonRecord)) as cursor:
            records = cursor.execute("select * from ledger.person_records(%s)", (token,)).fetchall()
        with conn.cursor(row_factory=class_row(Candidate)) as cursor:
            candidates = cursor.execute(
                "select * from ledger.person_candidates(%s)", (token,)
            ).fetchall()
        declarations = load_declarations(settings.declarations_dir)
        return Person(
            token=token,
            as_of=classification.as_of,
            policy_version=classification.policy_version,
            subjects=tuple(sorted({one.subject_id for one in records if one.subject_id})),
            records=tuple(records),
            candidates=tuple(candidates),
            not_searched=not_searched(conn, settings, declarations, classification.as_of),
        )


def find_by_contact(conn: Connection, kind: ContactKind, value: str) -> list[UUID]:
    """The tokens of the persons who have that e-mail address or telephone number: none, one, or, where
    several share it, all of them.

    Raises Refused where the server would write the value to its log.
    """
    refuse_logged_values(conn)
    with safe_errors("finding a person by contact point"):
        rows = conn.execute(
            "select found from ledger.persons_by_contact(%s, %s) as found order by found",
            (kind, value),
        ).fetchall()
    return [token for (token,) in rows]


def decide_ambiguity(
    conn: Connection, token: UUID, table: str, record_key: str, *, is_theirs: bool, reason: str
) -> None:
    """Say whether a record that may be the person's is: who and why are kept.

    Raises UsageError for a record that is none of the candidates, Refused where it was decided to be
    another person's.
    """
    schema, _, name = table.partition(".")
    with safe_errors("deciding whose a record is"):
        conn.execute(
            "select ledger.decide_ambiguity(%s, %s, %s, %s, %s, %s)",
            (token, schema, name, record_key, is_theirs, reason),
        )


def not_searched(
    conn: Connection, settings: Settings, declarations: Declarations, as_of: date
) -> dict[str, str]:
    """The tables in which no record of anybody can be found: exempt, undeclared, or set aside."""
    coverage = compare(conn, declarations, built_relations(settings), as_of=as_of)
    reasons = {
        f"{one.schema}.{one.table}": "neither declared nor exempt: nobody knows what it holds"
        for one in coverage.landing
        if one.state is State.FINDING
    }
    reasons |= {
        table.qualified: f"declared to hold no personal data: {table.exempt.reason}"
        for table in _present(declarations, coverage.landed)
        if table.exempt
    }
    reasons |= {
        name: "set aside: it cannot be read as it is declared"
        for name in coverage.set_aside
        if tuple(name.split(".", 1)) in coverage.landed
    }
    reasons |= {
        table.qualified: "nothing declares whose its rows are"
        for table in _present(declarations, coverage.landed)
        if not table.exempt and not table.subject and not table.assignment and not table.objection
    }
    return dict(sorted(reasons.items()))


def _present(declarations: Declarations, landed: Iterable[tuple[str, str]]) -> Iterable[Any]:
    names = set(landed)
    return (table for table in declarations.tables if (table.schema_, table.name) in names)
