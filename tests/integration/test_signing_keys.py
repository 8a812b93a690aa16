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
from retention.evidence import publish
from retention.evidence.checkpoint import LATEST
from retention.keys import SigningKey, load_signing_keys, signing_key_path, take_into_use
from retention.keys.rotation import destroy, rotate
from retention.keys.standing import KeyStanding, key_standings
from retention.ledger import tree
from retention.settings import Settings
from tests.factories import Shop
from verifier import verify_evidence as form

pytestmark = pytest.mark.integration

KEY, OLD = "RETENTION_SIGNING_KEY", "RETENTION_SIGNING_KEYS_OLD"
SEEDS = [bytes([number]) * 32 for number in (1, 2, 3)]

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


def signers(shop: Shop) -> set[bytes]:
    """The keys of ours whose signature the latest checkpoint bears."""
    note = (shop.settings.state / "checkpoints" / LATEST).read_text()
    text, lines = form.split_note(note)
    origin = tree.origin(shop.conn)
    public = [
        bytes(row[0])
        for row in shop.conn.execute("select public_key from ledger.keys where kind = 'signing'")
    ]
    shop.conn.commit()
    hashes = {form.Key(origin, each).key_hash: each for each in public}
    found = {hashes[base64.b64decode(line.split(" ")[2])[:4]] for line in lines}
    for each in found:
        form.check_signatures("checkpoint", text.encode(), lines, [form.Key(origin, each)])
    return found


def test_a_checkpoint_at_the_change_bears_both_signatures(signing: Shop) -> None:
    """Who trusts the old key believes it, and learns in the evidence which the new one is."""
    signing.classify()
    publish(signing.settings)
    first = load_signing_keys(signing.settings, signing.conn)[0]
    assert signers(signing) == {first.public}
    rotate(signing.settings, "signing")
    second = load_signing_keys(signing.settings, signing.conn)[0]
    publish(signing.settings)
    assert signers(signing) == {first.public, second.public}
    told = signing.one(
        "select body::jsonb ->> 'public_key' from ledger.leaves join ledger.entries using (entry_id)"
        " where kind = 'key' order by leaf_index desc limit 1"
    )
    assert told == second.public.hex()
    destroy(signing.approver, "signing", first.key_id, reason="rotated")
    publish(signing.settings)
    assert signers(signing) == {second.public}


def test_a_checkpoint_of_a_foreign_key_is_refused(signing: Shop) -> None:
    signing.classify()
    publish(signing.settings)
    signing_key_path(signing.settings).write_text(SEEDS[1].hex())
    with pytest.raises(Refused, match="not signed with the signing key at hand") as caught:
        publish(signing.settings)
    assert SEEDS[1].hex() not in str(caught.value)
    signing_key_path(signing.settings).write_text(SEEDS[0].hex())
    assert publish(signing.settings)


def test_a_lost_key_that_an_approver_gave_up_is_waited_for_no_more(signing: Shop) -> None:
    """Its last checkpoint is believed until there is one of the new key, and not again."""
    signing.classify()
    publish(signing.settings)
    latest = signing.settings.state / "checkpoints" / LATEST
    of_the_lost = latest.read_bytes()
    path = signing_key_path(signing.settings)
    first = load_signing_keys(signing.settings, signing.conn)[0]
    signing.conn.commit()
    path.unlink()
    with pytest.raises(Refused, match="signing key is lost"):
        publish(signing.settings)
    destroy(signing.approver, "signing", first.key_id, reason="its disk broke")
    with pytest.raises(Refused, match="there is no signing key"):
        publish(signing.settings)
    path.write_text(SEEDS[1].hex())
    path.chmod(0o600)
    publish(signing.settings)
    assert signers(signing) == {SigningKey(SEEDS[1]).public}
    latest.write_bytes(of_the_lost)
    with pytest.raises(Refused, match="not signed with the signing key at hand"):
        publish(signing.settings)


def test_without_a_key_an_outside_database_says_how_to_make_one(shop: Shop) -> None:
    signing_key_path(shop.settings).unlink()
    with pytest.raises(Refused, match="there is no signing key: put 32 random bytes"):
        load_signing_keys(shop.settings, shop.conn)
    assert not signing_key_path(shop.settings).exists()


def test_auditors_are_given_the_public_key_in_c2sp_form(signing: Shop) -> None:
    """As the specification says: name, the first four bytes of a hash, type byte 1 and the key."""
    public = SigningKey(SEEDS[0]).public
    (one,) = standing(signing).values()
    assert one.vkey is not None
    name, key_hash, encoded = one.vkey.split("+", 2)
    assert name == tree.origin(signing.conn)
    assert base64.b64decode(encoded) == b"\x01" + public
    assert key_hash == hashlib.sha256(name.encode() + b"\n\x01" + public).hexdigest()[:8]


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
    assert standing(signing)[first.key_id].vkey
    kept = signing.one("select public_key from ledger.keys where key_id = %s", first.key_id)
    assert bytes(kept) == first.public
    events = signing.one(
        "select json_agg(body::jsonb ->> 'event' order by entry_id) from ledger.entries"
        " where kind = 'key'"
    )
    assert events == ["taken_into_use", "rotated", "destroyed"]
