"""Corrections at the source, traced through every copy (GDPR art. 16).

Belongs here: remembering a value that is wrong without keeping it, and looking for it once the source has
corrected it. Does not belong here: correcting; that is done where the data comes from, and lands.

A value is known again by a keyed fingerprint of it, as the models compare such values: an address in other
letters, or a number in other spaces, is the same. The value itself is neither kept nor shown.
"""

from retention.rights.rectification.record import record
from retention.rights.rectification.trace import Rectification, Traced, accept, list_, trace

__all__ = ["Rectification", "Traced", "accept", "list_", "record", "trace"]
