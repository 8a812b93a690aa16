"""What the letter of a package tells: categories, periods, purposes, recipients (GDPR art. 15(1)).

Belongs here: gathering it from the policy and the records. Does not belong here: its sentences
(`letters/copy.*.j2`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from retention.classified import CATEGORIES
from retention.policy import Policy
from retention.policy.periods import Period, parse_period
from retention.policy.processing import Purpose
from retention.policy.rules import Rule
from retention.rights.find import PersonRecord
from retention.rights.letters import LANGUAGES, Language, as_html, as_pdf, compose
from retention.rights.letters.words import word
from retention.rights.package.holdings import Holding
from retention.rights.recipients import RecipientOf

_IN_BRACKETS = re.compile(r"\((.+)\)$")


@dataclass(frozen=True)
class Kept:
    """The records of one category: for how long, and the first and last day on which some are due; how many
    are locked, and how many others are past their day."""

    category: str
    rows: int
    norwegian: str
    english: str
    first: date | None
    last: date | None
    locked: int
    overdue: int


@dataclass(frozen=True)
class Told:
    """What a letter says of one table."""

    system: str
    table: str
    kinds: tuple[str, ...]
    rows: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Receives:
    """A recipient, in both languages."""

    norwegian_name: str
    name: str
    role: str
    norwegian: str
    purpose: str


@dataclass(frozen=True)
class Partners:
    """Rows of a table that a partner answers for."""

    table: str
    rows: int


def letters(
    *,
    policy: Policy,
    reference: str,
    on: date,
    holdings: Sequence[Holding],
    recipients: Sequence[RecipientOf],
    partners: Mapping[str, int],
    **told: Any,
) -> dict[str, bytes]:
    """The letter in both languages and both forms, by file name."""
    records = [record for holding in holdings for record in holding.records]
    files: dict[str, bytes] = {}
    for language in LANGUAGES:
        letter = compose(
            "copy",
            language,
            policy=policy,
            reference=reference,
            on=on,
            records=sum(len(holding.rows) for holding in holdings),
            holdings=[
                Told(one.table.system, one.table.qualified, one.kinds, len(one.rows), one.sources)
                for one in holdings
            ],
            purposes=purposes(policy, holdings),
            recipients=receivers(policy, recipients),
            periods=kept(policy, records, on),
            partners=[Partners(*one) for one in sorted(partners.items())],
            **told,
        )
        files[f"letter.{language}.html"] = as_html(letter).encode()
        files[f"letter.{language}.pdf"] = as_pdf(letter)
    return files


def kept(policy: Policy, records: Sequence[PersonRecord], on: date) -> list[Kept]:
    """A line for each category of the records, in the policy's order."""
    lines = []
    for category in CATEGORIES:
        own = [one for one in records if (one.category or "unclassified") == category]
        if not own:
            continue
        due = [one.due_on for one in own if one.due_on]
        rules = [policy.rule(rule) for rule in sorted({one.rule_id for one in own if one.rule_id})]
        lines.append(
            Kept(
                category,
                len(own),
                _all((how_long(policy, rule, "nb") for rule in rules), "nb"),
                _all((how_long(policy, rule, "en") for rule in rules), "en"),
                min(due, default=None),
                max(due, default=None),
                sum(one.status == "locked" for one in own),
                sum(
                    bool(one.due_on and one.due_on <= on) and one.status != "locked" for one in own
                ),
            )
        )
    return lines


def how_long(policy: Policy, rule: Rule, language: Language) -> str:
    """For how long a rule keeps, in words."""
    said = word(rule.period.from_ if rule.period.from_ != "none" else rule.id, "period", language)
    lengths: list[Period] = []
    if rule.period.value is not None:
        lengths = [parse_period(rule.period.value)]
    elif rule.period.from_ == "assignment_types":
        lengths = [one.length for one in policy.assignment_types.values()]
    elif rule.period.from_ == "accounting_classes":
        lengths = [one.length for one in policy.accounting.classes.values()]
    in_order = sorted(set(lengths), key=lambda one: (one.months, one.days))
    words = (one.norwegian if language == "nb" else one.words for one in in_order)
    return said.format(_all(words, language))


def purposes(policy: Policy, holdings: Sequence[Holding]) -> list[Purpose]:
    """The policy's purposes; one that rests on consent alone where the person gave that consent."""
    given = {
        holding.table.consent.purposes.get(str(value), str(value))
        for holding in holdings
        if holding.table.consent
        for _, row in holding.rows
        if (value := row.get(holding.table.consent.purpose)) is not None
    }
    return [one for one in policy.purposes if not one.consent_only or one.id in given]


def receivers(policy: Policy, found: Sequence[RecipientOf]) -> list[Receives]:
    """Whom the data went to, in the policy's words; a partner by its own name, where its row has one."""
    by_id = {one.id: one for one in policy.recipients}
    lines = []
    for one in found:
        # None where the policy of the classification named one that today's does not.
        says = by_id.get(one.recipient_id)
        named = _IN_BRACKETS.search(one.partner or "")
        partner = named[1] if named else one.partner
        lines.append(
            Receives(
                norwegian_name=partner or (says and says.norwegian_name) or one.name,
                name=partner or one.name,
                role=one.role,
                norwegian=says.norwegian if says else "",
                purpose=says.purpose if says else "",
            )
        )
    return lines


def _all(words: Iterable[str], language: Language) -> str:
    joint = " eller " if language == "nb" else " or "
    return joint.join(dict.fromkeys(words))
