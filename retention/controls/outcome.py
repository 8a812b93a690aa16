"""What became of the control persons.

Belongs here: the values that a run of the controls returns and that are kept of it. Does not belong
here: running them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

# What a control person is made for: its rows go; they wait because nobody approved what they stand on;
# they stay because no clock has run out.
PURGED, WAITS, STAYS = "purged", "waits", "stays"


@dataclass(frozen=True)
class Outcome:
    """One control person: what should have become of its rows, and what did.

    `rule_ids` are the rules its deciding rows were classified under, `rows` how many there were and
    `left` how many there are after the purge.
    """

    case: str
    person_table: str
    expected: str
    rule_id: str | None
    rule_ids: tuple[str, ...]
    rows: int
    left: int

    @property
    def passed(self) -> bool:
        if self.rows == 0 or (self.rule_id and set(self.rule_ids) != {self.rule_id}):
            return False
        return self.left == (0 if self.expected == PURGED else self.rows)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "rule_ids": list(self.rule_ids), "passed": self.passed}


@dataclass(frozen=True)
class ControlRun:
    """One run of all of them. `left_behind` counts what the read-back found."""

    as_of: date
    code_hash: str
    policy_hash: str
    outcomes: tuple[Outcome, ...]
    left_behind: int

    @property
    def passed(self) -> bool:
        return (
            bool(self.outcomes)
            and self.left_behind == 0
            and all(outcome.passed for outcome in self.outcomes)
        )
