"""What is proposed for a table, as values: before it becomes YAML.

Belongs here: the parts of a proposal and their confidence. Does not belong here: finding them out, and how
they are written (`yaml_text`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from retention.detection.model import Confidence

#: The mark of what a person must decide, as it stands in the YAML.
TODO = "TODO"


@dataclass(frozen=True)
class Because:
    """How sure a proposal is, and why."""

    confidence: Confidence
    why: str

    def __str__(self) -> str:
        return f"{self.confidence}: {self.why}"


@dataclass(frozen=True)
class Key:
    """The columns that tell rows apart (none: nothing is known to), and the notes that go with them."""

    columns: tuple[str, ...]
    because: Because
    entity: tuple[str, ...] = ()
    current_when: str | None = None
    is_personal: bool = False


@dataclass(frozen=True)
class Link:
    """How rows find their data subject, as `subject` of a declaration has it."""

    way: Literal["self", "foreign_key", "through", "contact_point"]
    columns: Mapping[str, tuple[str, ...]]
    to: str | None
    because: Because

    def as_subject(self) -> dict[str, Any]:
        """The value of `subject`."""
        if self.way == "self":
            return {"self": True, **{kind: list(names) for kind, names in self.columns.items()}}
        if self.way == "contact_point":
            return {**{kind: list(names) for kind, names in self.columns.items()}, "to": self.to}
        return {self.way: self.columns[self.way][0], "to": self.to}


@dataclass(frozen=True)
class Columns:
    """The kinds of the personal columns, each with why, those in doubt, and the harmless ones."""

    personal: Mapping[str, tuple[str, Because]]
    doubtful: tuple[str, ...]
    harmless: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """What a person is asked of a table, and the keys of the declaration that would be the answer."""

    question: str
    because: Because
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Proposal:
    """What is proposed for one table. `system_keys` are what Fivetran's own columns tell."""

    table: str
    description: str
    key: Key
    system_keys: Mapping[str, str]
    link: Link | None
    columns: Columns
    decision: Decision


@dataclass(frozen=True)
class SchemaProposal:
    """What is proposed for a schema: tables nobody declared, and columns of declared tables nobody did."""

    schema: str
    system: str
    recognised: Because
    tables: tuple[Proposal, ...]
    columns: Mapping[str, Columns]
    declared: tuple[str, ...]
    proposed_before: tuple[str, ...]
