"""Guards that look right and lose, beside the one that holds, so that nobody simplifies back to them.

Belongs here: the bare locking, on scratch tables, against a hold that was in progress when the delete
began. Does not belong here: our own guard at work (test_purge_races.py).

Two persons lie in a scratch table, and somebody is placing a hold on the first when a batch begins to
delete both. The batch must not get past the hold: a variant loses when the first person is gone after
both have committed. Each run counts only if the batch was really seen waiting for the placer, so none
of them lost because it was early. The placer is at PostgreSQL's default level, as any client may be:
what a batch at a higher level promises must not depend on the levels of others.
"""

from typing import LiteralString

import psycopg
import pytest

from retention.warehouse.connection import connect
from tests.factories import Shop
from tests.integration.test_purge_races import in_background, wait_until_blocked

pytestmark = pytest.mark.integration

LEVELS = ("read committed", "repeatable read", "serializable")

DELETED, KEPT, REFUSED = "deleted", "kept", "refused"

SCRATCH: tuple[LiteralString, ...] = (
    "create schema scratch",
    "create table scratch.person (id integer primary key)",
    "create table scratch.hold (person_id integer)",
    "create table scratch.guard (person_id integer primary key, blockers integer not null)",
    "insert into scratch.person values (1), (2)",
    "insert into scratch.guard values (1, 0), (2, 0)",
)

TRIGGER: tuple[LiteralString, ...] = (
    """
    create function scratch.refuse_held() returns trigger language plpgsql as $$
    begin
        if exists (select from scratch.hold where person_id = old.id) then
            return null;
        end if;
        return old;
    end
    $$
    """,
    "create trigger refuse_held before delete on scratch.person"
    " for each row execute function scratch.refuse_held()",
)

# The second person's row is locked as a foreign key to it would lock it: that makes the batch wait.
HOLD: tuple[LiteralString, ...] = (
    "insert into scratch.hold values (1)",
    "select from scratch.person where id = 2 for key share",
)
LOCKED_HOLD: tuple[LiteralString, ...] = (
    "select from scratch.guard where person_id = 1 for update",
    "insert into scratch.hold values (1)",
)
COUNTED_HOLD: tuple[LiteralString, ...] = (
    "insert into scratch.hold values (1)",
    "update scratch.guard set blockers = blockers + 1 where person_id = 1",
)

UNLESS_HELD: LiteralString = (
    "delete from scratch.person"
    " where not exists (select from scratch.hold where hold.person_id = person.id)"
)
LOCK_AND_READ: LiteralString = """
    with locked as materialized (
        select person_id from scratch.guard order by person_id for update
    )
    delete from scratch.person using locked
    where person.id = locked.person_id
    and not exists (select from scratch.hold where hold.person_id = person.id)
"""
LOCK: LiteralString = "select from scratch.guard order by person_id for update"
LOCK_AND_TEST: LiteralString = """
    with free as materialized (
        select person_id from scratch.guard where blockers = 0 order by person_id for update
    )
    delete from scratch.person using free where person.id = free.person_id
"""


def race(
    shop: Shop, level: str, placing: tuple[LiteralString, ...], batch: tuple[LiteralString, ...]
) -> str:
    """What became of the held person when `batch` ran at `level` while `placing` was in progress."""

    def delete() -> str | None:
        with connect(shop.settings) as deleter:
            deleter.execute(f"set transaction isolation level {level}")
            try:
                for statement in batch:
                    deleter.execute(statement)
                deleter.commit()
            except psycopg.errors.SerializationFailure:
                deleter.rollback()
                return REFUSED
        return None

    with connect(shop.settings) as placer:
        for statement in placing:
            placer.execute(statement)
        with in_background(delete) as deleting:
            wait_until_blocked(shop, placer)
            placer.commit()
            refused = deleting.result(timeout=60)
    assert shop.one("select count(*) from scratch.hold") == 1
    stays = bool(shop.one("select count(*) from scratch.person where id = 1"))
    if refused:
        assert stays
        return REFUSED
    return KEPT if stays else DELETED


@pytest.fixture
def scratch(shop: Shop) -> Shop:
    for statement in SCRATCH:
        shop.conn.execute(statement)
    shop.conn.commit()
    return shop


@pytest.mark.parametrize("level", LEVELS)
def test_a_delete_that_only_reads_the_holds_loses(scratch: Shop, level: str) -> None:
    assert race(scratch, level, HOLD, (UNLESS_HELD,)) == DELETED


@pytest.mark.parametrize("level", LEVELS)
def test_a_trigger_that_only_reads_the_holds_loses(scratch: Shop, level: str) -> None:
    for statement in TRIGGER:
        scratch.conn.execute(statement)
    scratch.conn.commit()
    assert race(scratch, level, HOLD, ("delete from scratch.person",)) == DELETED


@pytest.mark.parametrize("level", LEVELS)
def test_locking_the_same_row_and_reading_in_one_statement_loses(scratch: Shop, level: str) -> None:
    """The statement's snapshot is older than its wait: it does not see the hold it waited for."""
    assert race(scratch, level, LOCKED_HOLD, (LOCK_AND_READ,)) == DELETED


@pytest.mark.parametrize(
    ("level", "outcome"), list(zip(LEVELS, (KEPT, DELETED, DELETED), strict=True))
)
def test_locking_first_and_reading_afterwards_is_right_at_one_level_only(
    scratch: Shop, level: str, outcome: str
) -> None:
    """Above read committed the snapshot is the transaction's, and the lock came after it."""
    assert race(scratch, level, LOCKED_HOLD, (LOCK, UNLESS_HELD)) == outcome


@pytest.mark.parametrize(
    ("level", "outcome"), list(zip(LEVELS, (KEPT, REFUSED, REFUSED), strict=True))
)
def test_a_counter_tested_in_the_statement_that_locks_it_holds_at_every_level(
    scratch: Shop, level: str, outcome: str
) -> None:
    assert race(scratch, level, COUNTED_HOLD, (LOCK_AND_TEST,)) == outcome
