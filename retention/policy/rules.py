"""Retention rules and the readings they rest on.

Belongs here: one rule, one reading. Does not belong here: whether the rules fit together
(`checks`), and what finds the records a rule covers, which is SQL.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from retention.policy.values import Clause, Identifier, Marked, Part, PeriodText, Text

RuleId = Literal[
    "R1",
    "R2",
    "R3",
    "R4",
    "R5",
    "R6",
    "ACTIVE",
    "SUPPORTING",
    "BUSINESS",
    "RIGHTS",
    "OWN",
    "PROCESSOR",
    "ERASURE",
    "CONSENT",
    "UNCLASSIFIED",
]
Category = Literal[
    "lead_partner",
    "lead_direct",
    "customer_no_advice",
    "assignment",
    "accounting",
    "lock",
    "active",
    "supporting",
    "business_contact",
    "rights_request",
    "own",
    "unclassified",
]
Condition = Literal[
    "no_relationship_via_partner",
    "no_relationship_otherwise",
    "relationship_without_advice",
    "assignment_completed_or_product_delivered",
    "accounting_material",
    "erasure_refused",
    "assignment_or_contract_open",
    "belongs_to_person_or_assignment",
    "contact_of_partner_or_supplier",
    "right_asserted",
    "record_of_this_system",
    "collected_after_outside_referral",
    "erasure_decided",
    "consent_withdrawn",
    "no_rule_known",
]
PeriodFrom = Literal[
    "fixed",
    "assignment_types",
    "accounting_classes",
    "followed_record",
    "hindrance",
    "instruction",
    "none",
]
Disposition = Literal["purge", "minimise", "review", "keep"]


class RulePeriod(Marked):
    """How long a rule keeps: a period of its own (`fixed`), or where the period comes from."""

    from_: PeriodFrom = Field(alias="from", description="`fixed` here, or from there")
    value: PeriodText | None = Field(default=None, description="the period, where it is fixed")

    @model_validator(mode="after")
    def _has_a_value_if_fixed(self) -> Self:
        if (self.from_ == "fixed") != (self.value is not None):
            raise ValueError("a period has a value exactly where it says from: fixed")
        return self


class Trigger(Marked):
    """The event whose local date (Europe/Oslo) starts the period: the anchor."""

    event: Identifier = Field(description="the event's name")
    description: Text = Field(description="which day that is")


class Rule(Part):
    """What is kept, how long, from when, and what happens then."""

    id: RuleId = Field(description="the rule's name, known to the models")
    category: Category | None = Field(description="null: the category of the record stays")
    summary: Text = Field(description="the rule in words, as `explain` shows it")
    condition: Condition = Field(description="what a record must be, known to the models")
    period: RulePeriod = Field(description="how long it keeps")
    trigger: Trigger = Field(description="from which event")
    clause: Clause = Field(description="the words that carry it")
    legal_basis: tuple[Text, ...] = Field(min_length=1, description="provisions of law")
    disposition: Disposition = Field(description="what happens once due")
    is_minimum: bool = Field(
        description="a minimum ends on the next working day; a maximum is never extended"
    )
    unattended: bool = Field(description="may be purged without a person, inside the blast radius")


class Reading(Marked):
    """A question that the text leaves open, the answer in force, and the rules it bears on."""

    question: Text = Field(description="what the text leaves open")
    applies_to: tuple[RuleId, ...] = Field(
        min_length=1, description="the rules that rest on the answer"
    )
    decided_in: Text = Field(description="the decision record, from the project's root")


class BrokenSentence(Reading):
    """§ 6's sentence without a main clause: reading A, B, or both (requirements § 2).

    A and B leave one group without a period: the one of its rule is then a proposal only.
    """

    value: Literal["A", "B", "both"] = Field(description="which reading is in force")
    sentence: Clause = Field(description="the sentence")
    defect: Identifier = Field(description="the entry under `defects`")

    @property
    def without_period(self) -> RuleId | None:
        """The rule that this reading takes the period from."""
        without: dict[str, RuleId] = {"A": "R3", "B": "R2"}
        return without.get(self.value)


class CountingContact(Part):
    """A channel, and what makes an event on it a contact."""

    channel: Literal["email", "phone", "video"] = Field(description="how it came")
    when: Text = Field(description="when it counts")


class RelationshipStart(Reading):
    """Which contacts make a customer relationship; the declarations find them in the tables."""

    clause: Clause = Field(description="the words that carry it")
    counts: tuple[CountingContact, ...] = Field(
        min_length=1, description="what makes a relationship"
    )
    never_counts: tuple[Text, ...] = Field(description="what makes none")


class ExistingRelationship(Reading):
    value: Literal["living_relationship_bars_r1"] = Field(description="the one known answer")


class LateContact(Reading):
    value: Literal["review"] = Field(description="the one known answer")


class LeadFollowsPerson(Reading):
    value: Literal["follows_person"] = Field(description="the one known answer")


class ContactDuringAssignment(Reading):
    value: Literal["adds_no_r3_ground"] = Field(description="the one known answer")


class EndedAssignments(Reading):
    value: Literal["r4_from_end_date"] = Field(description="the one known answer")


class DeliveredProduct(Reading):
    value: Literal["r4_by_type"] = Field(description="the one known answer")


class Acknowledgement(Reading):
    value: Literal["restarts_r4"] = Field(description="the one known answer")


class Readings(Part):
    """Every reading this engine can apply. Another value than its own needs other SQL first."""

    broken_sentence: BrokenSentence | None = Field(
        default=None, description="absent in a version whose text is mended"
    )
    relationship_start: RelationshipStart = Field(description="what makes a customer relationship")
    existing_relationship: ExistingRelationship = Field(
        description="a lead who was a customer already"
    )
    late_contact: LateContact = Field(description="a contact after the period, before the purge")
    lead_follows_person: LeadFollowsPerson = Field(
        description="a lead's row whose person is a customer"
    )
    contact_during_assignment: ContactDuringAssignment = Field(
        description="contact while one is kept"
    )
    ended_assignments: EndedAssignments = Field(description="an assignment that ended uncompleted")
    delivered_product: DeliveredProduct = Field(description="a purchase without any contact")
    acknowledgement: Acknowledgement = Field(description="a claim that was acknowledged")

    def bearing_on(self, rule_id: RuleId) -> tuple[Reading, ...]:
        """The readings that `rule_id` rests on, in the order above."""
        readings = (getattr(self, name) for name in type(self).model_fields)
        return tuple(reading for reading in readings if reading and rule_id in reading.applies_to)
