"""The decision letter: what was erased, what was refused by which law until when, and where to complain.

Belongs here: what the letter tells, gathered from the decisions (§ 8, GDPR art. 12(4)). Does not belong
here: its sentences (`letters/decision.*.j2`) and its forms. It holds counts, days and laws; of the person
it names nothing.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from retention import state
from retention.errors import Refused, UsageError
from retention.policy import Policy, in_force, load_versions
from retention.rights.erasure.decide import Counted, Decided, standing
from retention.rights.letters import LANGUAGES, Language, Letter, as_html, as_pdf, compose
from retention.rights.model import Outcome
from retention.rights.recipients import recipients_of
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.warehouse.clock import today

_KEPT = (Outcome.LOCK, Outcome.MINIMISE, Outcome.REFUSE)


@dataclass(frozen=True)
class Kept:
    """Records of one category that stay for one reason. `until` is None where nobody knows the day;
    `columns` says that what the reason does not need of them goes now."""

    category: str
    records: int
    law: str
    norwegian: str | None
    english: str | None
    until: date | None
    locked: bool
    columns: bool


def letter(settings: Settings, request_id: UUID, language: Language) -> Letter:
    """The letter on a request for erasure that was decided, as of today.

    Raises UsageError for an unknown request, Refused for one that is not decided, is about another right,
    or is read by a login that may not answer requests.
    """
    with as_officer(settings, "writing the decision letter") as conn:
        row = conn.execute(
            "select asserted, outcome, received_on, (decided_at at time zone 'Europe/Oslo')::date,"
            " subject_token"
            " from ledger.requests where request_id = %s",
            (request_id,),
        ).fetchone()
        if row is None:
            raise UsageError("there is no such request: `retention request list` shows them")
        asserted, outcome, received_on, decided_on, token = row
        if asserted != "erasure" or outcome is None:
            raise Refused("there is no decision on an erasure to write about: decide it first")
        found = Decided(1, 0, standing(conn, [request_id]))
        blocked = dict(
            conn.execute("select * from ledger.blocked_decisions(%s)", (request_id,)).fetchall()
        )
        partners = recipients_of(conn, token) if token else ()
        day = today(conn)
    policy = in_force(load_versions(settings.policy_dir), day)
    return compose(
        "decision",
        language,
        policy=policy,
        reference=str(request_id),
        on=day,
        outcome=outcome,
        received_on=received_on,
        decided_on=decided_on,
        erased=_by_category(found, Outcome.ERASE),
        kept=_kept(found, policy),
        relayed=found.of(Outcome.RELAY),
        partners=sorted({one.partner for one in partners if one.partner}),
        undecided=found.of(Outcome.PERSON),
        held=blocked.get("hold", 0),
        restricted=blocked.get("restriction", 0),
        requested=blocked.get("request", 0),
    )


def write(settings: Settings, request_id: UUID, folder: Path | None = None) -> list[Path]:
    """Write the letter in both languages as PDF and as HTML, and leave their hashes as evidence.

    Returns the files' paths, by default in the state folder. Raises as `letter` does.
    """
    target = folder or state.make_folder(settings.state / "letters")
    written = []
    for language in LANGUAGES:
        made = letter(settings, request_id, language)
        pdf = as_pdf(made)
        for suffix, content in (("pdf", pdf), ("html", as_html(made).encode())):
            path = target / f"decision-{request_id}.{language}.{suffix}"
            path.write_bytes(content)
            written.append(path)
        with as_officer(settings, "recording the decision letter") as conn:
            conn.execute(
                "select ledger.attest_letter(%s, %s, %s)",
                (request_id, language, sha256(pdf).hexdigest()),
            )
    return written


def _by_category(found: Decided, outcome: Outcome) -> list[dict[str, Any]]:
    counted: dict[str, int] = {}
    for count in found.counts:
        if count.outcome is outcome:
            category = count.category or "unclassified"
            counted[category] = counted.get(category, 0) + count.records
    return [{"category": category, "records": counted[category]} for category in sorted(counted)]


def _kept(found: Decided, policy: Policy) -> list[Kept]:
    """What stays, a line for each category and reason; the tables it lies in are of no interest."""
    lines: dict[tuple[str, str, str, date], Counted] = {}
    for count in found.counts:
        if count.outcome not in _KEPT:
            continue
        key = (
            count.category or "unclassified",
            count.law or "",
            count.outcome,
            count.until_on or date.max,
        )
        known = lines.get(key)
        lines[key] = count if known is None else _and(known, count)
    return [_line(count, policy) for _, count in sorted(lines.items(), key=lambda one: one[0])]


def _and(one: Counted, other: Counted) -> Counted:
    return Counted(
        one.table,
        one.category,
        one.outcome,
        one.rule_id,
        one.law,
        one.until_on,
        one.records + other.records,
    )


def _line(count: Counted, policy: Policy) -> Kept:
    hindrance = policy.rights.hindrance(count.rule_id) if count.rule_id else None
    # What a person gave as the law is told as it was given.
    known = hindrance if hindrance and hindrance.law == count.law else None
    return Kept(
        category=count.category or "unclassified",
        records=count.records,
        law=count.law or "",
        norwegian=known.norwegian if known else None,
        english=known.english if known else None,
        until=count.until_on,
        locked=count.outcome is not Outcome.REFUSE,
        columns=count.outcome is Outcome.MINIMISE,
    )
