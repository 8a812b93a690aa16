"""The signing key: what is read as one, what it signs, and that it is never shown."""

from pathlib import Path
from typing import Any, cast

import pytest

from retention.errors import Refused, UsageError
from retention.keys import SigningKey, load_signing_key, signing_key_path
from retention.keys.signing import SIGNING_VARIABLE
from retention.settings import load_settings

pytestmark = pytest.mark.unit

# RFC 8032, section 7.1, tests 1 and 3.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
        "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
SEED = VECTORS[0][0]
NO_DATABASE = cast(Any, None)


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_signatures_are_those_of_rfc_8032(
    seed: str, public: str, message: str, signature: str
) -> None:
    key = SigningKey(bytes.fromhex(seed))
    assert key.public.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature


def test_the_seed_is_never_shown() -> None:
    key = SigningKey(bytes.fromhex(SEED))
    assert key.public
    assert key.sign(b"")
    assert SEED not in repr(key)
    assert repr(key.seed) not in repr(key)


@pytest.mark.parametrize("text", ["short", "ab" * 31, "ab" * 33, "not base64 !!", "æ" * 50])
def test_what_is_no_seed_is_refused_without_being_repeated(tmp_path: Path, text: str) -> None:
    settings = load_settings({"RETENTION_STATE_DIR": str(tmp_path)})
    with pytest.raises(UsageError, match=SIGNING_VARIABLE) as caught:
        load_signing_key(settings, NO_DATABASE, {SIGNING_VARIABLE: text})
    assert text not in str(caught.value)


def test_the_environment_and_the_file_are_read(tmp_path: Path) -> None:
    settings = load_settings({"RETENTION_STATE_DIR": str(tmp_path)})
    given = load_signing_key(settings, NO_DATABASE, {SIGNING_VARIABLE: SEED})
    path = signing_key_path(settings)
    path.parent.mkdir(parents=True)
    path.write_text(SEED)
    path.chmod(0o640)
    with pytest.raises(Refused, match="can be read by others"):
        load_signing_key(settings, NO_DATABASE, {})
    path.chmod(0o600)
    assert load_signing_key(settings, NO_DATABASE, {}) == given == SigningKey(bytes.fromhex(SEED))


def test_a_file_of_raw_bytes_is_no_key(tmp_path: Path) -> None:
    settings = load_settings({"RETENTION_STATE_DIR": str(tmp_path)})
    path = signing_key_path(settings)
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(range(200, 232)))
    path.chmod(0o600)
    with pytest.raises(UsageError, match="holds no key"):
        load_signing_key(settings, NO_DATABASE, {})
