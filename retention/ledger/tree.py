"""The tree over the evidence, as the database keeps it: its size, roots, and the hashes proofs are made of.

Belongs here: having the database number entries, and asking it for roots and complete subtrees. Does not
belong here: how the tree is made (`ledger.sequence_entries`), and what a tree is and
proves (RFC 6962, section 2.1), which stands in `verifier` once for both sides.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psycopg

from verifier.verify_evidence import Place, node_hash, proof_nodes

Connection = psycopg.Connection[Any]

_BATCH = 10_000


def grow(conn: Connection) -> int:
    """Number the entries that were committed, in the caller's transaction; returns the tree's size."""
    row = conn.execute("select ledger.sequence_entries()").fetchone()
    assert row is not None
    return int(row[0])


def size(conn: Connection) -> int:
    """How many entries have a number."""
    row = conn.execute("select ledger.tree_size()").fetchone()
    assert row is not None
    return int(row[0])


def root(conn: Connection, of_size: int) -> bytes | None:
    """The root over the first `of_size` entries, None where there are fewer."""
    row = conn.execute("select ledger.tree_root(%s)", (of_size,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def origin(conn: Connection) -> str:
    """The name of this ledger in its checkpoints."""
    row = conn.execute("select origin from ledger.log").fetchone()
    assert row is not None
    return str(row[0])


def fetch(conn: Connection, nodes: Iterable[Place]) -> dict[Place, bytes]:
    """The hashes of complete subtrees."""
    asked = list(nodes)
    found: dict[Place, bytes] = {}
    for begin in range(0, len(asked), _BATCH):
        part = asked[begin : begin + _BATCH]
        rows = conn.execute(
            "select level, position, hash from ledger.tree_nodes"
            " join unnest(%s::smallint[], %s::bigint[]) as asked (level, position)"
            " using (level, position)",
            ([level for level, _ in part], [position for _, position in part]),
        ).fetchall()
        found |= {(level, position): bytes(hash_) for level, position, hash_ in rows}
    return found


def consistency_proof(conn: Connection, first: int, second: int) -> list[bytes]:
    """RFC 6962, section 2.1.2: the hashes that lead from the root of the first `first` entries to that
    of the first `second`. Empty where one of the two is empty or both are the same."""
    if not 0 < first < second:
        return []
    known = fetch(conn, proof_nodes(second, (), (first,)))
    return list(_subproof(first, 0, second, True, lambda low, high: _range_hash(known, low, high)))


def _subproof(
    cut: int, low: int, high: int, whole: bool, hashed: Callable[[int, int], bytes]
) -> Iterator[bytes]:
    if cut == high:
        if not whole:
            yield hashed(low, high)
        return
    middle = low + (1 << ((high - low - 1).bit_length() - 1))
    if cut <= middle:
        yield from _subproof(cut, low, middle, whole, hashed)
        yield hashed(middle, high)
    else:
        yield from _subproof(cut, middle, high, False, hashed)
        yield hashed(low, middle)


def _range_hash(known: dict[Place, bytes], low: int, high: int) -> bytes:
    """The hash over the leaves of a range that is a node of the tree, made of the subtrees at hand."""
    size_ = high - low
    level = size_.bit_length() - 1
    if size_ == 1 << level and (level, low >> level) in known:
        return known[(level, low >> level)]
    middle = low + (1 << ((size_ - 1).bit_length() - 1))
    return node_hash(_range_hash(known, low, middle), _range_hash(known, middle, high))
