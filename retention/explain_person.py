"""What is kept of one person and what decides it: contact, assignments, partners, then all the records.

Belongs here: a person's records by their token, summed up and listed, and the facts behind them. Does
not belong here: one record's own reasons (`explain`), and finding a person by name or e-mail
(`retention.rights.find`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from retention.applied_period import assignment_type
from retention.applied_rule import applied_policy
from retention.classified import Classification
from retention.declarations import load_declarations
from retention.explanation import Record, blocker, record_as_dict
from retention.language import N_, Speaker
from retention.phrase import Phrase, Reason, phrase, said
from retention.policy import Policy
from retention.settings import Settings

Connection = psycopg.Connection[Any]

# More records than fit a screen by far; a person with more is counted, not listed.
MOST_LISTED = 200

RECORD: LiteralString = (
    "select source_schema, source_table, record_key, subject_token, controller_role, category,"
    " rule_id, policy_clause, policy_version, anchor_on, last_day, due_on, disposition, status,"
    " blocked_by, reason, as_of from {records} "
)


@dataclass(frozen=True)
class Fact:
    """What happened to the person and bears on a clock. `kind`: contact, assignment or partner."""

    kind: str
    event: str
    on: date | None
    what: Phrase


@dataclass(frozen=True)
class Group:
    """The person's records of one category, rule and status."""

    category: str | None
    rule_id: str | None
    status: str
    records: int
    first_due_on: date | None
    last_due_on: date | None


@dataclass(frozen=True)
class PersonExplanation:
    """All that is kept of a person. `own` are the person's own rows, which say what decides; `roles` and
    `blockers` count the records under each."""

    token: UUID
    as_of: date
    facts: tuple[Fact, ...]
    own: tuple[Record, ...]
    roles: dict[str, int]
    blockers: dict[str, int]
    groups: tuple[Group, ...]
    records: tuple[Record, ...]
    total: int

    def as_dict(self, speaker: Speaker) -> dict[str, Any]:
        """The explanation for `--json`: codes, and beside them what they say."""
        return {
            "language": speaker.language.value,
            "subject_token": self.token,
            "as_of": self.as_of,
            "facts": [
                {
                    "kind": fact.kind,
                    "event": fact.event,
                    "on": fact.on,
                    "said": said(speaker, fact.what),
                }
                for fact in self.facts
            ],
            "decided_by": [record_as_dict(speaker, record) for record in self.own],
            "controller_roles": self.roles,
            "blocked_by": [
                {"code": code, "records": records, "said": said(speaker, blocker(code))}
                for code, records in self.blockers.items()
            ],
            "groups": [vars(group) for group in self.groups],
            "total": self.total,
            "records": [record_as_dict(speaker, record) for record in self.records],
        }


def explain_person(
    conn: Connection, classification: Classification, settings: Settings, token: UUID
) -> PersonExplanation | None:
    """What is kept of the person with that token; None where no record that may be told shows it."""
    listed = _records(
        conn,
        classification,
        "where subject_token = %s"
        " order by source_schema, source_table, due_on nulls last, record_key limit %s",
        (token, MOST_LISTED),
    )
    if not listed:
        return None
    groups = _groups(conn, classification, token)
    persons = [
        table
        for table in load_declarations(settings.declarations_dir).governed
        if table.person is not None
    ]
    own = _records(
        conn,
        classification,
        "where subject_token = %s and (source_schema, source_table) in"
        " (select * from unnest(%s::text[], %s::text[])) order by 1, 2, 3 limit %s",
        (
            token,
            [table.schema_ for table in persons],
            [table.name for table in persons],
            MOST_LISTED,
        ),
    )
    policy = applied_policy(classification, settings)
    return PersonExplanation(
        token=token,
        as_of=listed[0].as_of,
        facts=_facts(conn, classification, policy, token),
        own=tuple(own),
        roles=_counted(
            conn,
            classification,
            "select controller_role, count(*) from {records}"
            " where subject_token = %s and controller_role is not null group by 1 order by 1",
            token,
        ),
        blockers=_counted(
            conn,
            classification,
            "select blocker, count(*) from {records} cross join unnest(blocked_by) as blocker"
            " where subject_token = %s group by 1 order by 1",
            token,
        ),
        groups=tuple(groups),
        records=tuple(listed),
        total=sum(group.records for group in groups),
    )


def _records(
    conn: Connection, classification: Classification, where: LiteralString, values: Sequence[Any]
) -> list[Record]:
    with conn.cursor(row_factory=class_row(Record)) as cursor:
        return cursor.execute(classification.query(RECORD + where), values).fetchall()


def _groups(conn: Connection, classification: Classification, token: UUID) -> list[Group]:
    with conn.cursor(row_factory=class_row(Group)) as cursor:
        return cursor.execute(
            classification.query(
                "select category, rule_id, status, count(*) as records, min(due_on) as first_due_on,"
                " max(due_on) as last_due_on from {records} where subject_token = %s"
                " group by category, rule_id, status"
                " order by min(due_on) nulls last, category, rule_id, status"
            ),
            (token,),
        ).fetchall()


def _counted(
    conn: Connection, classification: Classification, query: LiteralString, token: UUID
) -> dict[str, int]:
    return dict(conn.execute(classification.query(query), (token,)).fetchall())


_ASSIGNMENTS = {
    "open": N_("assignment of type {type}, open since {day}: no clock runs"),
    "draft": N_("assignment of type {type}, a draft: it starts no clock"),
    "ended": N_("assignment of type {type}, completed on {day}: kept until {until}"),
    "review": N_("assignment of type {type}, under review: {reason}"),
}
_PARTNERS = {
    "lead": N_("received through a partner on {day}"),
    "joint": N_("handed over to a partner on {day}, inside our business area: joint controllers"),
    "outside": N_(
        "referred to a partner on {day}, outside our business area: we are processor after"
    ),
}


def _facts(
    conn: Connection, classification: Classification, policy: Policy | None, token: UUID
) -> tuple[Fact, ...]:
    """The latest contact, the assignments, and what partners have to do with it; not who the partners are,
    for one that is a trade union would tell of membership."""
    rows = conn.execute(
        "select fact, event_id, on_day, until_day, outcome, assignment_type, reason"
        " from ledger.person_facts(%s, %s)",
        (classification.suffix, token),
    ).fetchall()
    facts = []
    for kind, event, day, until, outcome, assignment, reason in rows:
        if kind == "contact":
            what = phrase(N_("latest contact on {day}"), day=day)
        elif kind == "partner":
            what = phrase(_PARTNERS[outcome], day=day)
        else:
            what = phrase(
                _ASSIGNMENTS[outcome],
                type=assignment_type(policy, assignment or "?"),
                day=day,
                until=until,
                reason=Reason(reason or ""),
            )
        facts.append(Fact(kind, event, day, what))
    return tuple(facts)
