"""What a person is asked of a table, and the lines that would be the answer.

Belongs here: from what the rows seem to be to the keys of a declaration. Does not belong here: finding out
what they are (`connectors`, `shapes`), and writing them down (`yaml_text`).

Whatever reaches the clocks of records (a rule, a lifecycle, an event, a document's date) is asked and not
set: until it is answered the table is under review. Rules are found by their category in the policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retention.onboarding.connectors import Known, RowsAre
from retention.onboarding.model import TODO, Because, Decision, Link
from retention.policy import Policy

_STAFF = "business_contact"


@dataclass(frozen=True)
class Rows:
    """What the rows of a table seem to be. `at` dates the event; None where nothing does."""

    are: RowsAre | None
    what: str
    at: str | None
    because: Because
    known: Known | None
    has_personal: bool
    states: str | None
    ended: str | None


def decide(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    """The question that stays open for a table, with the answer that is proposed."""
    if rows.are is None:
        return _nothing_known(rows, link)
    answers = {
        "contact": _contact,
        "message": _follows_person,
        "document": _document,
        "part": _part,
        "persons": _persons,
        "customers": _follows_person,
        "staff": _staff,
        "agreement": _agreement,
        "visit": _visit,
        "nobody": _nobody,
    }
    return answers[rows.are](rows, link, policy)


def _contact(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    if link is None or rows.at is None:
        return _open(rows, "contact events, but nothing says " + ("when" if link else "of whom"))
    counts = rows.known.counts_when if rows.known else ()
    subject, otherwise = _otherwise(rows, link, policy)
    return Decision(
        "Is each of these rows a contact, and which of them make a relationship? One whose person is not"
        " known stands under a rule of its own, or is reviewed.",
        rows.because,
        {
            **subject,
            **otherwise,
            "follows": "person",
            "contact_event": {
                "at": rows.at,
                "counts_when": [dict(one) for one in counts] or [{TODO: TODO}],
            },
            "collected_at": rows.at,
        },
    )


def _follows_person(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    if link is None:
        return _open(rows, "about persons, but nothing says which")
    return Decision(
        "Do these rows go when their person goes?",
        rows.because,
        {"subject": link.as_subject(), "follows": "person", **_collected(rows)},
    )


def _document(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    if rows.at is None:
        return _open(rows, "accounting documents, but no date of theirs has landed")
    named = rows.known.class_ if rows.known else None
    class_ = named if named in policy.accounting.classes else TODO
    return Decision(
        f"Are these accounting documents, of which class ({', '.join(policy.accounting.classes)}), and is"
        f" `{rows.at}` the document's date?",
        rows.because,
        {
            **({"subject": link.as_subject()} if link else {}),
            "accounting": {"document_date": rows.at, "class": class_},
            **_collected(rows),
        },
    )


def _part(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    return Decision(
        "The rows are parts of documents and bear no date of their own: they stay under review, unless a"
        " date lands.",
        rows.because,
        {"subject": link.as_subject()} if link else {},
    )


def _persons(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    return Decision(
        "Are these rows data subjects of their own? They stay under review until a date and a rule are"
        " named: `person: {}` with `collected_at`, or a rule of their own with an `anchor`.",
        rows.because,
        {"subject": link.as_subject()} if link else {"subject": {"self": True}},
    )


def _staff(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    rule = _rule(policy, _STAFF)
    if rows.at is None or rule is None:
        return _open(rows, "contact persons of others, but no date of theirs has landed")
    return Decision(
        "Are these contact persons of suppliers and partners, or employees?",
        rows.because,
        {"follows": {"rule": rule}, "anchor": rows.at},
    )


def _agreement(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    known = rows.known
    opened = known.opened if known and known.opened else rows.at
    ended = known.ended if known and known.ended else rows.ended
    if link is None or opened is None:
        return _open(rows, "agreements, but nothing says " + ("since when" if link else "whose"))
    states = dict(known.states) if known and known.states else None
    fact: dict[str, Any] = {
        "type": {"value": known.type} if known and known.type else TODO,
        "state": states or {"column": rows.states or TODO, "open": [TODO], "completed": [TODO]},
        "opened_at": opened,
        "completed_at": ended or TODO,
    }
    if known and known.type == "subscription":
        fact["subscription"] = True
    return Decision(
        "Are these assignments, contracts or subscriptions: of which type of the policy"
        f" ({', '.join(policy.assignment_types)}), and which values of the state mean open and completed?",
        rows.because,
        {
            "subject": link.as_subject(),
            "follows": "assignment",
            "assignment_fact": fact,
            "collected_at": opened,
        },
    )


def _visit(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    if link is None or rows.at is None:
        return _open(rows, "visits, but nothing says " + ("when" if link else "whose"))
    subject, otherwise = _otherwise(rows, link, policy)
    periods = ", ".join(policy.supporting_periods) or "none"
    return Decision(
        f"Do visits follow their person, or have a shorter period of the policy ({periods})? One whose"
        " person is not known stands under a rule of its own.",
        rows.because,
        {**subject, **otherwise, "follows": "person", "anchor": rows.at, "collected_at": rows.at},
    )


def _nobody(rows: Rows, link: Link | None, policy: Policy) -> Decision:
    return _exempt(rows)


def _exempt(rows: Rows) -> Decision:
    return Decision(
        "Does it hold no personal data? Then exempt it, with an owner and the day to look again.",
        rows.because,
        {
            "exempt": {
                "reason": f"{rows.what[:1].upper()}{rows.what[1:]}; no person is named or pointed to",
                "owner": TODO,
                "review_on": TODO,
            }
        },
    )


def _nothing_known(rows: Rows, link: Link | None) -> Decision:
    if link:
        return Decision(
            "What are these rows? Proposed: records that go when their person goes.",
            Because("low", "nothing but the link to a person is known"),
            {"subject": link.as_subject(), "follows": "person", **_collected(rows)},
        )
    if not rows.has_personal:
        return _exempt(rows)
    return _open(rows, "personal data, but nothing says whose, or under which rule")


def _open(rows: Rows, what: str) -> Decision:
    return Decision(
        f"It seems to hold {what}: name the rule and the link, or leave it under review.",
        rows.because,
        {},
    )


def _otherwise(
    rows: Rows, link: Link, policy: Policy
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The subject, and the rule of rows whose person is not known; where the policy has none, review."""
    category = rows.known.otherwise if rows.known else None
    rule = _rule(policy, category) if category else None
    subject = link.as_subject()
    if rule is None:
        return {"subject": subject}, {}
    return (
        {"subject": {**subject, "unmatched": "own_rule"}},
        {"otherwise": {"rule": rule, "anchor": rows.at}},
    )


def _collected(rows: Rows) -> dict[str, Any]:
    return {"collected_at": rows.at} if rows.at else {}


def _rule(policy: Policy, category: str | None) -> str | None:
    named = [rule.id for rule in policy.rules if rule.category == category]
    return named[0] if named else None
