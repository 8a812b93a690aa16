"""What an undeclared column seems to hold: a sampled scan inside the database.

Belongs here: patterns, checksums, the sample, and what is concluded from counts and column names. Does
not belong here: what a declaration says of a column (`retention.declarations`), and what follows from the
two disagreeing (`retention.coverage`). No value leaves the database: results are counts and kinds.
"""

from retention.detection.model import ColumnName, Detected, Detection

__all__ = ["ColumnName", "Detected", "Detection"]
