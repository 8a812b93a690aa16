"""Whether the declarations cover what the database holds.

Belongs here: reading the catalogue, comparing it with the declarations, and what follows from a
difference. Does not belong here: the declarations themselves (`retention.declarations`), what a column
seems to hold (`retention.detection`), and reading any row.
"""

from retention.coverage.catalogue import is_landing_schema, landed_columns, not_nullable
from retention.coverage.compare import compare
from retention.coverage.model import Coverage, Finding, FindingKind

__all__ = [
    "Coverage",
    "Finding",
    "FindingKind",
    "compare",
    "is_landing_schema",
    "landed_columns",
    "not_nullable",
]
