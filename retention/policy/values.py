"""The small values that every part of a policy is made of: clauses, marks, approvals, periods.

Belongs here: values without a meaning of their own, and the promises each must keep by itself. Does
not belong here: rules and tables (`rules`, `processing`, `model`), and what one value means for
another (`checks`).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from retention.policy.periods import PERIOD_PATTERN, Period, parse_period

Mark = Literal["text", "law", "choice"]
ApprovalState = Literal["approved", "example", "none"]

# Least approved first: a value made of several parts is only as approved as the least of them.
APPROVAL_ORDER: tuple[ApprovalState, ...] = ("none", "example", "approved")


def _checked_period(value: str) -> str:
    parse_period(value)
    return value


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
PeriodText = Annotated[
    str,
    AfterValidator(_checked_period),
    WithJsonSchema({"type": "string", "pattern": PERIOD_PATTERN, "examples": ["P6M", "P3Y6M"]}),
]


class Part(BaseModel):
    """A part of a policy: unknown keys are errors, values never change, types are never guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Clause(Part):
    """A section of the policy text and the exact words there that carry a rule."""

    section: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*$")] = Field(
        description="its number"
    )
    quote: Text = Field(description="the exact words, found in the text")

    @property
    def label(self) -> str:
        return f"§ {self.section}"


class Approval(Part):
    """Who answers for a value that the text itself does not state.

    `example` counts only for the sample warehouse; `none` means that nobody has decided.
    """

    state: ApprovalState = Field(description="`approved`, `example` (the sample alone) or `none`")
    by: Text | None = Field(default=None, description="who decided")
    on: date | None = Field(default=None, description="when")
    source: Text | None = Field(default=None, description="where the decision is written")

    @model_validator(mode="after")
    def _is_traceable(self) -> Self:
        if self.state == "approved" and not (self.by and self.on and self.source):
            raise ValueError("an approval needs by, on and source: who decided, when, where it is")
        return self


def _law_and_choice_need_approval(schema: dict[str, Any]) -> None:
    schema["allOf"] = [
        {
            "if": {"properties": {"mark": {"const": mark}}, "required": ["mark"]},
            "then": {"required": ["approval", needed]},
        }
        for mark, needed in (("law", "source"), ("choice", "reason"))
    ]


class Marked(Part):
    """A value with its origin: the policy's text, a law, or our choice where both are silent.

    A law names its source, a choice its reason; both say who approved them, if only `none`.
    """

    model_config = ConfigDict(json_schema_extra=_law_and_choice_need_approval)

    mark: Mark = Field(description="`text`, `law` or `choice`")
    reason: Text | None = Field(default=None, description="why; needed by a choice")
    source: Text | None = Field(default=None, description="the provision; needed by a law")
    approval: Approval | None = Field(
        default=None, description="who approved it; needed by law and choice"
    )

    @model_validator(mode="after")
    def _is_founded(self) -> Self:
        if self.mark == "law" and not self.source:
            raise ValueError("a value marked law needs a source: the provision it rests on")
        if self.mark == "choice" and not self.reason:
            raise ValueError("a value marked choice needs a reason")
        if self.mark != "text" and self.approval is None:
            raise ValueError(
                f"missing approval: a value marked {self.mark} says who approved it; until"
                " somebody has, write approval: {state: none}"
            )
        return self

    @property
    def approval_state(self) -> ApprovalState:
        return self.approval.state if self.approval else "none"


class MarkedPeriod(Marked):
    """A period that holds for one kind of thing, such as an assignment type."""

    description: Text = Field(description="what it is")
    norwegian: Text | None = Field(default=None, description="the same in bokmål")
    period: PeriodText = Field(description="how long")

    @property
    def length(self) -> Period:
        return parse_period(self.period)


class Days(Part):
    """A number of days that steers the operation, with the reason for it."""

    value: Annotated[int, Field(ge=1, le=3650)] = Field(description="the number of days")
    reason: Text = Field(description="why so many")


class Hours(Part):
    """A number of hours to be patient for, with the reason for it."""

    value: Annotated[int, Field(ge=1, le=720)] = Field(description="the number of hours")
    reason: Text = Field(description="why so many")


class Minutes(Part):
    """A number of minutes for which something may be done, with the reason for it."""

    value: Annotated[int, Field(ge=1, le=1440)] = Field(description="the number of minutes")
    reason: Text = Field(description="why so many")


class Seconds(Part):
    """A number of seconds to wait, with the reason for it."""

    value: Annotated[int, Field(ge=0, le=3600)] = Field(description="the number of seconds")
    reason: Text = Field(description="why so many")


class Rate(Part):
    """A most per second, with the reason for it."""

    value: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="the number of rows a second"
    )
    reason: Text = Field(description="why so many")
