"""Notes, keys, canonical JSON and tokens: what the project and an auditor share."""

import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.keys import MasterKey
from tests.evidence_files import HMAC_KEY, ORIGIN, Signer
from verifier import verify_evidence as ve

pytestmark = pytest.mark.unit

# The published example of the note format.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
LINE = f"— PeterNeumann {SIGNATURE}"


def test_the_published_note() -> None:
    key = ve.parse_vkey(VKEY)
    assert (key.name, key.key_hash.hex(), key.vkey) == ("PeterNeumann", "c74f20a3", VKEY)
    text, lines = ve.split_note(ve.signed_note(TEXT, [LINE]))
    assert (text, lines) == (TEXT, [LINE])
    ve.check_signatures("note", text.encode(), lines, [key])
    with pytest.raises(ve.Forged, match="edited note"):
        ve.check_signatures("note", text.encode() + b"\n", lines, [key])


def test_a_line_is_composed_as_it_is_read() -> None:
    signer = Signer()
    note = signer.note("one\n\ntwo\n")
    text, lines = ve.split_note(note)
    assert text == "one\n\ntwo\n"
    ve.check_signatures("note", text.encode(), lines, [signer.key])
    assert ve.parse_vkey(signer.key.vkey) == signer.key


def test_a_line_of_another_key_is_not_looked_at() -> None:
    old, new = Signer(1), Signer(2)
    text = "text\n"
    lines = [old.line(text.encode()), new.line(text.encode()), "— somebody aGVsbG8="]
    for key in (old.key, new.key):
        ve.check_signatures("note", text.encode(), lines, [key])
    with pytest.raises(ve.Forged, match="replaced key"):
        ve.check_signatures("note", text.encode(), lines, [Signer(3).key])


def test_a_trusted_keys_line_that_does_not_hold_spoils_the_note() -> None:
    old, new = Signer(1), Signer(2)
    lines = [old.line(b"other"), new.line(b"text\n")]
    with pytest.raises(ve.Forged, match="edited note"):
        ve.check_signatures("note", b"text\n", lines, [old.key, new.key])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "a+b",
        VKEY + "=",
        VKEY[:-1],
        VKEY[:-1] + "X",  # other unused bits
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("c74f20a3", "C74F20A3"),
        VKEY.replace("PeterNeumann", "Peter Neumann"),
        VKEY.replace("+AR", "+Ag"),
        VKEY.replace("PeterNeumann", ""),
        "æ" * 40,
        ve.Key("a", bytes(31)).vkey,
        ve.Key("a", bytes(33)).vkey,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ve.Unreadable):
        ve.parse_vkey(text)


@pytest.mark.parametrize(
    "note",
    [
        TEXT + "\n" + LINE,  # no line end
        TEXT + LINE + "\n",  # no empty line
        TEXT + "\n" + LINE + "\n\n",
        TEXT + "\r\n\r\n" + LINE + "\r\n",
        TEXT + "\n" + LINE + "\t\n",
        TEXT + "\n" + LINE + "\ngarbage\n",
        TEXT + "\n" + LINE[:-1] + "\n",
        TEXT + "\n" + LINE.replace("—", "-") + "\n",
        TEXT + "\n" + LINE.replace(" x", "  x") + "\n",
        TEXT + "\n" + LINE + " \n",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    def read() -> None:
        text, lines = ve.split_note(note)
        ve.check_signatures("note", text.encode(), lines, [ve.parse_vkey(VKEY)])

    with pytest.raises(ve.Unreadable):
        read()


HEAD = ve.Checkpoint(ORIGIN, 12, bytes(range(32)), "2026-03-02T01:16:00.000000Z")


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    assert ve.parse_checkpoint(HEAD.text) == HEAD
    assert HEAD.text.startswith(f"{ORIGIN}\n12\n")
    assert HEAD.text.endswith("\ntime 2026-03-02T01:16:00.000000Z\n")


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("\n12\n", "\n012\n"),
        ("\n12\n", "\n١٢\n"),
        ("\n12\n", "\n12²\n"),
        ("\n12\n", "\n-12\n"),
        ("\n12\n", "\n" + "9" * 5000 + "\n"),
        ("\n12\n", "\n\n"),
        ("AAEC", "AAE"),
        ("Hh8=", "Hh9="),  # other unused bits
        ("Hh8=", "Hh8"),
        ("time ", ""),
        ("time ", "when "),
        ("2026-03-02T01", "2026-W10-1T01"),
        ("2026-03-02T01", "٢026-03-02T01"),
        (".000000Z", ".000000+00:00"),
        (".000000Z", ""),
        ("2026", "0026"),
        ("2026", "9999"),
        ("000Z\n", "000Z\nanother\n"),
        (ORIGIN, "an origin"),
        (ORIGIN, ""),
    ],
)
def test_what_is_no_checkpoint_is_refused(written: str, instead: str) -> None:
    assert written in HEAD.text
    with pytest.raises(ve.Unreadable):
        ve.parse_checkpoint(HEAD.text.replace(written, instead))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        "NaN",
        "-Infinity",
        "1.0",
        "1e3",
        "1" * 16,
        "1" * 6000,
        "-" + "1" * 16,
        "[" * 200_000,
        '{"a":' * 200_000,
        "[" * 5000 + "]" * 5000,
        '"\\ud800"',
        '{"å":1}',
        "{} {}",
        "٣",
        "",
        "\ufeff{}",
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ve.Unreadable):
        ve.parse_json(text)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 10**15, 10**15 - 1) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner)
    ),
)


@settings(deadline=None)
@given(_VALUES)
def test_canonical_json_is_that_of_rfc_8785(value: Any) -> None:
    # Text with half of a surrogate pair is no text; hypothesis makes none.
    assert ve.canonical(value) == rfc8785.dumps(value)
    assert ve.parse_json(ve.canonical(value)) == value
    assert ve.parse_json(json.dumps(value, indent=3)) == value


@pytest.mark.parametrize("value", [1.0, math.nan, 10**15, {1: 2}, {"å": 1}, (1,), b"", "\ud800"])
def test_what_evidence_does_not_hold_is_not_written(value: Any) -> None:
    with pytest.raises(ve.Unreadable):
        ve.canonical({"value": value})


@settings(deadline=None)
@given(st.text(min_size=1), st.integers(0, 5))
def test_a_token_is_the_engines(record_key: str, epoch: int) -> None:
    ours = ve.record_token(HMAC_KEY, "crm.person", record_key, epoch)
    assert ours == MasterKey(HMAC_KEY).token("crm.person", record_key, epoch).hex()
    assert ve.hmac_key_id(HMAC_KEY) == MasterKey(HMAC_KEY).key_id


def test_an_hmac_key_is_read_as_the_engine_reads_it() -> None:
    for text in (HMAC_KEY.hex(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"):
        assert ve.parse_hmac_key(text.encode()) == HMAC_KEY
    for text in ("", "short", "ab" * 31, "æ" * 50):
        with pytest.raises(ve.Unreadable) as caught:
            ve.parse_hmac_key(text.encode())
        assert not text or text not in str(caught.value)


def test_the_root_of_no_tokens_is_the_empty_one() -> None:
    assert ve.tokens_root([]) == ve.EMPTY_ROOT.hex()
    lines = ["b|02|purge", "a|01|purge"]
    assert (
        ve.tokens_root(lines)
        == ve.root([ve.leaf_hash(b) for b in (b"a|01|purge", b"b|02|purge")]).hex()
    )
