"""Rotating and destroying keys.

Belongs here: the order in which files change and the ledger learns of it. Does not belong here: what may
be destroyed, which the ledger knows (`ledger.destroy_key`).

A key file never changes: the old one gets a name of its own and the new one takes its place, both in one
step each, so that a process that is killed between the two leaves every key at hand.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retention import state
from retention.errors import Refused, UsageError
from retention.keys.held import Held, Kind, held
from retention.keys.material import KEY_BYTES, place_of, read
from retention.keys.register import take_into_use
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect, connect_as_approver, is_embedded
from retention.warehouse.roles import PLANNER

_LOCK_WAIT_SECONDS = 10


@dataclass(frozen=True)
class Rotation:
    """A key took another's place: their ids, and the file in which the old one is kept, if it is one."""

    kind: Kind
    key_id: str
    before: str
    kept_in: Path | None


def rotate(settings: Settings, kind: Kind, env: Mapping[str, str] = os.environ) -> Rotation:
    """Put a new key in the place of the current one, which stays at hand, and leave evidence.

    Where keys are files the new one is made. Where the environment or a command gives them, this
    records the change that was made there. Raises UsageError, which says what to change, where nothing
    was, or where there is no key yet; Refused where another rotation is going on.
    """
    place = place_of(settings, kind)
    busy = "keys are being rotated at this moment: try again"
    with (
        state.file_lock(place.folder / "rotation.lock", wait_seconds=_LOCK_WAIT_SECONDS, busy=busy),
        connect(settings, role=PLANNER) as conn,
        safe_errors("rotating a key"),
    ):
        now = held(settings, kind, env)
        if not now or not now[0].is_current:
            raise UsageError(f"there is no {kind} key yet: put one {place.how()}")
        current, old = now[0], [one for one in now[1:] if one.key != now[0].key]
        if current.path is None:
            # The one before was in use, whether or not anything was written under it.
            before = old[0] if old else current
            take_into_use(conn, before.key)
            if take_into_use(conn, current.key):
                return Rotation(kind, current.key.key_id, before.key.key_id, before.path)
            raise UsageError(
                f"the {kind} key comes from {current.source}: put 32 new random bytes there, the present"
                f" key in front of what is in {place.old_variable}, and then run this again to record it"
            )
        take_into_use(conn, current.key)
        kept_in = place.old_path(current.key.key_id)
        _keep(current, kept_in)
        state.replace_private(current.path, secrets.token_urlsafe(KEY_BYTES))
        new = held(settings, kind, env)[0]
        take_into_use(conn, new.key)
        return Rotation(kind, new.key.key_id, current.key.key_id, kept_in)


def destroy(
    settings: Settings,
    kind: Kind,
    key_id: str,
    *,
    reason: str,
    although_needed: bool = False,
    env: Mapping[str, str] = os.environ,
) -> None:
    """Remove the file of an old key for good, or accept that a key is lost, and leave evidence.

    In the embedded warehouse its second login decides, elsewhere this login, which must be an approver's.
    Raises Refused where the key is in use, is given by a variable or is needed and `although_needed` is
    not said, or where this login may not; UsageError for an unknown key or without a reason.
    """
    mine = [one for one in held(settings, kind, env) if one.key.key_id == key_id]
    if any(one.is_current for one in mine):
        raise Refused(f"the {kind} key {key_id} is in use: `retention keys rotate {kind}` first")
    for one in mine:
        if one.path is None:
            raise Refused(f"take the {kind} key {key_id} out of {one.source} first")
    opened = connect_as_approver(settings) if is_embedded(settings) else connect(settings)
    with opened as conn, safe_errors("destroying a key"):
        conn.execute(
            "select ledger.destroy_key(%s, %s, %s, %s)", (kind, key_id, reason, although_needed)
        )
        # Before the commit: evidence of a destruction that did not happen would be worse than a key
        # that is gone without evidence, which is refused as lost until this is run again.
        for one in mine:
            assert one.path is not None
            one.path.unlink()


def _keep(current: Held, path: Path) -> None:
    """Give the current key's file its second name, under which it stays."""
    assert current.path is not None
    try:
        os.link(current.path, path)
    except FileExistsError:
        # A rotation that was cut short did it already.
        if not current.path.samefile(path) and read(path).secret != read(current.path).secret:
            raise Refused(f"{path} holds another key than its name says: move it aside") from None
