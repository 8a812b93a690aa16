"""Whom and what the policy is about: data subjects, categories of data, purposes, recipients.

Belongs here: the inventory (requirements § 1), which reports and requests read. Does not belong
here: how long anything is kept (`rules`) and in which column it stands (the declarations).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from retention.policy.rules import RuleId
from retention.policy.values import Clause, Identifier, Part, Text


class SubjectKind(Part):
    """A role in which a human meets the controller; one human can have several at once."""

    id: Identifier = Field(description="its name")
    norwegian: Text = Field(description="the same in bokmål")
    description: Text = Field(description="who that is")
    clause: Clause = Field(description="where the text names them")
    rules: tuple[RuleId, ...] = Field(
        min_length=1, description="the rules that their records fall under"
    )


class DataCategory(Part):
    """A kind of personal data the policy names, and the rules that records with it fall under."""

    id: Identifier = Field(description="its name")
    norwegian: Text = Field(description="the same in bokmål")
    description: Text = Field(description="what it holds")
    clause: Clause = Field(description="where the text names it")
    rules: tuple[RuleId, ...] = Field(
        min_length=1, description="the rules that its records fall under"
    )
    special_category: bool = Field(default=False, description="GDPR art. 9")


class Purpose(Part):
    """Why data is processed, on which basis, and whether the policy itself states that basis."""

    id: Identifier = Field(description="its name")
    norwegian: Text = Field(description="the purpose as a letter says it in bokmål")
    description: Text = Field(description="the purpose")
    legal_basis: tuple[Text, ...] = Field(min_length=1, description="provisions of law")
    stated_in_policy: bool = Field(description="whether the text itself names the basis")
    clause: Clause = Field(description="where the text names it")
    consent_only: bool = Field(default=False, description="consent is the only basis")
    on_withdrawal: Literal["erase", "stop"] | None = Field(
        default=None, description="`erase` what it allowed, or `stop`"
    )

    @model_validator(mode="after")
    def _says_what_withdrawal_does(self) -> Self:
        if self.consent_only != (self.on_withdrawal is not None):
            raise ValueError(
                "on_withdrawal stands exactly where consent is the only basis: erase or stop"
            )
        return self


class Recipient(Part):
    """Who receives the data (§ 5) and is told of its purge or correction (GDPR art. 19)."""

    id: Identifier = Field(description="its name")
    name: Text = Field(description="as the policy names it")
    norwegian_name: Text | None = Field(default=None, description="where it has one of its own")
    role: Literal["processor", "joint_controller", "controller"] = Field(
        description="for whom it processes"
    )
    purpose: Text = Field(description="what it receives data for")
    norwegian: Text = Field(description="the purpose as a letter says it in bokmål")
    clause: Clause = Field(description="where the text names it")
    schemas: tuple[Identifier, ...] = Field(
        default=(), description="landing schemas that hold this recipient's copy"
    )
    notify: bool = Field(description="whether it is told (GDPR art. 19)")


class Defect(Part):
    """A place where the policy text is broken, unclear or silent; every report names these."""

    id: Identifier = Field(description="its name")
    clause: Clause = Field(description="the place in the text")
    notice: Text = Field(description="what every report says of it")
