"""The words of the policy that stand behind an asset.

Belongs here: which passages they are, and quoting them with what they mean. Does not belong here: the words
themselves, which only the policy file holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from retention.declarations import TableDeclaration
from retention.declarations.parts import RuleName
from retention.policy import Policy
from retention.policy.values import Clause

#: The rules that give a deadline: what stands behind whatever treats every record alike.
EVERY_RECORD = ("R1", "R2", "R3", "R4", "R5")

_PERSON = ("R1", "R2", "R3", "R4")
_IDENTITY = ("data_category.identity",)

# By the last part of an asset's key; whatever is not named stands behind every record. A policy that lacks
# a passage of these, as another company's may, is quoted with the others.
_BEHIND: Mapping[str, Sequence[str]] = {
    # facts
    "int_contact_points": _IDENTITY,
    "int_contact_points_matched": _IDENTITY,
    "int_contacts_counted": ("subject_kind.customer", "R3"),
    "int_handovers_decided": ("PROCESSOR",),
    "int_humans": _IDENTITY,
    "int_parents_linked": ("SUPPORTING", "R4"),
    "int_person_partners": ("recipient.partners", "R1"),
    "int_record_candidates": _IDENTITY,
    "int_record_cases": ("SUPPORTING", "R4"),
    "int_record_mentions": _IDENTITY,
    "int_subjects": _IDENTITY,
    # deadlines
    "int_assignments_decided": ("R4", "ACTIVE"),
    "int_blockers_in_force": ("R6",),
    "int_consents_decided": ("CONSENT",),
    "int_erasures_decided": ("ERASURE",),
    "int_leads_decided": ("R1", "R2"),
    "int_out_of_use": ("R6",),
    "int_person_grounds": (*_PERSON, "ACTIVE"),
    "int_person_winners": (*_PERSON, "ACTIVE"),
    "int_record_paths": ("SUPPORTING", "PROCESSOR"),
    "int_returns_judged": ("OWN",),
    "int_withdrawn_records": ("CONSENT",),
    "int_working_days": ("R4", "R5"),
    # marts
    "marketing_recipients": ("purpose.marketing", "OWN"),
    "plan_checks": ("R6",),
    "review_queue": ("UNCLASSIFIED", "BUSINESS", "RIGHTS"),
    "sharing_allowed": ("purpose.share_back",),
    # the policy's own tables
    "declared_tables": _IDENTITY,
    "policy_accounting_classes": ("R5",),
    "policy_assignment_types": ("R4",),
    "policy_consent_purposes": ("CONSENT", "purpose.optional_cookies", "purpose.share_back"),
    "policy_hindrances": ("R6",),
    "policy_recipients": ("recipient.fivetran", "recipient.partners"),
    "policy_supporting_periods": ("SUPPORTING",),
    "policy_unattended": ("R1", "R2"),
    "public_holidays": ("R4", "R5"),
    # the ledger's
    "assignment_restarts": ("R4",),
    "blockers": ("R6",),
    "column_grounds": ("R5",),
    "contact_points_checked": ("purpose.marketing", "OWN"),
    "erasure_decisions": ("ERASURE", "CONSENT"),
    "received_via_partner": ("R1", "CONSENT"),
    "requests": ("RIGHTS", "ERASURE"),
    "returned_records": ("OWN",),
    "review_decisions": ("UNCLASSIFIED",),
    "subject_tokens": _IDENTITY,
    # our own assets
    "housekeeping": ("OWN",),
    "locks": ("R6",),
    "personal_data": ("data_category.product_input",),
    "recipients": ("recipient.partners", "recipient.hosting_provider"),
    "restrictions": ("purpose.legal_claims", "R6"),
    "rights_register": ("RIGHTS", "ERASURE"),
    "suppressions": ("purpose.marketing", "OWN"),
}


@dataclass(frozen=True)
class Passage:
    """Words of the policy, where they stand, what they mean, and the retention category they make."""

    label: str
    quote: str
    meaning: str
    category: str | None = None


class Passages:
    """The passages of one policy, by what they are about."""

    def __init__(self, policy: Policy) -> None:
        self._known = dict(_all(policy))
        self._by_schema = {
            schema: f"recipient.{recipient.id}"
            for recipient in policy.recipients
            for schema in recipient.schemas
        }

    def behind(self, asset: str) -> list[Passage]:
        """What stands behind an asset of ours or a model, by the last part of its key."""
        return self._chosen(_BEHIND.get(asset, ()))

    def behind_table(self, table: TableDeclaration) -> list[Passage]:
        """What stands behind a landing table: the rules its rows can fall under; of an exempt one, why
        the system that it comes from is used at all."""
        if table.exempt:
            return self._chosen([self._by_schema.get(table.schema_, "")])
        return self._chosen(rules_of(table))

    def _chosen(self, wanted: Iterable[str]) -> list[Passage]:
        found = [self._known[name] for name in wanted if name in self._known]
        return found or [self._known[name] for name in EVERY_RECORD]


def quoted(passages: Iterable[Passage]) -> str:
    """The passages as Markdown, each in the policy's words and then in ours."""
    return "\n\n".join(
        f"> **Policy {one.label}:** «{' '.join(one.quote.split())}»\n>\n> {one.meaning}"
        for one in passages
    )


def category_tags(passages: Sequence[Passage]) -> dict[str, str]:
    """A tag for each category that the passages make; `all` where they are about every record."""
    categories = sorted({one.category for one in passages if one.category})
    return {f"category/{name}": "" for name in categories or ["all"]}


def rules_of(table: TableDeclaration) -> Iterator[str]:
    """The rules that can decide the table's rows, as far as the declaration tells."""
    if table.accounting:
        yield "R5"
    elif isinstance(table.follows, RuleName):
        yield table.follows.rule
    elif table.person or table.lead:
        yield from _PERSON
    elif table.follows == "person":
        yield "SUPPORTING"
    elif table.follows == "assignment":
        yield "R4"
    else:
        yield "UNCLASSIFIED"
    if table.otherwise:
        yield table.otherwise.rule


def _all(policy: Policy) -> Iterator[tuple[str, Passage]]:
    for rule in policy.rules:
        yield rule.id, _passage(rule.clause, f"{rule.id}: {rule.summary}", rule.category)
    for kind in policy.subject_kinds:
        yield f"subject_kind.{kind.id}", _passage(kind.clause, kind.description)
    for category in policy.data_categories:
        yield f"data_category.{category.id}", _passage(category.clause, category.description)
    for purpose in policy.purposes:
        yield f"purpose.{purpose.id}", _passage(purpose.clause, purpose.description)
    for recipient in policy.recipients:
        meaning = f"{recipient.name}: {recipient.purpose}"
        yield f"recipient.{recipient.id}", _passage(recipient.clause, meaning)


def _passage(clause: Clause, meaning: str, category: str | None = None) -> Passage:
    return Passage(clause.label, clause.quote, " ".join(meaning.split()), category)
