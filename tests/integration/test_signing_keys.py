"""The life of the signing key: the old one signs beside the new one, and a foreign one is refused.

Belongs here: which keys sign, and what auditors are given of them. Does not belong here: what is signed,
and where keys are found (tests/unit/test_key_material.py).
"""

import base64
import hashlib
from typing import Any

import psycopg
import pytest

from retention.errors import Refused
from retention.keys import (
    SigningKey,
    load_signing_keys,
    refuse_foreign,
    signing_key_path,
    take_into_use,
    vkey,
)
from retention.keys.rotation import destroy, rotate
from retention.keys.standing import KeyStanding, key_standings
from retention.settings import Settings
from tests.factories import Shop

pytestmark = pytest.mark.integration

KEY, OLD = "RETENTION_SIGNING_KEY", "RETENTION_SIGNING_KEYS_OLD"
SEEDS = [bytes([number]) * 32 for number in (1, 2, 3)]
ORIGIN = "sletteplikt/0b1d6c2e-6c3a-4b0c-9a43-3f0f6f7f8a10"

Connection = psycopg.Connection[Any]


@pytest.fixture
def signing(shop: Shop) -> Shop:
    """A shop with a signing key of its own."""
    path = signing_key_path(shop.settings)
    path.write_text(SEEDS[0].hex())
    path.chmod(0o600)
    return shop


def ids(settings: Settings, conn: Connection, **env: str) -> list[str]:
    found = load_signing_keys(settings, conn, env)
    conn.commit()
    return [key.key_id for key in found]


def standing(shop: Shop) -> dict[str, KeyStanding]:
    return {one.key_id: one for one in key_standings(shop.settings) if one.kind == "signing"}


def test_after_a_rotation_the_key_before_signs_too(signing: Shop) -> None:
    (first,) = ids(signing.settings, signing.conn)
    second = rotate(signing.settings, "signing").key_id
    assert ids(signing.settings, signing.conn) == [second, first]
    third = rotate(signing.settings, "signing").key_id
    assert ids(signing.settings, signing.conn) == [third, second]
    destroy(signing.approver, "signing", second, reason="rotated")
    destroy(signing.approver, "signing", first, reason="rotated")
    assert ids(signing.settings, signing.conn) == [third]


def test_the_one_before_is_told_by_when_it_was_used(signing: Shop) -> None:
    """Whatever the order in which old keys are given; unused ones as they are given."""
    keys = [SigningKey(seed) for seed in SEEDS]
    listed = f"{SEEDS[0].hex()},{SEEDS[1].hex()}"
    given = {KEY: SEEDS[2].hex(), OLD: listed}
    assert ids(signing.settings, signing.conn, **given) == [keys[2].key_id, keys[0].key_id]
    for key in keys:
        assert take_into_use(signing.conn, key)
    signing.conn.commit()
    assert ids(signing.settings, signing.conn, **given) == [keys[2].key_id, keys[1].key_id]


def test_a_foreign_key_is_refused_by_the_id_it_should_have(conn: Connection) -> None:
    ours, theirs = SigningKey(SEEDS[0]), SigningKey(SEEDS[1])
    refuse_foreign(conn, [ours], [])
    refuse_foreign(conn, [ours], [ours.public])
    refuse_foreign(conn, [ours], [theirs.public, ours.public])
    refuse_foreign(conn, [ours, theirs], [theirs.public])
    with pytest.raises(Refused, match=theirs.key_id) as caught:
        refuse_foreign(conn, [ours], [theirs.public])
    assert SEEDS[0].hex() not in str(caught.value)


def test_a_lost_key_that_an_approver_gave_up_is_waited_for_no_more(signing: Shop) -> None:
    first = load_signing_keys(signing.settings, signing.conn)[0]
    take_into_use(signing.conn, first)
    signing.conn.commit()
    other = SigningKey(SEEDS[1])
    with pytest.raises(Refused, match="signed the last checkpoint"):
        refuse_foreign(signing.conn, [other], [first.public])
    signing_key_path(signing.settings).unlink()
    destroy(signing.approver, "signing", first.key_id, reason="its disk broke")
    refuse_foreign(signing.conn, [other], [first.public])
    with pytest.raises(Refused, match="signed the last checkpoint"):
        refuse_foreign(signing.conn, [SigningKey(SEEDS[2])], [first.public, other.public])


def test_without_a_key_an_outside_database_says_how_to_make_one(shop: Shop) -> None:
    with pytest.raises(Refused, match="there is no signing key: put 32 random bytes"):
        load_signing_keys(shop.settings, shop.conn)
    assert not signing_key_path(shop.settings).exists()


def test_auditors_are_given_the_public_key_in_c2sp_form() -> None:
    """As the specification says: name, the first four bytes of a hash, type byte 1 and the key."""
    public = SigningKey(SEEDS[0]).public
    name, key_hash, encoded = vkey(ORIGIN, public).split("+", 2)
    assert name == ORIGIN
    assert base64.b64decode(encoded) == b"\x01" + public
    assert key_hash == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + public).hexdigest()[:8]


def test_the_public_key_of_a_destroyed_one_is_kept(signing: Shop) -> None:
    first = load_signing_keys(signing.settings, signing.conn)[0]
    signing.conn.commit()
    second = rotate(signing.settings, "signing").key_id
    assert {key: one.state for key, one in standing(signing).items()} == {
        first.key_id: "old",
        second: "current",
    }
    destroy(signing.approver, "signing", first.key_id, reason="rotated")
    assert standing(signing)[first.key_id].state == "destroyed"
    kept = signing.one("select public_key from ledger.keys where key_id = %s", first.key_id)
    assert bytes(kept) == first.public
    events = signing.one(
        "select json_agg(body::jsonb ->> 'event' order by entry_id) from ledger.entries"
        " where kind = 'key'"
    )
    assert events == ["taken_into_use", "rotated", "destroyed"]
