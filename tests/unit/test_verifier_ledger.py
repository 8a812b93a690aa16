"""An exported ledger that was tampered with does not verify, and the verifier names what was done."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evidence_files import ORIGIN, START, Log, Signer, Story, check, forgeries
from verifier import verify_evidence as ve

pytestmark = pytest.mark.unit

SIZE = 100
OLD = 40


@pytest.fixture
def log() -> Log:
    """More entries than are read at once, an entry a minute."""
    log = Log()
    for number in range(SIZE):
        log.append("check", name=f"check {number}", passed=True, reason="ære være")
    return log


@pytest.fixture
def old(log: Log) -> str:
    return log.checkpoint(OLD, START + timedelta(minutes=OLD))


def test_an_honest_ledger_holds(tmp_path: Path, log: Log, old: str) -> None:
    result = check(tmp_path, log.ledger(), old)
    assert result.holds, result.failures
    assert result.proved["size"] == SIZE
    assert result.proved["root"] == log.head().root.hex()
    assert result.proved["since"].startswith(f"{OLD} entries")
    assert result.proved["kinds"] == {"check": SIZE}


def test_what_batches_purged_is_counted(tmp_path: Path) -> None:
    story = Story()
    result = check(tmp_path, story.log.ledger(), story.earlier)
    assert result.holds, result.failures
    assert result.proved["purged_by_table"] == {"crm.lead": 6, "crm.person": 6}


@pytest.mark.parametrize("size", [0, 1, 2, 31, 32, 33, 64])
def test_every_older_checkpoint_is_consistent(tmp_path: Path, log: Log, size: int) -> None:
    assert check(tmp_path, log.ledger(), log.checkpoint(size, START)).holds
    log.bodies = log.bodies[:size]
    assert check(tmp_path, log.ledger(), log.checkpoint(size, START)).holds


@pytest.mark.parametrize("index", [0, 31, 32, 50, SIZE - 1])
@pytest.mark.parametrize("where", [0.0, 0.3, 0.7, 1.0])
def test_a_flipped_bit(tmp_path: Path, log: Log, index: int, where: float) -> None:
    lines = log.lines()
    line = bytearray(lines[index])
    start = line.index(b" ") + 66
    line[start + round(where * (len(line) - 2 - start))] ^= 4
    lines[index] = bytes(line)
    result = check(tmp_path, log.ledger(lines=lines))
    assert [(f["forgery"], f["entry"]) for f in result.failures] == [("flipped bit", index)]


def test_a_flipped_bit_of_a_leaf_hash(tmp_path: Path, log: Log) -> None:
    lines = log.lines()
    lines[7] = lines[7].replace(b"7 ", b"7 0", 1).replace(b" {", b"{", 1).replace(b"{", b" {", 1)
    assert forgeries(check(tmp_path, log.ledger(lines=lines))) == ["flipped bit"]


@pytest.mark.parametrize("index", [0, 40, SIZE - 2])
def test_a_dropped_entry(tmp_path: Path, log: Log, index: int) -> None:
    lines = log.lines()
    del lines[index]
    result = check(tmp_path, log.ledger(lines=lines))
    assert [(f["forgery"], f["entry"]) for f in result.failures] == [("dropped entry", index)]


def test_several_dropped_entries_are_one_gap(tmp_path: Path, log: Log) -> None:
    lines = log.lines()
    del lines[30:70]
    result = check(tmp_path, log.ledger(lines=lines))
    assert [f["message"] for f in result.failures] == ["entry 30 is not there, nor 39 after it"]


@pytest.mark.parametrize(("moved", "to"), [(3, 4), (4, 3), (2, 80), (80, 2), (0, SIZE - 1)])
def test_reordered_entries(tmp_path: Path, log: Log, moved: int, to: int) -> None:
    lines = log.lines()
    lines.insert(to, lines.pop(moved))
    assert set(forgeries(check(tmp_path, log.ledger(lines=lines)))) == {"reordered entries"}


def test_a_repeated_entry(tmp_path: Path, log: Log) -> None:
    lines = log.lines()
    lines.insert(50, lines[49])
    assert forgeries(check(tmp_path, log.ledger(lines=lines))) == ["reordered entries"]


@pytest.mark.parametrize("how", ["dropped", "reordered", "exchanged"])
def test_what_was_renumbered_has_another_root(tmp_path: Path, log: Log, old: str, how: str) -> None:
    signed = log.checkpoint()
    if how == "dropped":
        del log.bodies[60]
        log.append("check", name="one more")
    elif how == "reordered":
        log.bodies[60], log.bodies[61] = log.bodies[61], log.bodies[60]
    else:
        log.replace(60, passed=False)
    result = check(tmp_path, log.ledger(signed), old)
    assert forgeries(result) == ["altered entries"]
    assert f"at or after {OLD}" in result.failures[0]["message"]


def test_a_back_dated_entry(tmp_path: Path, log: Log) -> None:
    kept = log.checkpoint(OLD, START + timedelta(hours=3))
    log.now += timedelta(hours=3)
    log.append("check", at="2026-03-02T02:59:59.000000Z", name="late")
    result = check(tmp_path, log.ledger(), kept)
    # So are the others that the kept checkpoint does not cover: they say that they are older than it.
    assert set(forgeries(result)) == {"back-dated entry"}
    log.bodies = [*log.bodies[:OLD], log.bodies[-1]]
    result = check(tmp_path, log.ledger(), kept)
    assert [(f["forgery"], f["entry"]) for f in result.failures] == [("back-dated entry", OLD)]
    log.replace(OLD, at="2026-03-02T03:00:00.000000Z")
    assert check(tmp_path, log.ledger(), kept).holds, "an hour is allowed: transactions take time"


def test_a_post_dated_entry(tmp_path: Path, log: Log) -> None:
    log.append("check", at="2026-03-02T04:00:00.000000Z")
    assert check(tmp_path, log.ledger(log.checkpoint(time=START + timedelta(hours=2)))).holds
    result = check(tmp_path, log.ledger(log.checkpoint(time=START + timedelta(minutes=119))))
    assert [(f["forgery"], f["entry"]) for f in result.failures] == [("post-dated entry", SIZE)]


@pytest.mark.parametrize("left", [0, 1, 32, SIZE - 1])
def test_a_truncated_tail(tmp_path: Path, log: Log, left: int) -> None:
    whole = log.ledger()
    kept = b"".join(whole.splitlines(keepends=True)[: 1 + left])
    result = check(tmp_path, kept)
    assert [(f["forgery"], f["entry"]) for f in result.failures] == [("truncated tail", left)]


def test_a_tail_cut_within_a_line(tmp_path: Path, log: Log) -> None:
    whole = log.ledger()
    assert "truncated tail" in forgeries(check(tmp_path, whole[:-1]))
    assert "truncated tail" in forgeries(check(tmp_path, whole[:-20]))
    assert "truncated tail" in forgeries(check(tmp_path, whole[:-1] + b"x"))


def test_entries_beyond_the_checkpoint(tmp_path: Path, log: Log) -> None:
    signed = log.checkpoint()
    log.append("check", name="unsigned")
    assert forgeries(check(tmp_path, log.ledger(signed))) == ["unsigned entries"]


def test_a_forked_history(tmp_path: Path, log: Log, old: str) -> None:
    log.replace(20, passed=False)
    assert check(tmp_path, log.ledger()).holds, "by itself a fork is a ledger like any other"
    assert forgeries(check(tmp_path, log.ledger(), old)) == ["forked history"]


def test_a_fork_of_the_same_size(tmp_path: Path, log: Log) -> None:
    kept = log.checkpoint()
    log.replace(20, passed=False)
    assert forgeries(check(tmp_path, log.ledger(), kept)) == ["forked history"]


def test_a_replaced_key(tmp_path: Path, log: Log, old: str) -> None:
    log.signer = Signer(2)
    assert forgeries(check(tmp_path, log.ledger())) == ["replaced key"]
    assert forgeries(check(tmp_path, log.ledger(), old)) == ["replaced key"]
    both = [Signer(1).key, Signer(2).key]
    assert check(tmp_path, log.ledger(), old, keys=both).holds, "a rotation trusts both"


def test_a_replaced_key_under_the_trusted_ones_name(tmp_path: Path, log: Log) -> None:
    text = log.head().text
    forged = Signer(2).line(text.encode())
    signature = ve._base64(forged.split(" ")[2])[4:]
    note = ve.signed_note(text, [ve.signature_line(Signer(1).key, signature)])
    assert forgeries(check(tmp_path, log.ledger(note))) == ["edited checkpoint"]


def test_an_edited_checkpoint(tmp_path: Path, log: Log) -> None:
    note = log.checkpoint().replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n")
    del log.bodies[-1]
    assert forgeries(check(tmp_path, log.ledger(note))) == ["edited checkpoint"]


def test_a_replayed_checkpoint(tmp_path: Path, log: Log, old: str) -> None:
    kept = log.checkpoint()
    log.bodies = log.bodies[:OLD]
    assert forgeries(check(tmp_path, log.ledger(old), kept)) == ["replayed checkpoint"]


def test_a_replayed_checkpoint_of_the_same_size(tmp_path: Path, log: Log) -> None:
    kept = log.checkpoint(time=log.now + timedelta(days=1))
    assert forgeries(check(tmp_path, log.ledger(), kept)) == ["replayed checkpoint"]


def test_a_checkpoint_that_grew_and_is_older(tmp_path: Path, log: Log) -> None:
    kept = log.checkpoint(OLD, log.now + timedelta(seconds=1))
    assert forgeries(check(tmp_path, log.ledger(), kept)) == ["back-dated checkpoint"]


def test_another_log(tmp_path: Path, log: Log, old: str) -> None:
    other = Log(Signer(1, origin=ORIGIN.replace("1", "2")))
    other.bodies, other.now = log.bodies, log.now
    assert forgeries(check(tmp_path, other.ledger())) == ["other log"]
    both = [log.signer.key, other.signer.key]
    assert check(tmp_path, other.ledger(), keys=both).holds
    assert forgeries(check(tmp_path, other.ledger(), old, keys=both)) == ["other log"]
    assert forgeries(check(tmp_path, log.ledger(), other.checkpoint())) == ["other log"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"a","entry":"b"}',
        b'{"at": "2026-03-02T01:00:00.000000Z","entry":"a"}',
        b'{"entry":"a","at":"2026-03-02T01:00:00.000000Z"}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"a"}{}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"a"},{}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"a","n":1.5}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"a","n":NaN}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"a","n":-0}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"a","n":1234567890123456}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"\\u0041"}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"\\ud800"}',
        '{"at":"2026-03-02T01:00:00.000000Z","entry":"a","å":1}'.encode(),
        b'{"at":"2026-03-02T01:00:00.000000Z"}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":7}',
        b'{"entry":"a"}',
        b'{"at":"2026-03-02T01:00:00Z","entry":"a"}',
        b'{"at":"2026-W10-1T01:00:00.000000Z","entry":"a"}',
        b'{"at":"2026-03-02T01:00:00,000000Z","entry":"a"}',
        b'{"at":"2026-03-02 01:00:00.000000Z","entry":"a"}',
        b'{"at":"2026-02-30T01:00:00.000000Z","entry":"a"}',
        b'{"at":1772413200000000,"entry":"a"}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"batch"}',
        b'{"at":"2026-03-02T01:00:00.000000Z","entry":"batch","tables":[{"purged":-1,"table":"a"}]}',
        b'{"at":' + b"[" * 100_000,
        b"[]",
        b"7",
        b"",
        b"\xff",
    ],
)
def test_a_signed_entry_that_no_ledger_writes(tmp_path: Path, log: Log, body: bytes) -> None:
    log.bodies[50] = body
    result = check(tmp_path, log.ledger())
    assert [(f["forgery"], f["entry"]) for f in result.failures] == [("malformed entry", 50)]


@pytest.mark.parametrize("line", [b"\n", b"50\n", b"50 abc\n", "٥٠ a {}\n".encode(), b"050 a {}\n"])
def test_a_line_that_is_no_entry(tmp_path: Path, log: Log, line: bytes) -> None:
    lines = log.lines()
    lines[50] = line
    assert forgeries(check(tmp_path, log.ledger(lines=lines))) == ["malformed ledger"]


@pytest.mark.parametrize("header", [b"{}\n", b'{"file":"ledger","version":2}\n', b"\xff\n", b""])
def test_a_file_that_is_no_ledger_is_unreadable(tmp_path: Path, log: Log, header: bytes) -> None:
    with pytest.raises(ve.Unreadable):
        check(tmp_path, header + b"".join(log.lines()))


def test_many_failures_are_counted(tmp_path: Path, log: Log) -> None:
    lines = [line.replace(b"true", b"null") for line in log.lines()]
    result = check(tmp_path, log.ledger(lines=lines))
    assert len(result.failures) + result.further_failures == SIZE


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), what=st.integers(0, 2))
def test_no_byte_can_change(tmp_path: Path, at: float, bit: int, what: int) -> None:
    story = Story(batches=1)
    whole = bytearray(story.log.ledger())
    place = int(at * len(whole))
    if what == 0:
        whole[place] ^= 1 << bit
    elif what == 1:
        del whole[place]
    else:
        whole.insert(place, bit)
    try:
        result = check(tmp_path, bytes(whole), story.earlier)
    except ve.Unreadable:
        return
    # The header's white space and escapes are nobody's evidence: what it says is what counts.
    same = json.loads(whole.splitlines()[0]) == json.loads(story.log.ledger().splitlines()[0])
    assert not result.holds or (same and place < whole.index(b"\n"))
