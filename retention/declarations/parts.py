"""The parts of a table's declaration, each a small checked object.

Belongs here: what one key under `config.meta.retention` holds. Does not belong here: the declaration that
they make up, and the rules between them (`model`).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from retention.rights.model import Right

PERSONAL_KINDS = (
    "name",
    "email",
    "phone",
    "national_id",
    "address",
    "ip",
    "account_number",
    "free_text",
    "online_id",
    "financial",
    "family",
    "special_category",
    "object_pointer",
    "other",
)


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a declaration: the key, and what is the matter with it."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "retention"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


class Part(BaseModel):
    """A part of a declaration: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Exemption(Part):
    """Why a table, or a column, holds no personal data, who says so, and when that is looked at again."""

    reason: str = Field(min_length=10)
    owner: str
    review_on: date

    def is_past(self, on: date) -> bool:
        """True once somebody should have looked at it again; it stays in force all the same."""
        return on > self.review_on

    @property
    def appointment(self) -> str:
        """Who was to look at it again, and when."""
        return f"{self.owner} was to review it on {self.review_on}"


class Otherwise(Part):
    """The stated outcome for a row whose data subject is not known: a rule and its own anchor."""

    rule: str
    anchor: str


class SameAs(Part):
    """The table of persons that these persons may be in too: found by key, or else by the contact
    points of both, where each has exactly one of the other."""

    to: str
    foreign_key: str | None = None


class Subject(Part):
    """How a row finds its data subject: exactly one of the five ways."""

    self_: bool = Field(default=False, alias="self")
    foreign_key: str | None = None
    through: str | None = None
    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    to: str | None = None
    unmatched: Literal["review", "own_rule"] = "review"
    several: Literal["review", "own_rule"] = "review"
    same_as: SameAs | None = None

    @model_validator(mode="after")
    def one_way(self) -> Subject:
        named = [bool(self.foreign_key), bool(self.through), bool(self.email or self.phone)]
        if self.self_:
            if named[0] or named[1] or self.to:
                raise ValueError("subject: `self` takes only `email`, `phone` and `same_as`")
        elif sum(named) != 1 or not self.to:
            raise ValueError(
                "subject: name exactly one of foreign_key, through, email/phone, and `to`"
            )
        if self.same_as and not self.self_:
            raise ValueError("subject: `same_as` is for a table of persons (`self: true`)")
        if self.same_as and not (self.same_as.foreign_key or self.email or self.phone):
            raise ValueError("subject: `same_as` needs a `foreign_key`, or `email` or `phone`")
        if self.several == "own_rule" and (self.self_ or self.foreign_key):
            raise ValueError("subject: `several` is for email/phone and through; a key finds one")
        return self

    @property
    def link(self) -> str:
        """self, foreign_key, through or contact_point: the name of the way that is declared."""
        if self.self_:
            return "self"
        if self.foreign_key:
            return "foreign_key"
        return "through" if self.through else "contact_point"


class AssignmentLink(Part):
    """The assignment a row belongs to, by foreign key or through another governed table."""

    foreign_key: str | None = None
    through: str | None = None
    to: str

    @model_validator(mode="after")
    def one_way(self) -> AssignmentLink:
        if bool(self.foreign_key) == bool(self.through):
            raise ValueError("assignment: name exactly one of foreign_key and through")
        return self

    @property
    def column(self) -> str:
        return self.foreign_key or self.through or ""


class Person(Part):
    """Rows are persons; `received_via_partner` names the boolean column that says how they came."""

    received_via_partner: str | None = None


class Lead(Part):
    """Rows are leads handed over to us: when, and by which partner (null: direct)."""

    received_at: str
    partner: str | None = None


class ContactEvent(Part):
    """Rows are contact events; those that match any of `counts_when` make a relationship (§6)."""

    at: str
    counts_when: tuple[dict[str, Any], ...] = Field(min_length=1)


class States(Part):
    """The state column of an assignment, and what its values mean."""

    column: str
    open: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    draft: tuple[str, ...] = ()


