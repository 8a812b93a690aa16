"""Requests that partners have a part in (§ 1): joint controllers relay them both ways; what we process
for a partner is the partner's to decide.

Belongs here: relays, from being passed on to their answer. Does not belong here: whose a record is,
which the models say (`controller_role`), and what we decide on our own records (`retention.rights`).
"""

from retention.rights.partners.relays import (
    Answer,
    Relay,
    answer,
    close,
    list_,
    open_relays,
    receive,
    take,
)

__all__ = ["Answer", "Relay", "answer", "close", "list_", "open_relays", "receive", "take"]
