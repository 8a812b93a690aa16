"""The tree over the evidence: numbered after commit, append-only, and the same as RFC 6962's by hand.

Belongs here: numbering, hashes of subtrees, roots. Does not belong here: exporting heads (checkpoints),
and proofs on their own (`tests/unit/test_verifier_*`).
"""

import threading
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from retention.ledger import tree
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PURGER
from verifier import verify_evidence as form

Connection = psycopg.Connection[Any]


def append(conn: Connection, number: int) -> None:
    conn.execute("select ledger.append_entry('check', %s)", (Jsonb({"number": number}),))


def sequence(conn: Connection) -> int:
    row = conn.execute("select ledger.sequence_entries()").fetchone()
    assert row is not None
    conn.commit()
    return int(row[0])


def leaves(conn: Connection) -> list[bytes]:
    rows = conn.execute(
        "select convert_to(body, 'UTF8') from ledger.leaves join ledger.entries using (entry_id)"
        " order by leaf_index"
    ).fetchall()
    return [form.leaf_hash(bytes(body)) for (body,) in rows]


@pytest.fixture
def conn(settings: Settings) -> Any:
    with connect(settings, role=PURGER) as connection:
        yield connection


def test_every_root_is_the_one_of_the_leaves(conn: Connection) -> None:
    """Numbered in steps of every size, so that subtrees are completed across them."""
    number = 0
    for step in (1, 1, 3, 2, 7, 1, 16, 5, 33):
        for _ in range(step):
            append(conn, number)
            number += 1
        conn.commit()
        assert sequence(conn) == number
    hashed = leaves(conn)
    assert len(hashed) == number
    for size in range(number + 1):
        assert tree.root(conn, size) == form.root(hashed[:size])
    assert tree.root(conn, number + 1) is None


def test_only_what_is_committed_has_a_number(settings: Settings, conn: Connection) -> None:
    """An entry that is written first and committed last comes last, and nobody waits for it."""
    with connect(settings, role=PURGER) as slow:
        append(slow, 1)
        append(conn, 2)
        conn.commit()
        assert sequence(conn) == 1
        slow.commit()
    assert sequence(conn) == 2
    numbers = conn.execute(
        "select (body::jsonb ->> 'number')::int from ledger.leaves join ledger.entries using (entry_id)"
        " order by leaf_index"
    ).fetchall()
    assert numbers == [(2,), (1,)]


def test_an_entry_undone_leaves_no_gap(conn: Connection) -> None:
    append(conn, 1)
    conn.rollback()
    append(conn, 2)
    conn.commit()
    assert sequence(conn) == 1
    assert sequence(conn) == 1


def test_two_that_number_at_once_give_no_number_twice(settings: Settings, conn: Connection) -> None:
    for number in range(200):
        append(conn, number)
    conn.commit()
    errors: list[BaseException] = []

    def work(first: int) -> None:
        try:
            with connect(settings, role=PURGER) as own:
                for number in range(20):
                    append(own, first + number)
                    own.commit()
                    sequence(own)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(1000 * n,)) for n in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert sequence(conn) == 260
    assert tree.root(conn, 260) == form.root(leaves(conn))


def test_an_entry_says_what_it_is_and_when(conn: Connection) -> None:
    append(conn, 1)
    conn.commit()
    row = conn.execute(
        "select body::jsonb ->> 'entry', body::jsonb ->> 'at' from ledger.entries"
    ).fetchone()
    assert row is not None
    assert row[0] == "check"
    form.parse_time(row[1])


def test_the_proof_of_one_entry_leads_to_the_root(conn: Connection) -> None:
    for number in range(77):
        append(conn, number)
    conn.commit()
    sequence(conn)
    hashed = leaves(conn)
    for index in (0, 41, 63, 64, 76):
        nodes = tree.fetch(conn, form.proof_nodes(77, [index], [50]))
        roots = form.roots([77, 50], {index: hashed[index]}, nodes)
        assert roots == [form.root(hashed), form.root(hashed[:50])]


@pytest.mark.parametrize("table", ["leaves", "tree_nodes", "checkpoints"])
def test_nothing_of_the_tree_is_changed(settings: Settings, table: str) -> None:
    """Not by its owner either."""
    with connect(settings) as owner:
        owner.execute("set role retention_owner")
        for statement in (f"delete from ledger.{table}", f"truncate ledger.{table}"):
            with pytest.raises(psycopg.Error, match="append-only"), owner.transaction():
                owner.execute(statement)


@pytest.mark.parametrize("table", ["leaves", "tree_nodes", "unsequenced", "log", "checkpoints"])
def test_the_job_writes_the_tree_only_by_its_functions(conn: Connection, table: str) -> None:
    for statement in (f"delete from ledger.{table}", f"insert into ledger.{table} default values"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(statement)


def test_a_foreign_head_is_not_recorded(conn: Connection) -> None:
    append(conn, 1)
    conn.commit()
    sequence(conn)
    with pytest.raises(psycopg.Error, match="not one of this ledger"), conn.transaction():
        conn.execute("select ledger.record_checkpoint(1, %s, 'note')", (b"\0" * 32,))
