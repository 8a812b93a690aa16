"""What must hold between the parts of a policy.

Belongs here: checks that need more than one part, each with the path of what is wrong. Does not
belong here: what a part promises by itself (`values`, `rules`, `processing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, get_args

from retention.policy.model import Policy
from retention.policy.periods import parse_period
from retention.policy.rules import Category, Condition, PeriodFrom, RuleId
from retention.policy.yaml_lines import Lines, Step

Found = tuple[tuple[Step, ...], str]


class Engine(NamedTuple):
    """What the SQL knows a rule as: names it joins on, and where it looks for the period."""

    category: Category | None
    condition: Condition
    period_from: tuple[PeriodFrom, ...]


ENGINE: dict[RuleId, Engine] = {
    "R1": Engine("lead_partner", "no_relationship_via_partner", ("fixed",)),
    "R2": Engine("lead_direct", "no_relationship_otherwise", ("fixed",)),
    "R3": Engine("customer_no_advice", "relationship_without_advice", ("fixed",)),
    "R4": Engine("assignment", "assignment_completed_or_product_delivered", ("assignment_types",)),
    "R5": Engine("accounting", "accounting_material", ("accounting_classes",)),
    "R6": Engine("lock", "erasure_refused", ("hindrance",)),
    "ACTIVE": Engine("active", "assignment_or_contract_open", ("none",)),
    "SUPPORTING": Engine("supporting", "belongs_to_person_or_assignment", ("followed_record",)),
    "BUSINESS": Engine("business_contact", "contact_of_partner_or_supplier", ("fixed",)),
    "RIGHTS": Engine("rights_request", "right_asserted", ("fixed",)),
    "OWN": Engine("own", "record_of_this_system", ("none",)),
    "PROCESSOR": Engine(None, "collected_after_outside_referral", ("instruction",)),
    "ERASURE": Engine(None, "erasure_decided", ("none",)),
    "CONSENT": Engine(None, "consent_withdrawn", ("none",)),
    "UNCLASSIFIED": Engine("unclassified", "no_rule_known", ("none",)),
}


def problems_of(policy: Policy, lines: Lines) -> Iterator[Found]:
    """Every problem between the parts of `policy`: the path it stands at, and words for it."""
    yield from _rules_overlap(policy, lines)
    yield from _rules_fit_the_engine(policy)
    yield from _purging_needs_a_person(policy)
    yield from _broken_sentence_is_named(policy)
    yield from _ids_are_unique(policy, lines)
    yield from _months_where_only_months_count(policy)
    if policy.unattended.overdue_days.at_least > policy.unattended.overdue_days.at_most:
        yield ("unattended", "overdue_days"), "at_least is more than at_most"


def _rules_overlap(policy: Policy, lines: Lines) -> Iterator[Found]:
    ids: dict[RuleId, int] = {}
    covers: dict[tuple[Category | None, Condition], tuple[RuleId, int]] = {}
    for at, rule in enumerate(policy.rules):
        line = lines.nearest(("rules", at))
        if rule.id in ids:
            yield ("rules", at), f"rule {rule.id} stands twice; the first is on line {ids[rule.id]}"
            continue
        ids[rule.id] = line
        other, other_line = covers.setdefault((rule.category, rule.condition), (rule.id, line))
        if other != rule.id:
            same = f"overlaps rule {other} (line {other_line}): same category and condition"
            yield ("rules", at), f"rule {rule.id} {same}"
    for missing in get_args(RuleId):
        # Of a rule that stands twice, the other's place is empty: one problem, said once.
        if missing not in ids and len(policy.rules) == len(ids):
            yield ("rules",), f"rule {missing} is missing: every rule must be stated"


def _rules_fit_the_engine(policy: Policy) -> Iterator[Found]:
    for at, rule in enumerate(policy.rules):
        known = ENGINE[rule.id]
        if rule.category != known.category:
            yield (
                ("rules", at, "category"),
                f"rule {rule.id} is category {known.category or 'null'}",
            )
        if rule.condition != known.condition:
            yield ("rules", at, "condition"), f"rule {rule.id} has condition {known.condition}"
        if rule.period.from_ not in known.period_from:
            wanted = " or ".join(known.period_from)
            yield ("rules", at, "period"), f"rule {rule.id} takes its period from: {wanted}"


def _purging_needs_a_person(policy: Policy) -> Iterator[Found]:
    for at, rule in enumerate(policy.rules):
        if not rule.unattended:
            continue
        if rule.id == "R3" and policy.readings.broken_sentence:
            # Requirements § 2: while the sentence it rests on is broken, a person always decides.
            yield ("rules", at, "unattended"), "R3 always needs a person: write unattended: false"
        elif rule.disposition != "purge":
            yield (
                ("rules", at, "unattended"),
                f"rule {rule.id} is not purged, so it cannot be unattended",
            )


def _broken_sentence_is_named(policy: Policy) -> Iterator[Found]:
    reading = policy.readings.broken_sentence
    if reading is None:
        return
    if "R3" not in reading.applies_to:
        yield ("readings", "broken_sentence", "applies_to"), "the broken sentence bears on R3"
    if reading.defect not in {defect.id for defect in policy.defects}:
        yield (
            ("readings", "broken_sentence", "defect"),
            f"no defect '{reading.defect}' is listed under defects: every report must name it",
        )


def _ids_are_unique(policy: Policy, lines: Lines) -> Iterator[Found]:
    for section in ("subject_kinds", "data_categories", "purposes", "recipients", "defects"):
        seen: dict[str, int] = {}
        for at, item in enumerate(getattr(policy, section)):
            line = lines.nearest((section, at))
            if item.id in seen:
                yield (
                    (section, at),
                    f"'{item.id}' stands twice in {section}; the first is on line {seen[item.id]}",
                )
            seen.setdefault(item.id, line)


def _months_where_only_months_count(policy: Policy) -> Iterator[Found]:
    months_only: dict[tuple[Step, ...], str] = {
        ("operations", "idle_active"): policy.operations.idle_active
    }
    for name, kind in policy.assignment_types.items():
        months_only["assignment_types", name, "period"] = kind.period
    for name, kind in policy.accounting.classes.items():
        months_only["accounting", "classes", name, "period"] = kind.period
    for path, period in months_only.items():
        if parse_period(period).days:
            yield path, f"{path[-1]} is counted in months and years: {period!r} has days"
