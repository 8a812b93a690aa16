"""Reports that were kept, and the report of a past day made again and held against the one kept then.

Belongs here: what is kept of a report, where two of them differ, and why, by the evidence. Does not belong
here: what a report says (`retention.report`), and making the classification of a past day again.

The figures decide; what is kept of them holds counts by table, category, status and the like, never a key,
a token or a text that a person wrote (docs/decisions/0019).
"""

from retention.report.history.compare import compare
from retention.report.history.keep import Kept, keep

__all__ = ["Kept", "compare", "keep"]
