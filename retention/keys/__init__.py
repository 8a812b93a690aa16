"""Keys, which live outside the database: the HMAC key behind the tombstones' tokens, and the key that
signs checkpoints.

Belongs here: where a key comes from, what is derived from it, its rotation and its end, and refusing to
bind it where the server would write it to its log. Does not belong here: computing tokens, which the
database does set-wise with a derived key that is bound for one statement; the tree and its checkpoints
(`retention.ledger`).
"""

from retention.keys.hmac_key import (
    EPOCH,
    VARIABLE,
    HmacKeys,
    MasterKey,
    has_key,
    is_needed,
    key_of_plan,
    key_path,
    load_key,
    load_keys,
)
from retention.keys.register import take_into_use
from retention.keys.server_log import refuse_logged_values
from retention.keys.signing import (
    SigningKey,
    known_publics,
    load_signing_key,
    load_signing_keys,
    signing_key_path,
    trusted_publics,
)

__all__ = [
    "EPOCH",
    "VARIABLE",
    "HmacKeys",
    "MasterKey",
    "SigningKey",
    "has_key",
    "is_needed",
    "key_of_plan",
    "key_path",
    "known_publics",
    "load_key",
    "load_keys",
    "load_signing_key",
    "load_signing_keys",
    "refuse_logged_values",
    "signing_key_path",
    "take_into_use",
    "trusted_publics",
]
