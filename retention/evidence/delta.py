"""What a ledger restored from a backup would lack: written beside each checkpoint, encrypted.

Belongs here: which rows go with the entries between two checkpoints, and their encryption. Does not belong
here: where the file goes (`destination`), and bringing the rows back (`retention.replay`).

The entries themselves, the plans they are about, tombstones, holds, restrictions, locks and what became of
them, requests and what was decided on them, decisions on records under review, halts, which keys were used
and destroyed, suppressions. Some of these name records and persons, so that the file is encrypted under a
key derived from the HMAC key, and expires with the backups it is for.
"""

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retention.errors import Refused
from retention.keys import MasterKey

Connection = psycopg.Connection[Any]

_MAGIC = "sletteplikt-delta/1"
_NONCE_BYTES = 12

# What the entries from %(first)s to before %(end)s are about. Entries name what they are about by ids.
_ENTRIES = """
    mentioned as materialized (
        select leaves.leaf_index, entries.kind, entries.body, entries.at, entries.body::jsonb as content
        from ledger.leaves as leaves join ledger.entries as entries using (entry_id)
        where leaves.leaf_index >= %(first)s and leaves.leaf_index < %(end)s
    ),
    plans as (
        select * from ledger.plans
        where plan_id in (select (content ->> 'plan_id')::uuid from mentioned)
    ),
    batches as (
        select (content ->> 'plan_id')::uuid as plan_id, (content ->> 'batch_no')::integer as batch_no
        from mentioned where kind = 'batch'
    ),
    blockers as (
        select * from ledger.blockers
        where blocker_id in (
            select (content ->> 'blocker_id')::uuid from mentioned
            union all
            -- Locks that a refusal placed: one entry tells of all of a request.
            select decisions.blocker_id from ledger.erasure_decisions as decisions
            where decisions.request_id in (select (content ->> 'request_id')::uuid from mentioned)
        )
    ),
    requests as (
        select * from ledger.requests
        where request_id in (select (content ->> 'request_id')::uuid from mentioned)
    )
"""

# In the order in which they are brought back. A subject's token is random and may be another one in the
# backup: what names a person by it says which person that is.
_ROWS = {
    "entries": "select leaf_index, kind, body, at from mentioned order by leaf_index",
    "plans": "select plans.*, to_jsonb(classifications) as classification from plans"
    " join ledger.classifications as classifications using (classification_id)"
    " order by planned_at, plan_id",
    "tombstones": "select * from ledger.tombstones join batches using (plan_id, batch_no)",
    "column_tombstones": "select * from ledger.column_tombstones"
    " join batches using (plan_id, batch_no)",
    "blockers": "select blockers.*, (select array_agg(subject_id order by created_at, subject_id)"
    " from ledger.subject_tokens where blockers.scope = 'subject'"
    " and subject_token::text = blockers.target) as subject_ids"
    " from blockers order by placed_at, blocker_id",
    "blocker_confirmations": "select * from ledger.blocker_confirmations"
    " where blocker_id in (select blocker_id from blockers) order by confirmed_at",
    "requests": "select requests.*, (select array_agg(subject_id order by created_at, subject_id)"
    " from ledger.subject_tokens where subject_tokens.subject_token = requests.subject_token)"
    " as subject_ids from requests order by registered_at, request_id",
    # What a partner answered comes first: decisions on what is the partner's rest on it.
    "relays": "select * from ledger.relays where request_id in (select request_id from requests)",
    "erasure_decisions": "select * from ledger.erasure_decisions"
    " where request_id in (select request_id from requests) order by decided_at",
    "assignment_restarts": "select * from ledger.assignment_restarts"
    " where blocker_id in (select blocker_id from blockers)",
    "review_decisions": "select * from ledger.review_decisions where decision_id in"
    " (select (content ->> 'decision_id')::uuid from mentioned)"
    " or plan_id in (select plan_id from plans) order by decided_at",
    "halts": "select * from ledger.halts where halt_id in"
    " (select (content ->> 'halt_id')::bigint from mentioned) order by halt_id",
    "keys": "select * from ledger.keys where (kind, key_id) in"
    " (select content ->> 'key', content ->> 'key_id' from mentioned where kind = 'key')",
    # No entry is written for these. A transaction that adds some is over within a day.
    "suppressions": "select * from ledger.suppressions where added_at > coalesce("
    "(select max(exported_at) - interval '1 day' from ledger.checkpoints where size <= %(first)s),"
    " '-infinity')",
}


@dataclass(frozen=True)
class Delta:
    """The rows behind the entries from index `first` to before `end`, by table of the ledger."""

    first: int
    end: int
    rows: dict[str, list[dict[str, Any]]]


def sealed(conn: Connection, key: MasterKey, origin: str, first: int, end: int) -> bytes:
    """The delta from index `first` to before `end`, encrypted. Reads in the caller's transaction."""
    head = f"{_MAGIC} {origin} {first} {end} {key.key_id}\n".encode()
    packer = zlib.compressobj()
    packed = b"".join(packer.compress(line) for line in _lines(conn, first, end)) + packer.flush()
    nonce = os.urandom(_NONCE_BYTES)
    return head + nonce + _cipher(key).encrypt(nonce, packed, head)


def opened(content: bytes, keys: Sequence[MasterKey], origin: str) -> Delta:
    """Decrypt a delta of this ledger. Raises Refused where it is none, or under none of the keys."""
    head, _, rest = content.partition(b"\n")
    words = head.decode("ascii", errors="replace").split(" ")
    if len(words) != 5 or words[0] != _MAGIC or words[1] != origin:
        raise Refused("an exported delta is damaged, or of another ledger")
    key = next((one for one in keys if one.key_id == words[4]), None)
    if key is None:
        raise Refused(
            f"an exported delta is encrypted under the HMAC key {words[4]}: give that key"
        )
    nonce, encrypted = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    try:
        packed = _cipher(key).decrypt(nonce, encrypted, head + b"\n")
    except InvalidTag:
        raise Refused("an exported delta was changed after it was written") from None
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in _ROWS}
    for line in zlib.decompress(packed).splitlines():
        table, _, row = line.partition(b" ")
        rows[table.decode()].append(json.loads(row))
    return Delta(int(words[2]), int(words[3]), rows)


def _lines(conn: Connection, first: int, end: int) -> Iterator[bytes]:
    """Each row as a line: the table's name and the row as JSON, made by the database."""
    for table, query in _ROWS.items():
        with conn.cursor(f"delta_{table}") as cursor:
            statement = f"with {_ENTRIES} select to_jsonb(found)::text from ({query}) as found"  # noqa: S608
            cursor.execute(statement.encode(), {"first": first, "end": end})
            for (row,) in cursor:
                yield f"{table} {row}\n".encode()


def _cipher(key: MasterKey) -> AESGCM:
    return AESGCM(key.derived("sletteplikt/delta/v1"))
