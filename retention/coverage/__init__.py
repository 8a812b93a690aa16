"""Whether the declarations cover what the database holds.

Belongs here: reading the catalogue, comparing it with the declarations, and what follows from a
difference. Does not belong here: the declarations themselves (`retention.declarations`), what a column
seems to hold (`retention.detection`), and reading any row.
"""

from retention.coverage.catalogue import is_landing_schema, not_nullable
from retention.coverage.compare import compare
from retention.coverage.judge import withheld
from retention.coverage.model import (
    LANDING_STATES,
    Coverage,
    Finding,
    FindingKind,
    State,
    count,
)
from retention.coverage.states import column_state

__all__ = [
    "LANDING_STATES",
    "Coverage",
    "Finding",
    "FindingKind",
    "State",
    "column_state",
    "compare",
    "count",
    "is_landing_schema",
    "not_nullable",
    "withheld",
]
