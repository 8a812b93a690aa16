#!/usr/bin/env python3
"""Verify evidence of sletteplikt: an exported ledger or a deletion report. One file, offline.

    python verify_evidence.py FILE --key K [--key K2] [--since CHECKPOINT] [--json]
                              [--record SCHEMA.TABLE KEY --hmac-key FILE]

Needs Python 3.11 or later and `cryptography`, nothing of the project. Exit codes: 0 it holds; 1 it does
not hold, each line names what was done to it; 2 wrong usage, or a file that cannot be read.

Belongs here: the formats that the project and an auditor share (RFC 6962 tree, C2SP notes, canonical
JSON, record tokens), each once, and checking a file against them. Does not belong here: signing, which
needs a secret, and reading a database.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
from binascii import hexlify
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# An entry is numbered after its commit: a transaction that stays open longer looks back-dated.
SLACK = timedelta(hours=1)

_MOST_SHOWN = 20
_MOST_LOOKED_FOR = 1_000_000
_HEX = frozenset("0123456789abcdef")
# So many entries at once that Python's overhead is small, so few that they stay in the processor's cache.
_CHUNK = 32


class Unreadable(ValueError):
    """It cannot be read as what it should be. The message is one line and repeats no secret."""


class Forged(Exception):
    """It can be read, and does not hold. `forgery` names what was done to it."""

    def __init__(self, forgery: str, message: str) -> None:
        super().__init__(f"{forgery}: {message}")
        self.forgery, self.message = forgery, message


@dataclass
class Result:
    """What came of verifying one file. What it `proved` counts only where it holds."""

    file: str
    failures: list[dict[str, Any]] = field(default_factory=list)
    further_failures: int = 0
    proved: dict[str, Any] = field(default_factory=dict)
    not_covered: list[str] = field(default_factory=list)
    record: dict[str, Any] | None = None

    @property
    def holds(self) -> bool:
        return not self.failures

    def fail(self, forgery: str, message: str, entry: int | None = None) -> None:
        """Note one way in which it does not hold."""
        if len(self.failures) < _MOST_SHOWN:
            self.failures.append({"forgery": forgery, "message": message, "entry": entry})
        else:
            self.further_failures += 1

    def as_json(self) -> dict[str, Any]:
        return {"holds": self.holds, **asdict(self)}


# ---- Canonical JSON (RFC 8785), of what evidence holds: text, whole numbers, booleans, null, lists, and
# mappings with ASCII keys, for which the RFC's order is that of the bytes.


def canonical(value: Any) -> bytes:
    """The canonical JSON of `value`. Raises Unreadable for what no evidence holds."""
    try:
        _refuse_others(value)
        return _ENCODER.encode(value).encode()
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise Unreadable("it holds half of a surrogate pair") from None


def parse_json(text: str | bytes) -> Any:
    """Parse strictly: no name twice, no fraction, nothing after the value. Raises Unreadable."""
    try:
        value = json.loads(
            text if isinstance(text, str) else text.decode(),
            object_pairs_hook=_unique,
            parse_int=_whole,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8") from None
    except ValueError:  # json's own says where, but not in which file
        raise Unreadable("it is not JSON") from None
    canonical(value)
    return value


def _refuse_others(value: Any) -> None:
    kind = type(value)
    if kind is dict:
        for name, inner in value.items():
            if type(name) is not str or not name.isascii():
                raise Unreadable("it has a name beyond ASCII")
            _refuse_others(inner)
    elif kind is list:
        for inner in value:
            _refuse_others(inner)
    elif kind is int:
        if abs(value) >= 10**15:
            raise Unreadable("it has a number of more than 15 digits")
    elif kind not in (str, bool, type(None)):
        raise Unreadable("it has a value that evidence does not hold")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("it has a name twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > 15 and len(digits.lstrip("-")) > 15:
        raise Unreadable("it has a number of more than 15 digits")
    return int(digits)


def _no_number(_: str) -> Any:
    raise Unreadable("it has a number that is not whole")


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_no_number, parse_constant=_no_number)
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
)


def _take(value: Any, name: str, kind: type) -> Any:
    """The field `name`, if it is there and of that very type."""
    found = value.get(name) if type(value) is dict else None
    if type(found) is not kind:
        raise Unreadable(f"`{name}` is missing, or no {kind.__name__}")
    return found


def _natural(value: Any, name: str) -> int:
    found: int = _take(value, name, int)
    if found < 0:
        raise Unreadable(f"`{name}` is negative")
    return found


def _naturals(value: Any, name: str) -> Counter[str]:
    found = _take(value, name, dict)
    return Counter({one: _natural(found, one) for one in found})


def _hex(text: Any, what: str) -> bytes:
    if type(text) is not str or len(text) != 64 or not _HEX.issuperset(text):
        raise Unreadable(f"{what} is no hash of 64 hexadecimal digits")
    return bytes.fromhex(text)


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and str(int(text)) == text):
        raise Unreadable("a number is not written in plain decimal digits")
    return int(text)


def _base64(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        found = b""
    if not found or base64.b64encode(found).decode() != text:
        raise Unreadable("base64 is not written in its one standard form")
    return found


def parse_time(text: str) -> datetime:
    """A time as evidence writes it: UTC, `2026-01-31T12:00:00.000000Z`; the fraction may be missing."""
    whole = "seconds" if len(text) == 20 else "microseconds"
    try:
        moment = datetime.fromisoformat(text)
        written = moment.astimezone(UTC).isoformat(timespec=whole)
    except (ValueError, OverflowError):
        written = ""
    if written.replace("+00:00", "Z") != text or not 1970 <= moment.year < 9999:
        raise Unreadable("a time is not written as UTC in ISO form")
    return moment


# ---- The tree (RFC 6962). A complete subtree is named by (level, position); level 0 are the leaves.

Place = tuple[int, int]
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours' parent."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree of which all leaf hashes are given."""
    sha256, level = hashlib.sha256, list(leaves)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        parents = [sha256(b"\1" + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            parents.append(level[-1])
        level = parents
    return level[0] if level else EMPTY_ROOT


def subtrees(size: int) -> list[Place]:
    """The complete subtrees that make up a tree of `size` leaves, from the left, each as big as can be."""
    levels = (level for level in reversed(range(size.bit_length())) if size >> level & 1)
    return [(level, (size >> level) - 1) for level in levels]


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root of a tree from the hashes of its `subtrees`."""
    if not peaks:
        return EMPTY_ROOT
    found = peaks[-1]
    for peak in reversed(peaks[:-1]):
        found = node_hash(peak, found)
    return found


def proof_nodes(size: int, leaves: Iterable[int], older: Iterable[int] = ()) -> list[Place]:
    """Which nodes prove, in a tree of `size`, that the leaves are in it and that it grew from each of the
    `older` sizes. The leaves themselves are not among them: who verifies computes those."""
    own = {(0, index) for index in leaves}
    peaks = {place for one in (size, *older) for place in subtrees(one)}
    above = _above(own | peaks)
    found = peaks | {(level - 1, 2 * at + side) for level, at in above for side in (0, 1)}
    return sorted((level, at) for level, at in found - above - own if (at + 1) << level <= size)


def roots(
    sizes: Sequence[int], leaves: Mapping[int, bytes], nodes: Mapping[Place, bytes]
) -> list[bytes]:
    """The roots of a growing tree at `sizes`, the last one first, from some leaf hashes and from nodes.

    A root is computed from every leaf below it, never from a given node above one, and every root from
    the same hashes: so where the last root is the signed one, the leaves are in its tree (inclusion), and
    the tree of every older size is its beginning (consistency). Raises Forged when a node is missing.
    """
    if any(not 0 <= index < sizes[0] for index in leaves) or sizes[0] < max(sizes):
        raise Unreadable("a leaf or an older tree lies beyond the tree")
    known: dict[Place, bytes] = {(0, index): hashed for index, hashed in leaves.items()}
    split = _above([*known, *(place for size in sizes for place in subtrees(size))])
    partly = split | _above(nodes)

    def value(place: Place) -> bytes:
        if place not in known:
            level, at = place
            if place in nodes and place not in split:
                known[place] = nodes[place]
            elif place in partly:
                below = value((level - 1, 2 * at)), value((level - 1, 2 * at + 1))
                known[place] = node_hash(*below)
            else:
                raise Forged("left out", f"node {level}/{at}, or what leads to it, is not there")
        return known[place]

    return [fold([value(place) for place in subtrees(size)]) for size in sizes]


def _above(places: Iterable[Place]) -> set[Place]:
    """Everything that lies above one of the places."""
    found: set[Place] = set()
    for level, at in places:
        for higher in range(level + 1, 64):
            place = (higher, at >> (higher - level))
            if place in found:
                break
            found.add(place)
    return found


# ---- Notes, keys and checkpoints (C2SP signed-note and tlog-checkpoint).

_ED25519 = b"\1"


@dataclass(frozen=True)
class Key:
    """A public key that signs for a log: the log's name, and 32 bytes."""

    name: str
    public: bytes

    @property
    def key_hash(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        encoded = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.key_hash.hex()}+{encoded}"

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether the signature over the data is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree head."""

    origin: str
    size: int
    root: bytes
    time: str

    @property
    def text(self) -> str:
        """What is signed."""
        encoded = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{encoded}\ntime {self.time}\n"


def parse_vkey(text: str) -> Key:
    """Read a C2SP verifier key. Raises Unreadable when it is none, or no Ed25519 key."""
    name, plus, rest = text.strip().partition("+")
    stated, second, encoded = rest.partition("+")
    if not (plus and second and _is_name(name)):
        raise Unreadable("a key is not written as NAME+HASH+BASE64")
    data = _base64(encoded)
    key = Key(name, data[1:])
    if data[:1] != _ED25519 or len(data) != 33 or stated != key.key_hash.hex():
        raise Unreadable(f"the key of {name} is no Ed25519 key, or its hash is another key's")
    return key


def signature_line(key: Key, signature: bytes) -> str:
    """The line of a note that bears a signature of 64 bytes, without its line end."""
    return f"— {key.name} {base64.b64encode(key.key_hash + signature).decode()}"


def signed_note(text: str, lines: Iterable[str]) -> str:
    """A note: its text, which ends in a line end, and its signature lines."""
    return text + "\n" + "".join(f"{line}\n" for line in lines)


def split_note(note: str) -> tuple[str, list[str]]:
    """The text of a note and its signature lines. Raises Unreadable."""
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise Unreadable("it is no signed note")
    return text + "\n", tail[:-1].split("\n")


def check_signatures(what: str, data: bytes, lines: Iterable[str], keys: Sequence[Key]) -> None:
    """Raise Forged unless a trusted key signed the data; other keys' lines are not looked at."""
    signers = []
    held = False
    for line in lines:
        dash, name, encoded = (*line.split(" "), "", "")[:3]
        signature = _base64(encoded)
        if dash != "—" or line.count(" ") != 2 or not _is_name(name) or len(signature) < 5:
            raise Unreadable(f"{what} has a line that is no signature")
        signers.append(f"{name}+{signature[:4].hex()}")
        for key in keys:
            if (key.name, key.key_hash) == (name, signature[:4]):
                if not key.signed(data, signature[4:]):
                    raise Forged(f"edited {what}", "the signature over it does not hold")
                held = True
    if not held:
        raise Forged(
            "replaced key", f"{what} is signed by {', '.join(signers)}, which is no trusted key"
        )


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, which no signature vouches for yet. Raises Unreadable."""
    lines = text.split("\n")
    if len(lines) != 5 or not lines[3].startswith("time ") or lines[4]:
        raise Unreadable("it is no checkpoint of origin, size, root and time")
    found = Checkpoint(lines[0], _decimal(lines[1]), _base64(lines[2]), lines[3][5:])
    if not _is_name(found.origin) or len(found.root) != 32:
        raise Unreadable("it is no checkpoint of origin, size, root and time")
    parse_time(found.time)
    return found


def open_checkpoint(note: str, keys: Sequence[Key], what: str = "checkpoint") -> Checkpoint:
    """Return the checkpoint that a trusted key signed. Raises Forged or Unreadable."""
    try:
        text, lines = split_note(note)
        found = parse_checkpoint(text)
        if all(key.name != found.origin for key in keys):
            trusted = ", ".join(sorted({key.name for key in keys}))
            raise Forged("other log", f"the {what} is of {found.origin}, the keys of {trusted}")
        of_log = [key for key in keys if key.name == found.origin]
        check_signatures(what, text.encode(), lines, of_log)
    except Unreadable as error:
        raise Unreadable(f"the {what}: {error}") from None
    return found


def _is_name(text: str) -> bool:
    return bool(text) and "+" not in text and text.isprintable() and not any(map(str.isspace, text))


# ---- Tokens of records: keyed, so that who lacks the key learns nothing from one.


def record_token(secret: bytes, table: str, record_key: str, epoch: int) -> str:
    """The token of a record of `schema.table` under the HMAC key, as hexadecimal digits."""
    purpose = f"sletteplikt/tombstone/v1/{epoch}/{table}"
    derived = hmac.digest(secret, purpose.encode(), "sha256")
    return hmac.digest(derived, record_key.encode(), "sha256").hex()


def tokens_root(lines: Iterable[str]) -> str:
    """The root over the lines `schema.table|token|disposition` of what a batch purged or minimised."""
    return root([leaf_hash(line) for line in sorted(line.encode() for line in lines)]).hex()


def hmac_key_id(secret: bytes) -> str:
    """What names the HMAC key in a plan, and tells nothing about it."""
    return hashlib.sha256(secret + b"id").hexdigest()[:16]


def parse_hmac_key(content: bytes) -> bytes:
    """Read 32 bytes or more as hexadecimal or base64. Raises Unreadable, which repeats nothing of it."""
    stripped = content.decode(errors="replace").strip()
    try:
        secret = bytes.fromhex(stripped)
    except ValueError:
        plain = stripped.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except ValueError:
            secret = b""
    if len(secret) < 32:
        raise Unreadable("the HMAC key is not 32 bytes or more as hexadecimal or base64")
    return secret


# ---- Entries and checkpoints, in a ledger and in a report.


def entry_content(body: bytes) -> dict[str, Any]:
    """The content of an entry, which says what it is and when. Raises Unreadable unless canonical."""
    content: dict[str, Any] = parse_json(body)
    if len(_take(content, "at", str)) != 27:
        raise Unreadable("`at` is no time with microseconds")
    parse_time(content["at"])
    _take(content, "entry", str)
    if canonical(content) != body:
        raise Unreadable("it is not canonical JSON")
    return content


class _Checked:
    """A file's checkpoint beside the earlier one that the auditor kept, and what both say of entries."""

    def __init__(self, result: Result, new: Checkpoint, old: Checkpoint | None) -> None:
        self.result, self.fail, self.new = result, result.fail, new
        self.old = old if old is not None and self._grew(old) else None
        # Entries before `free` are the older tree's; later ones are not older than `earliest`.
        self.free = 0 if self.old is None else self.old.size
        self.earliest = "" if self.old is None else _written(parse_time(self.old.time) - SLACK)
        self.latest = _written(parse_time(new.time) + SLACK)

    def _grew(self, old: Checkpoint) -> bool:
        new = self.new
        both = f"it signs {new.size} entries of {new.time}, the earlier {old.size} of {old.time}"
        later = parse_time(new.time) >= parse_time(old.time)
        if new.origin != old.origin:
            self.fail("other log", f"the earlier checkpoint is of {old.origin}")
        elif new.size < old.size or (new.size == old.size and not later):
            self.fail("replayed checkpoint", f"{both}: ask for a file as of that one or later")
        elif not later:
            self.fail("back-dated checkpoint", both)
        else:
            return True
        return False

    def time_of(self, index: int, at: str) -> None:
        """Fail where an entry's time lies outside of what the checkpoints leave it."""
        if index >= self.free and at < self.earliest:
            kept = "but it is not in the earlier checkpoint, which is younger"
            self.fail("back-dated entry", f"entry {index} says {at}, {kept}", index)
        if at > self.latest:
            kept = f"but the checkpoint that covers it is of {self.new.time}"
            self.fail("post-dated entry", f"entry {index} says {at}, {kept}", index)

    def state(self, **proved: Any) -> None:
        """Write down what was proved, where everything held."""
        new, old = self.new, self.old
        head = {"log": new.origin, "size": new.size, "root": new.root.hex(), "time": new.time}
        since = old and f"{old.size} entries of {old.time}, which are its beginning"
        if self.result.holds:
            self.result.proved = {**head, "since": since, **proved}

    def check_tree(self, leaves: dict[int, bytes], nodes: dict[Place, bytes]) -> None:
        """Fail unless leaves and nodes lead to the signed root, and to the earlier one on the way."""
        new, old = self.new, self.old
        if old is not None and old.size.bit_count() == 1:
            # A proof leaves out the one hash that its reader has.
            nodes.setdefault((old.size.bit_length() - 1, 0), old.root)
        found = roots([new.size] if old is None else [new.size, old.size], leaves, nodes)
        same = old is not None and found[1] == old.root
        if found[0] != new.root:
            where = f" at or after {self.free}" if same else ""
            what = f"an entry{where} was exchanged, dropped or reordered and the others renumbered"
            self.fail("altered entries", f"{what}: the root is not the signed one")
        elif old is not None and not same:
            first = f"the first {old.size} entries are not those of the earlier checkpoint"
            self.fail("forked history", f"{first} of {old.time}")


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ---- An exported ledger: every entry, and so the whole tree.


class _Ledger:
    """Reads the entries in order, and judges the whole when all were read."""

    def __init__(self, checked: _Checked) -> None:
        self.checked, self.fail = checked, checked.fail
        self.leaves: list[bytes] = []
        self.next = 0
        self.gaps: list[range] = []
        self.late: set[int] = set()
        self.kinds: Counter[str] = Counter()
        self.purged: Counter[str] = Counter()

    def read(self, file: BinaryIO) -> None:
        while lines := list(islice(file, _CHUNK)):
            if not self._read_sound(lines):
                for line in lines:
                    self._read_any(line)
        self._judge()

    def _read_sound(self, lines: list[bytes]) -> bool:
        """Take many entries at once if nothing is wrong with any; otherwise take none."""
        size, sha256 = len(lines), hashlib.sha256
        try:
            numbers, stated, bodies = zip(*[line.split(b" ", 2) for line in lines], strict=True)
            texts = [body[:-1].decode() for body in bodies]
            contents = [_DECODER.raw_decode(text)[0] for text in texts]
            times = [content["at"] for content in contents]
            leaves = [sha256(b"\0" + body[:-1]).digest() for body in bodies]
            sound = (
                numbers == tuple(b"%d" % i for i in range(self.next, self.next + size))
                and stated == tuple(map(hexlify, leaves))
                and lines[-1][-1:] == b"\n"
                # What begins each line, written canonically, gives the lines again: nothing else is there.
                and _ENCODER.encode(contents) == f"[{','.join(texts)}]"
                and set(map(type, contents)) == {dict}
                and {type(content["entry"]) for content in contents} == {str}
                and set(map(len, times)) == {27}
                and "".join(times).encode().translate(None, b"0123456789") == b"--T::.Z" * size
                and all(map(datetime.fromisoformat, times))
                and max(times) <= self.checked.latest
                and (self.next + size <= self.checked.free or min(times) >= self.checked.earliest)
            )
            for text, content in zip(texts, contents, strict=True):
                if not text.isascii():
                    _refuse_others(content)
            if sound:
                self._count(contents)
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        if sound:
            self.leaves += leaves
            self.next += size
        return sound

    def _read_any(self, line: bytes) -> None:
        """Take one entry, and say what is wrong with it."""
        try:
            number, stated, body = line.split(b" ", 2)
            index = _decimal(number.decode())
        except ValueError:
            raise Unreadable(
                f"after {len(self.leaves)} entries comes a line that is none"
            ) from None
        if index > self.next:
            self.gaps.append(range(self.next, index))
        elif index < self.next:
            self.late.add(index)
            self.fail("reordered entries", f"entry {index} comes after {self.next - 1}", index)
        self.next = max(self.next, index + 1)
        if body[-1:] != b"\n":
            self.fail("truncated tail", f"the file ends within entry {index}", index)
        leaf = leaf_hash(body[:-1])
        self.leaves.append(leaf)
        if hexlify(leaf) != stated:
            self.fail("flipped bit", f"entry {index}: its body does not have its leaf hash", index)
            return
        try:
            content = entry_content(body[:-1])
            self.checked.time_of(index, content["at"])
            self._count([content])
        except Unreadable as error:
            self.fail("malformed entry", f"entry {index}: {error}", index)

    def _count(self, contents: Sequence[Any]) -> None:
        """Count the entries by kind, and by table what batches purged."""
        kinds = [content["entry"] for content in contents]
        if "batch" in kinds:
            batches = [content for content in contents if content["entry"] == "batch"]
            self.purged.update(_sums(batches, "purged"))
        self.kinds.update(kinds)

    def _judge(self) -> None:
        """Is any entry missing, and have the others the signed root?"""
        new, old, leaves = self.checked.new, self.checked.old, self.leaves
        for gap in self.gaps:
            absent = [index for index in islice(gap, _MOST_LOOKED_FOR) if index not in self.late]
            if absent:
                more = f", nor {len(absent) - 1} after it" if len(absent) > 1 else ""
                self.fail("dropped entry", f"entry {absent[0]} is not there{more}", absent[0])
        both = f"the checkpoint signs {new.size} entries, the file has {self.next}"
        if self.next < new.size:
            self.fail("truncated tail", both, self.next)
        elif self.next > new.size:
            self.fail("unsigned entries", both, new.size)
        if self.checked.result.holds:
            places = proof_nodes(new.size, (), () if old is None else (old.size,))
            nodes = {
                (level, at): root(leaves[at << level : (at + 1) << level]) for level, at in places
            }
            self.checked.check_tree({}, nodes)
            self.checked.state(kinds=dict(self.kinds), purged_by_table=dict(self.purged))


# ---- A deletion report: the entries of one plan, and what follows from them.


class _Report:
    """A deletion report, of which nothing is believed but what entries, tokens and the tree show."""

    def __init__(self, checked: _Checked, report: dict[str, Any]) -> None:
        self.checked, self.fail, self.report = checked, checked.fail, report
        self.entries: dict[int, dict[str, Any]] = {}
        self.plan = _take(report, "plan", dict)
        self.batches: list[dict[str, Any]] = []

    def _of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [content for content in self.entries.values() if content["entry"] == kind]

    def read_entries(self) -> None:
        """Read the entries, and prove that they are in the tree and that it grew from the older one."""
        leaves: dict[int, bytes] = {}
        last, flipped = -1, False
        for item in _take(self.report, "entries", list):
            index, body = _natural(item, "index"), _take(item, "body", str).encode()
            if index <= last:
                self.fail("reordered entries", f"entry {index} comes after {last}", index)
            last, leaves[index] = index, leaf_hash(body)
            if leaves[index] != _hex(item.get("leaf_hash"), f"the leaf hash of entry {index}"):
                flipped = True
                self.fail(
                    "flipped bit", f"entry {index}: its body does not have its leaf hash", index
                )
            content = self.entries[index] = entry_content(body)
            self.checked.time_of(index, content["at"])
            # A rewriting of tables is of every plan that purged from them.
            if content["entry"] != "compaction" and content.get("plan_id") != self.plan.get(
                "plan_id"
            ):
                self.fail("foreign entry", f"entry {index} is not of the report's plan", index)
        self.batches = self._of_kind("batch")
        nodes = {
            _place(name): _hex(stated, f"node {name}")
            for name, stated in _take(self.report, "nodes", dict).items()
        }
        if not flipped:
            self.checked.check_tree(leaves, nodes)

    def check_story(self) -> None:
        """Planned once, approved as it stood by somebody else, carried out in batches numbered from 1,
        and ended with their sums."""
        if len(self._of_kind("plan")) != 1:
            raise Unreadable("it does not have one entry of a plan")
        plan = self._of_kind("plan")[0]
        digest, items = _take(plan, "digest", str), _natural(plan, "items")
        frozen = canonical({name: _take(plan, name, str) for name in _FROZEN})
        if hashlib.sha256(frozen).hexdigest() != digest:
            self.fail("false plan", "its digest does not follow from its rows, policy and code")
        approved, batches = False, 0
        for index, content in self.entries.items():
            if content["entry"] == "plan_amended":
                if approved or _take(content, "old_digest", str) != digest:
                    self.fail(
                        "false plan", f"entry {index} amends another, or an approved one", index
                    )
                digest, items = _take(content, "new_digest", str), _natural(content, "items")
            elif content["entry"] == "approval":
                approved = True
                if _take(content, "digest", str) != digest:
                    self.fail("false approval", f"entry {index} approves another digest", index)
                if _take(content, "approved_by", str) == _take(plan, "planned_by", str):
                    self.fail("false approval", f"entry {index} is by the planner himself", index)
            elif content["entry"] == "batch":
                batches += 1
                self._check_batch(index, content, batches, plan)
                if not approved:
                    self.fail("false batch", f"entry {index} comes before an approval", index)
            elif content["entry"] == "executed":
                self._check_end(index, content, self.batches[:batches], items)

    def _check_batch(
        self, index: int, batch: dict[str, Any], number: int, plan: dict[str, Any]
    ) -> None:
        if _natural(batch, "batch_no") != number:
            gap = f"entry {index} is batch {batch['batch_no']}, where batch {number} follows"
            self.fail("dropped entry", gap, index)
        for name in ("policy_version", "policy_hash", "code_hash", "key_id"):
            if _take(batch, name, str) != _take(plan, name, str):
                self.fail("false batch", f"entry {index} has another {name} than the plan", index)
        for what, rules in (("purged", "rules"), ("minimised", "rules_minimised")):
            total = _natural(batch, what)
            if not total == _sums([batch], what).total() == _sums([batch], rules).total():
                self.fail("false batch", f"entry {index} has sums of {what} that differ", index)
        for table in _take(batch, "tables", list):
            if _natural(table, "rows_before") - table["purged"] != _natural(table, "rows_after"):
                self.fail("false batch", f"entry {index} lost other rows than it purged", index)

    def _check_end(
        self, index: int, end: dict[str, Any], batches: list[dict[str, Any]], items: int
    ) -> None:
        skipped = _naturals(end, "skipped")
        done = {what: _sums(batches, what).total() for what in ("purged", "minimised")}
        if {what: _natural(end, what) for what in done} != done or end["batches"] != len(batches):
            self.fail("false end", f"entry {index} has other sums than its batches", index)
        elif _sums(batches, "skipped") - skipped or sum(done.values()) + skipped.total() != items:
            self.fail("false end", f"entry {index} does not account for {items} records", index)

    def check_sections(self) -> None:
        """Every section must be what the entries say."""
        execution = _take(self.report, "execution", dict)
        counts = _take(self.report, "counts", dict)
        plan, *_ = self._of_kind("plan")
        end = _last(self._of_kind("executed"))
        sections: list[tuple[str, Any, Any]] = [
            ("plan", self.plan, plan),
            ("approval", self.report.get("approval", 0), _last(self._of_kind("approval"))),
            ("read_back", self.report.get("read_back", 0), _last(self._of_kind("read_back"))),
            ("execution.batches", execution.get("batches"), self.batches),
            ("execution.end", execution.get("end", 0), end),
            ("execution.finished", execution.get("finished"), end is not None),
            ("execution.skipped", +_naturals(execution, "skipped"), self._sums("skipped")),
            ("counts.by_table", +_naturals(counts, "by_table"), self._sums("purged")),
        ]
        for what in ("purged", "minimised"):
            sections.append((f"execution.{what}", execution.get(what), self._sums(what).total()))
        for name, key, what, follows in (
            ("by_rule", "rule_id", "purged", "rules"),
            ("minimised_by_table", "table", "minimised", "minimised"),
            ("minimised_by_table", "rule_id", "minimised", "rules_minimised"),
        ):
            sections.append((f"counts.{name}", _rows(counts, name, key, what), self._sums(follows)))
        for name, stated, says in sections:
            if _text(stated) != _text(says):
                self.fail("edited report", f"`{name}` does not follow from the entries")

    def _sums(self, what: str) -> Counter[str]:
        return _sums(self.batches, what)

    def check_tokens(self) -> None:
        """The tokens must have the batches' roots, and be as many as the batches say."""
        lines: dict[int, list[str]] = {}
        numbers: dict[tuple[int, str], Counter[str]] = {}
        groups: set[tuple[int, str, str]] = set()
        for group in _take(self.report, "tokens", list):
            number, tokens = _natural(group, "batch_no"), _take(group, "tokens", list)
            table, disposition = _take(group, "table", str), _take(group, "disposition", str)
            for token in tokens:
                _hex(token, f"a token of {table}")
            if tokens != sorted(set(tokens)) or (number, table, disposition) in groups:
                self.fail("edited report", f"tokens of batch {number} are reordered or repeated")
            groups.add((number, table, disposition))
            lines.setdefault(number, []).extend(f"{table}|{one}|{disposition}" for one in tokens)
            numbers.setdefault((number, _done(group)), Counter())[table] += len(tokens)
        for batch in self.batches:
            number = batch["batch_no"]
            if tokens_root(lines.pop(number, [])) != _take(batch, "tokens_root", str):
                self.fail("edited report", f"the tokens of batch {number} have another root")
            for what in ("purged", "minimised"):
                if numbers.get((number, what), Counter()) != _sums([batch], what):
                    self.fail(
                        "edited report", f"batch {number} {what} another number than its tokens"
                    )
        if lines:
            self.fail("edited report", f"it has tokens of a batch {min(lines)} that is not there")

    def check_level(self) -> None:
        """Physical is erased only what was rewritten after the last batch."""
        level = _take(self.report, "level", str)
        if level not in ("logical", "physical"):
            raise Unreadable("its level is neither logical nor physical")
        if level == "physical" and not self._rewritten():
            self.fail("false level", "no table was rewritten after the last batch")

    def _rewritten(self) -> set[str]:
        """The tables that were rewritten after the last batch."""
        last = max(
            (index for index, one in self.entries.items() if one["entry"] == "batch"), default=-1
        )
        return {
            _take(table, "table", str)
            for index, content in self.entries.items()
            if content["entry"] == "compaction" and index > last
            for table in _take(content, "tables", list)
        }

    def state(self) -> None:
        """Write down what was proved, and what was not. Call it only where everything held."""
        changed = {*self._sums("purged"), *self._sums("minimised")}
        rewritten = f"{len(changed & self._rewritten())} of {len(changed)} tables since rewritten"
        plan, approval = self._of_kind("plan")[0], _last(self._of_kind("approval"))
        read_back = _last(self._of_kind("read_back"))
        findings = 0 if read_back is None else len(_take(read_back, "findings", list))
        not_covered = _take(self.report, "not_covered", list)
        self.checked.state(
            plan=plan["plan_id"],
            policy=f"{plan['policy_version']}, hash {plan['policy_hash']}",
            planned=f"{plan['at']} by {plan['planned_by']}",
            approved=approval and f"{approval['at']} by {approval['approved_by']}",
            batches=[batch["at"] for batch in self.batches],
            finished=bool(self._of_kind("executed")),
            purged_by_table=dict(self._sums("purged")),
            purged_by_rule=dict(self._sums("rules")),
            minimised_by_table=dict(self._sums("minimised")),
            skipped=dict(self._sums("skipped")),
            read_back=read_back and f"{read_back['at']}, findings: {findings}",
            level=f"{self.report['level']}, {rewritten}",
        )
        self.checked.result.not_covered += [
            "entries of the plan that the report leaves out: the exported ledger shows those",
            "`orders`, `not_covered`, clauses: the signer's word, which no entry repeats",
            *(str(line) for line in not_covered),
        ]


def find_record(
    report: dict[str, Any], table: str, record_key: str, secret: bytes
) -> dict[str, Any]:
    """Whether a report that holds says that a record was purged, or minimised, and in which batch.

    Raises Unreadable when the plan was frozen with another HMAC key.
    """
    key_id, epoch = report["plan"]["key_id"], _natural(report["plan"], "key_epoch")
    if hmac_key_id(secret) != key_id:
        raise Unreadable(f"the HMAC key is {hmac_key_id(secret)}, the plan's is {key_id}")
    token = record_token(secret, table, record_key, epoch)
    for group in report["tokens"]:
        if group["table"] == table and token in group["tokens"]:
            return {"answer": _done(group), "batch": group["batch_no"]}
    return {"answer": "not in this report", "batch": None}


_FROZEN = ("as_of", "policy_version", "policy_hash", "code_hash", "scope", "tokens_root")


def _sums(batches: Iterable[Any], what: str) -> Counter[str]:
    """Summed over batches: per table `purged` or `minimised`, else what the field of that name counts."""
    found: Counter[str] = Counter()
    for batch in batches:
        if what in ("purged", "minimised"):
            for table in _take(batch, "tables", list):
                found[_take(table, "table", str)] += _natural(table, what)
        else:
            found.update(_naturals(batch, what))
    return +found


def _rows(section: Any, name: str, key: str, what: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in _take(section, name, list):
        found[_take(row, key, str)] += _natural(row, what)
    return +found


def _done(group: dict[str, Any]) -> str:
    return "minimised" if group["disposition"] == "minimise" else "purged"


def _last(contents: list[dict[str, Any]]) -> dict[str, Any] | None:
    return contents[-1] if contents else None


def _text(value: Any) -> bytes:
    """What tells values apart that Python calls equal, such as true and 1."""
    return canonical(dict(value) if isinstance(value, Counter) else value)


def _place(name: str) -> Place:
    level, _, at = name.partition("/")
    return _decimal(level), _decimal(at)


# ---- One file, and the command.


def verify(
    path: Path,
    keys: Sequence[Key],
    since: str | None = None,
    record: tuple[str, str, bytes] | None = None,
) -> Result:
    """Verify an exported ledger or a deletion report.

    `keys` are trusted; `since` is the note of an earlier checkpoint that was kept; `record` (schema.table,
    key, HMAC key) is looked for in a report that holds. Raises Unreadable when something given is not
    what it should be, OSError when it cannot be read; everything else is in the result.
    """
    with path.open("rb", buffering=1 << 20) as file:
        first = file.readline(1 << 16)
        header = _header(first)
        given = parse_json(first + file.read()) if header is None else header
        if header is None and (type(given) is not dict or given.get("report") != "deletion"):
            raise Unreadable("it is neither an exported ledger nor a deletion report")
        if header is None and _natural(given, "version") != 2:
            raise Unreadable(f"it is a report of version {given['version']}, not 2")
        if header is not None and record is not None:
            raise Unreadable("a ledger names no records: ask a deletion report")
        result = Result("deletion report" if header is None else "ledger")
        try:
            old = None if since is None else open_checkpoint(since, keys, "earlier checkpoint")
        except Forged as error:
            result.fail(error.forgery, error.message)
            return result
        try:
            checked = _Checked(result, open_checkpoint(_take(given, "checkpoint", str), keys), old)
            if header is None:
                _verify_report(checked, given, keys)
            else:
                _Ledger(checked).read(file)
        except Forged as error:
            result.fail(error.forgery, error.message)
        except Unreadable as error:
            result.fail(f"malformed {result.file}", str(error))
    if record is not None and result.holds:
        result.record = find_record(given, *record)
    return result


def _header(first: bytes) -> dict[str, Any] | None:
    """The first line of an exported ledger, or None where the file is something else."""
    try:
        header = parse_json(first)
    except Unreadable:
        return None
    if type(header) is not dict or header.get("file") != "ledger":
        return None
    if _natural(header, "version") != 1:
        raise Unreadable(f"it is a ledger of version {header['version']}, not 1")
    return header


def _verify_report(checked: _Checked, report: dict[str, Any], keys: Sequence[Key]) -> None:
    of_log = [key for key in keys if key.name == checked.new.origin]
    signed = canonical({name: value for name, value in report.items() if name != "signature"})
    try:
        check_signatures("report", signed, [_take(report, "signature", str)], of_log)
    except Forged as error:
        checked.result.fail(error.forgery, error.message)
    found = _Report(checked, report)
    found.read_entries()
    found.check_story()
    found.check_sections()
    found.check_tokens()
    found.check_level()
    if checked.result.holds:
        found.state()


def _read_keys(given: str) -> list[Key]:
    """The keys of a file that has one a line, or the key that is written out."""
    try:
        return [parse_vkey(given)]
    except Unreadable:
        lines = Path(given).read_bytes().decode().split("\n")
        return [parse_vkey(line) for line in lines if line.strip()]


def _print(lines: Iterable[str]) -> None:
    """Print what may come from a forged file: nothing in it may steer the terminal, or make a line."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        shown = "".join(char if char.isprintable() else "?" for char in line)
        print(shown.encode(encoding, "replace").decode(encoding))


def _lines(result: Result) -> list[str]:
    if not result.holds:
        more = [f"and {result.further_failures} more"] if result.further_failures else []
        found = [f"{one['forgery']}: {one['message']}" for one in result.failures]
        return [f"the {result.file} does not hold", *found, *more]
    proved = [
        f"  {name.replace('_', ' ')}: {_shown(value)}" for name, value in result.proved.items()
    ]
    lines = [f"the {result.file} holds", *proved]
    lines += [f"  not covered: {line}" for line in result.not_covered]
    if result.record is not None:
        batch = result.record["batch"]
        where = f" in batch {batch}" if batch else ""
        lines.append(f"  record: {result.record['answer']}{where}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in sorted(value.items())) or "none"
    if isinstance(value, list):
        return f"{len(value)}, from {value[0]} to {value[-1]}" if value else "none"
    return "none" if value is None else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(description="Verify evidence of sletteplikt, offline.")
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="an exported ledger, or a deletion report")
    add("--key", action="append", required=True, metavar="K", help="a vkey or its file; repeatable")
    add("--since", type=Path, metavar="CHECKPOINT", help="an earlier checkpoint that you kept")
    add("--record", nargs=2, metavar=("SCHEMA.TABLE", "KEY"), help="was this record purged?")
    add("--hmac-key", type=Path, metavar="FILE", help="the key of the records' tokens")
    add("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args(arguments)
    if (given.record is None) != (given.hmac_key is None):
        parser.error("--record and --hmac-key go together")
    try:
        result = verify(
            given.file,
            [key for one in given.key for key in _read_keys(one)],
            given.since and given.since.read_bytes().decode(),
            given.record and (*given.record, parse_hmac_key(given.hmac_key.read_bytes())),
        )
    except (Unreadable, OSError, UnicodeDecodeError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        _print([json.dumps({"error": str(reason)}) if given.json else f"unreadable: {reason}"])
        return 2
    _print([json.dumps(result.as_json())] if given.json else _lines(result))
    return 0 if result.holds else 1


if __name__ == "__main__":
    sys.exit(main())
