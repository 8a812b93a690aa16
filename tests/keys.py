"""The keys of a test's warehouse, which counts as an outside one: nothing makes them for it.

Belongs here: making both. Does not belong here: what becomes of them in a test.
"""

from retention import state
from retention.keys import key_path, signing_key_path
from retention.settings import Settings


def make_keys(settings: Settings) -> None:
    """Make the HMAC key and the signing key in the state folder, where they are not there."""
    state.secret(key_path(settings))
    state.secret(signing_key_path(settings))
