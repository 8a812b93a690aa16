"""The HMAC key: what is read as one, what is derived from it, and that it is never shown."""

import hashlib
import hmac
from pathlib import Path
from typing import Any, cast

import pytest

from retention.errors import Refused, UsageError
from retention.keys import VARIABLE, MasterKey, key_path, load_key
from retention.settings import load_settings

pytestmark = pytest.mark.unit

SECRET = bytes(range(32))
NO_DATABASE = cast(Any, None)


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper() + "\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    ],
)
def test_hexadecimal_and_base64_are_read(tmp_path: Path, text: str) -> None:
    settings = load_settings({"RETENTION_STATE_DIR": str(tmp_path)})
    assert load_key(settings, NO_DATABASE, {VARIABLE: text}).secret == SECRET


@pytest.mark.parametrize("text", ["short", "ab" * 31, "not base64 !!", "æ" * 50])
def test_what_is_no_key_is_refused_without_being_repeated(tmp_path: Path, text: str) -> None:
    settings = load_settings({"RETENTION_STATE_DIR": str(tmp_path)})
    with pytest.raises(UsageError) as caught:
        load_key(settings, NO_DATABASE, {VARIABLE: text})
    assert text not in str(caught.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = load_settings({"RETENTION_STATE_DIR": str(tmp_path)})
    path = key_path(settings)
    path.parent.mkdir(parents=True)
    path.write_text(SECRET.hex())
    path.chmod(0o640)
    with pytest.raises(Refused, match="can be read by others"):
        load_key(settings, NO_DATABASE, {})
    path.chmod(0o600)
    assert load_key(settings, NO_DATABASE, {}).secret == SECRET


def test_a_token_is_hmac_under_the_tables_own_key() -> None:
    key = MasterKey(SECRET)
    derived = hmac.digest(SECRET, b"sletteplikt/tombstone/v1/0/crm.person", "sha256")
    assert key.token("crm.person", "17") == hmac.digest(derived, b"17", "sha256")
    assert key.token("crm.lead", "17") != key.token("crm.person", "17")
    assert key.token("crm.person", "17", epoch=1) != key.token("crm.person", "17")


def test_a_key_is_named_and_never_shown() -> None:
    key = MasterKey(SECRET)
    assert key.key_id == hashlib.sha256(SECRET + b"id").hexdigest()[:16]
    assert SECRET.hex() not in repr(key)
    assert repr(SECRET) not in repr(key)