class FixedValue(Part):
    """A value that holds for every row of the table."""

    value: str


class AssignmentFact(Part):
    """Rows are assignments, contracts, subscriptions or product orders."""

    type: str | FixedValue
    state: States
    opened_at: str
    completed_at: str
    acknowledged_at: str | None = None
    subscription: bool = False


class Accounting(Part):
    """Rows are accounting documents of a class of the policy (bokføringsloven § 13)."""

    document_date: str
    class_: str = Field(alias="class")


class Handover(Part):
    """Rows hand a person over to a partner, inside or outside our own business area (§1)."""

    at: str
    scope: str
    outside: tuple[str, ...]
    partner: str


class Instruction(Part):
    """Rows are partners; these columns hold the partner's recorded processing instruction."""

    id: str
    period: str


class Reveals(Part):
    """Rows are partners; of those where `when` is true, the id alone reveals what only a consent to
    `purpose` allows us to know (§ 2: membership in a trade union)."""

    purpose: str
    when: str


class Consent(Part):
    """Rows are consents: to what, when given, when withdrawn. `purposes` maps the values of the column
    `purpose` to purposes of the policy; without it the column holds those."""

    purpose: str
    given_at: str
    withdrawn_at: str
    purposes: dict[str, str] = Field(default_factory=dict)


class Consented(Part):
    """What consent alone allows us to keep: these columns of a row, or without columns the whole row, and
    everywhere or only where the row's partner `reveals` it."""

    purpose: str
    columns: tuple[str, ...] = ()
    when: Literal["always", "revealed_by_partner"] = "always"


class ClosedWhen(Part):
    column: str
    in_: tuple[str, ...] = Field(alias="in")


class AssertedRight(Part):
    """The column that says which right a request uses, and its words for each; a right that is left out
    is called what it is called here."""

    column: str
    words: dict[Right, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def all_words(self) -> dict[Right, tuple[str, ...]]:
        return {right: self.words.get(right, (right.value,)) for right in Right}

    @field_validator("words")
    @classmethod
    def each_word_once(cls, value: dict[Right, tuple[str, ...]]) -> dict[Right, tuple[str, ...]]:
        words = [word for listed in value.values() for word in listed]
        if len(words) != len(set(words)):
            raise ValueError("a word stands for two rights")
        return value


class Request(Part):
    """Rows are rights requests (§ 8). One that is not closed holds the person's records until the register
    has taken it in; from then on the register says so. Without `right` a person says which it uses.
    `id_scan` points to the scan of an identity document, which goes once identity is verified."""

    received_at: str
    closed_when: ClosedWhen
    right: AssertedRight | None = None
    id_scan: str | None = None


class Objection(Part):
    """Rows are objections to marketing; the contact points in these columns stay suppressed (§ 4)."""

    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()

    @model_validator(mode="after")
    def some_contact_point(self) -> Objection:
        if not (self.email or self.phone):
            raise ValueError("objection: name the columns of `email` or `phone`")
        return self


# Who gave us what a table, or a column, holds (GDPR art. 15(1)(g), 20(1)).
Provider = Literal["person", "partner", "public", "us"]


class PersonalColumn(Part):
    """A column of personal data. `provided_by` where it is not the table's; `about: others` where it tells
    of somebody else than the row's data subject, and is looked at before it is shown (GDPR art. 15(4))."""

    kind: str
    not_required_by: tuple[Literal["accounting"], ...] = ()
    provided_by: Provider | None = None
    about: Literal["subject", "others"] = "subject"

    @field_validator("kind")
    @classmethod
    def known_kind(cls, value: str) -> str:
        if value not in PERSONAL_KINDS:
            raise ValueError(f"unknown kind of personal data '{value}'")
        return value


class ExternalObject(Part):
    """A column that points to a recording, document or scan outside the warehouse. `store` names where
    that lies; without it, the system of the table."""

    column: str
    store: str | None = Field(default=None, min_length=1)


class RuleName(Part):
    rule: str
