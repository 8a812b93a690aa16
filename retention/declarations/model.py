"""The declaration of a landing table, as a checked object.

Belongs here: the keys of `config.meta.retention` and the rules a declaration as a whole must obey. Does
not belong here: what a single key holds (`parts`), reading files (`load`), writing SQL (`staging`).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from retention.declarations.parts import (
    Accounting,
    AssignmentFact,
    AssignmentLink,
    Consent,
    Consented,
    ContactEvent,
    Exemption,
    ExternalObject,
    Handover,
    Instruction,
    Lead,
    Objection,
    Otherwise,
    Part,
    Person,
    PersonalColumn,
    Provider,
    Request,
    Reveals,
    RuleName,
    Subject,
)


class TableDeclaration(Part):
    """Everything declared about one landing table. `schema_` and `name` come from the dbt source."""

    schema_: str
    name: str
    description: str = ""
    system: str = ""
    owner: str = ""
    schema_optional: bool = False
    optional: bool = False
    exempt: Exemption | None = None
    key: tuple[str, ...] = ()
    key_is_personal: bool = False
    entity: tuple[str, ...] = ()
    current_when: str | None = None
    soft_delete: str | None = None
    subject: Subject | None = None
    otherwise: Otherwise | None = None
    follows: Literal["person", "assignment", "review"] | RuleName = "review"
    assignment: AssignmentLink | None = None
    anchor: tuple[str, ...] = ()
    period: str | None = None
    collected_at: str | None = None
    person: Person | None = None
    lead: Lead | None = None
    contact_event: ContactEvent | None = None
    assignment_fact: AssignmentFact | None = None
    accounting: Accounting | None = None
    handover: Handover | None = None
    instruction: Instruction | None = None
    request: Request | None = None
    objection: Objection | None = None
    consent: Consent | None = None
    consented: Consented | None = None
    reveals: Reveals | None = None
    external_object: tuple[ExternalObject, ...] = ()
    provided_by: Provider = "us"
    personal: dict[str, PersonalColumn] = Field(default_factory=dict)
    harmless: tuple[str, ...] = ()
    exempt_columns: dict[str, Exemption] = Field(default_factory=dict)
    types: dict[str, str] = Field(default_factory=dict)

    @field_validator("anchor", "entity", "key", "harmless", mode="before")
    @classmethod
    def one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("external_object", mode="before")
    @classmethod
    def column_or_more(cls, value: Any) -> Any:
        listed = value if isinstance(value, list | tuple) else [value]
        return tuple({"column": one} if isinstance(one, str) else one for one in listed)

    @field_validator("personal", mode="before")
    @classmethod
    def short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: {"kind": v} if isinstance(v, str) else v for k, v in value.items()}

    @model_validator(mode="after")
    def consistent(self) -> TableDeclaration:
        if self.exempt:
            if self.instruction and not self.key:
                raise ValueError("a table with partners' instructions needs a `key`")
            if self.reveals and not self.instruction:
                raise ValueError("`reveals` is for a table of partners (`instruction`)")
            return self
        twice = Counter([*self.personal, *self.harmless, *self.exempt_columns])
        if doubled := sorted(column for column, times in twice.items() if times > 1):
            raise ValueError(
                f"column declared twice (personal, harmless, exempt): {', '.join(doubled)}"
            )
        if self.person and not (self.subject and self.subject.self_):
            raise ValueError("a table of persons needs `subject: {self: true}`")
        if self.contact_event and (self.period or self.follows != "person"):
            # A purged contact would move its person from R3 back to R1 (facts outlive evidence).
            raise ValueError("a contact event follows its person and has no period of its own")
        if self.reveals:
            raise ValueError("`reveals` is for a table of partners (`instruction`)")
        facts = (self.lead, self.contact_event, self.handover, self.request, self.consent)
        if any(facts) and not self.subject:
            raise ValueError(
                "leads, contact events, hand-overs, requests and consents need a subject"
            )
        if self.follows == "assignment" and not (self.assignment or self.assignment_fact):
            raise ValueError("`follows: assignment` needs `assignment` or `assignment_fact`")
        if self.follows == "person" and not self.subject:
            raise ValueError("`follows: person` needs `subject`")
        if isinstance(self.follows, RuleName) and not self.anchor_columns:
            raise ValueError("a table with a rule of its own needs an `anchor`")
        for outcome in ("unmatched", "several"):
            if getattr(self.subject, outcome, None) == "own_rule" and not self.otherwise:
                raise ValueError(f"`{outcome}: own_rule` needs `otherwise: {{rule, anchor}}`")
        if self.period and not self.anchor_columns:
            raise ValueError("a period of its own needs an `anchor`")
        if self.request and self.request.id_scan and self.request.id_scan not in self.stores:
            raise ValueError("`id_scan` names a column of `external_object`")
        if self.external_object and not self.system:
            raise ValueError("a table with an `external_object` needs the `system` it comes from")
        if self.key_is_personal and len(self.key) != 1:
            raise ValueError("`key_is_personal` is for a key of one column")
        if self.minimisable:
            self._check_minimisable()
        if self.consented:
            self._check_consented(self.consented)
        return self

    def _check_minimisable(self) -> None:
        """What becomes null may not be what says whose the row is, or when it is due."""
        if not (self.accounting and self.subject):
            raise ValueError(
                "`not_required_by: [accounting]` is for accounting documents with a `subject`, whose"
                " own period it follows"
            )
        needed = set(self.minimisable) & {*self.columns_used, self.external_object}
        if needed:
            raise ValueError(
                "the classification needs it, so it cannot be minimised:"
                f" {', '.join(sorted(str(column) for column in needed))}"
            )

    def _check_consented(self, consented: Consented) -> None:
        """What a withdrawal erases may not be what says whose the row is, or when it is due; a partner's
        id may, because a neutral flag then keeps the rule."""
        if not self.subject:
            raise ValueError("`consented` needs a `subject`, whose consent it is")
        if consented.when == "revealed_by_partner" and not self.partner_column:
            raise ValueError("`when: revealed_by_partner` is for leads and hand-overs of a partner")
        columns = set(consented.columns)
        if undeclared := columns - self.personal.keys():
            raise ValueError(f"consented, but not personal: {', '.join(sorted(undeclared))}")
        needed = columns & {*self.minimisable, *self.columns_used} - {self.partner_column}
        if needed:
            raise ValueError(
                "the classification or accounting speaks of it, so no consent can:"
                f" {', '.join(sorted(needed))}"
            )

    @property
    def partner_column(self) -> str | None:
        """The column that says which partner a lead came from, or a person was handed over to."""
        if self.lead:
            return self.lead.partner
        return self.handover.partner if self.handover else None

    @property
    def consented_columns(self) -> tuple[str, ...]:
        """Columns that become null once the consent they rest on is withdrawn."""
        return self.consented.columns if self.consented else ()

    @property
    def nullable(self) -> tuple[str, ...]:
        """Columns that become null in a row that stays, for either reason."""
        return (*self.minimisable, *self.consented_columns)

    @property
    def qualified(self) -> str:
        return f"{self.schema_}.{self.name}"

    @property
    def stores(self) -> dict[str, str]:
        """The store behind each column that points to an object outside the warehouse."""
        return {each.column: each.store or self.system for each in self.external_object}

    @property
    def staging_model(self) -> str:
        return f"stg_{self.schema_}__{self.name}"

    @property
    def minimisable(self) -> tuple[str, ...]:
        """Columns that become null once nothing but accounting keeps the row (requirements § 2)."""
        return tuple(
            name for name, column in self.personal.items() if "accounting" in column.not_required_by
        )

    def provider_of(self, column: str) -> Provider:
        """Who gave us what stands in a column."""
        declared = self.personal.get(column)
        return (declared and declared.provided_by) or self.provided_by

    @property
    def entity_columns(self) -> tuple[str, ...]:
        return self.entity or self.key

    @property
    def anchor_columns(self) -> tuple[str, ...]:
        """The columns whose first readable value dates the row itself, by what the row is."""
        if self.anchor:
            return self.anchor
        for column in (
            self.lead and self.lead.received_at,
            self.contact_event and self.contact_event.at,
            self.accounting and self.accounting.document_date,
            self.handover and self.handover.at,
            self.request and self.request.received_at,
            self.person and self.collected_at,
        ):
            if column:
                return (column,)
        return ()

    @property
    def needs_anchor(self) -> bool:
        """True where a row without a readable date of its own cannot be classified."""
        return bool(
            self.lead
            or self.contact_event
            or self.accounting
            or self.person
            or self.handover
            or self.period
            or isinstance(self.follows, RuleName)
        )

    @property
    def is_fact(self) -> bool:
        """True where rows of this table can move the deadline of other records."""
        return bool(
            self.person
            or self.lead
            or self.contact_event
            or self.assignment_fact
            or self.handover
            or self.instruction
            or self.request
            or self.consent
        )

    @property
    def columns_used(self) -> tuple[str, ...]:
        """Landing columns the record facts read: without one of them the table is set aside."""
        used: list[str | None] = [*self.key, *self.entity, *self.anchor_columns]
        used += [self.current_when, self.soft_delete, self.collected_at]
        # Without the pointer nobody could tell what must go before the row.
        used += [pointer.column for pointer in self.external_object]
        if self.subject:
            used += [self.subject.foreign_key, self.subject.through]
            used += [*self.subject.email, *self.subject.phone]
            used.append(self.subject.same_as.foreign_key if self.subject.same_as else None)
        if self.otherwise:
            used.append(self.otherwise.anchor)
        if self.assignment:
            used.append(self.assignment.column)
        if self.person:
            used.append(self.person.received_via_partner)
        if self.lead:
            used.append(self.lead.partner)
        if self.contact_event:
            used += [column for clause in self.contact_event.counts_when for column in clause]
        if fact := self.assignment_fact:
            used += [fact.type if isinstance(fact.type, str) else None, fact.state.column]
            used += [fact.opened_at, fact.completed_at, fact.acknowledged_at]
        if self.handover:
            used += [self.handover.scope, self.handover.partner]
        if self.instruction:
            used += [self.instruction.id, self.instruction.period]
        if self.reveals:
            used.append(self.reveals.when)
        if self.consent:
            used += [self.consent.purpose, self.consent.given_at, self.consent.withdrawn_at]
        if self.request:
            used.append(self.request.closed_when.column)
            used.append(self.request.right.column if self.request.right else None)
        if self.objection:
            used += [*self.objection.email, *self.objection.phone]
        return tuple(dict.fromkeys(column for column in used if column))

    @property
    def columns_declared(self) -> frozenset[str]:
        return frozenset((*self.columns_used, *self.personal, *self.harmless, *self.exempt_columns))


class Declarations(Part):
    """All declared tables, in the order schema, name."""

    tables: tuple[TableDeclaration, ...]

    @property
    def governed(self) -> tuple[TableDeclaration, ...]:
        """Tables whose rows are records."""
        return tuple(table for table in self.tables if not table.exempt)

    @property
    def staged(self) -> tuple[TableDeclaration, ...]:
        """Tables the models read: the governed ones, and partners with their instructions."""
        return tuple(table for table in self.tables if not table.exempt or table.instruction)

    @property
    def with_identity_scans(self) -> tuple[TableDeclaration, ...]:
        """Tables of requests whose rows point to the scan of an identity document."""
        return tuple(t for t in self.governed if t.request and t.request.id_scan)

    def table(self, qualified: str) -> TableDeclaration | None:
        return next((table for table in self.tables if table.qualified == qualified), None)
