"""The delete path by itself: what its functions refuse, whoever calls them and however.

Belongs here: calls straight from a purger's login, past everything that a batch does before. Does not
belong here: whole purges (test_purge.py), and what else the roles may not do (test_roles.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from retention import halts
from retention.code_hash import code_hash
from retention.errors import Refused
from retention.keys import load_key
from retention.ledger.failures import safe_errors
from retention.plan import Plan
from retention.purge import executor, guards
from retention.warehouse.connection import connect
from tests.factories import Shop
from tests.logins import Logins

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[Any]


class Begun:
    """An execution that a purger's login began: its plan's gate was passed once."""

    def __init__(self, shop: Shop, conn: Connection, plan: Plan) -> None:
        self.shop, self.conn, self.plan = shop, conn, plan
        self.code = code_hash(shop.settings, shop.declarations)
        self.key = load_key(shop.settings, conn).key_id
        conn.rollback()
        self.fence = executor.begin(conn, plan.plan_id, self.code, self.key)
        with self.batch():
            pass

    @contextmanager
    def batch(self) -> Iterator[None]:
        """A transaction behind the purge's lock and the gate."""
        with self.conn.transaction():
            guards.only_purge(self.conn, 1_000)
            entered = self.conn.execute(
                "select ledger.enter_plan(%s, %s, %s, %s)",
                (self.plan.plan_id, self.code, self.key, self.fence),
            ).fetchone()
            assert entered == (None,)
            yield

    def delete(self, table: str = "person", **other: Any) -> tuple[int, int, int]:
        """Ask for every item of the plan in one table. Raises Refused where the database does."""
        asked = {"plan": self.plan.plan_id, "fence": self.fence, "schema": "shop", **other}
        with safe_errors("deleting"):
            row = self.conn.execute(
                "select deleted, marked, buried from ledger.delete_landing("
                "%(plan)s, %(fence)s, 1, 0, 1000000, %(schema)s, %(table)s)",
                {**asked, "table": table},
            ).fetchone()
        assert row is not None
        return row


@pytest.fixture
def begun(shop: Shop, logins: Logins) -> Iterator[Begun]:
    """Person 1 is planned, approved and begun; person 2 is overdue since, and in no plan."""
    shop.person(1)
    plan = shop.approved_plan()
    shop.person(2)
    with connect(logins.of("purger")) as conn:
        yield Begun(shop, conn, plan)
        conn.rollback()


def untouched(begun: Begun) -> bool:
    return begun.shop.keys("person") == {"1", "2"} and not begun.shop.one(
        "select count(*) from ledger.tombstones"
    )


# --- what it refuses ---------------------------------------------------------------------------


def test_without_the_purges_lock(begun: Begun) -> None:
    with pytest.raises(Refused, match="behind the purge's lock"):
        begun.delete()
    begun.conn.rollback()
    # Nor with one that everybody may share.
    begun.conn.execute("select pg_advisory_xact_lock_shared(ledger.purge_lock())")
    with pytest.raises(Refused, match="behind the purge's lock"):
        begun.delete()
    assert untouched(begun)


def test_with_the_number_of_an_executor_that_was_shut_out(begun: Begun, logins: Logins) -> None:
    with connect(logins.of("purger")) as later:
        executor.begin(later, begun.plan.plan_id, begun.code, begun.key)
    guards.only_purge(begun.conn, 1_000)
    with pytest.raises(Refused, match="has taken it over"):
        begun.delete()
    assert untouched(begun)


def test_while_everything_is_halted(begun: Begun) -> None:
    halts.halt(begun.shop.settings, "stop")
    guards.only_purge(begun.conn, 1_000)
    with pytest.raises(Refused, match="was halted by"):
        begun.delete()
    assert untouched(begun)


def test_from_a_plan_that_nobody_carries_out(begun: Begun) -> None:
    begun.shop.classify()
    other = begun.shop.plan()
    guards.only_purge(begun.conn, 1_000)
    with pytest.raises(Refused, match="the plan is proposed"):
        begun.delete(plan=other.plan_id, fence=0)
    assert untouched(begun)


@pytest.mark.parametrize(
    ("scope", "target"), [("subject", "shop.person:1"), ("record", "shop.person:1")]
)
def test_a_held_row(begun: Begun, scope: Any, target: str) -> None:
    begun.shop.hold(scope, target)
    with pytest.raises(Refused, match="are held, restricted or locked"), begun.batch():
        begun.delete()
    assert untouched(begun)


def test_a_row_that_somebody_is_holding_at_this_moment(begun: Begun) -> None:
    with connect(begun.shop.settings) as placer:
        placer.execute("select ledger.place_blocker('hold', 'subject', 'shop.person:1', 'r', 'a')")
        with begun.batch():
            guards.wait_at_most(begun.conn, 100)
            with pytest.raises(psycopg.errors.LockNotAvailable), begun.conn.transaction():
                begun.conn.execute(
                    "select ledger.delete_landing(%s, %s, 1, 0, 1000000, 'shop', 'person')",
                    (begun.plan.plan_id, begun.fence),
                )
        placer.rollback()
    assert untouched(begun)


@pytest.mark.parametrize(
    ("schema", "table", "words"),
    [
        ("ledger", "entries", "no landing table"),
        ("retention", "records", "no landing table"),
        ("staging", "stg_shop__person", "no landing table"),
        ("pg_catalog", "pg_class", "no landing table"),
        ("shop", "person; drop table shop.lead", "no landing table"),
        ("shop", "charge", "the plan holds nothing of shop.charge"),
    ],
)
def test_any_other_table(begun: Begun, schema: str, table: str, words: str) -> None:
    with pytest.raises(Refused, match=words), begun.batch():
        begun.delete(table, schema=schema)
    assert untouched(begun)


def test_no_lock_on_any_other_table(begun: Begun) -> None:
    with pytest.raises(Refused, match="no landing table"), safe_errors("locking"):
        begun.conn.execute("select ledger.lock_landing('{ledger}', '{entries}')")


def test_a_table_that_would_run_somebodys_code_with_the_owners_rights(begun: Begun) -> None:
    begun.shop.conn.execute(
        "create function shop.meddle() returns trigger language plpgsql as"
        " 'begin delete from ledger.plan_keys; return old; end'"
    )
    begun.shop.conn.execute(
        "create trigger meddle before delete on shop.person for each row execute function shop.meddle()"
    )
    begun.shop.conn.commit()
    with pytest.raises(Refused, match="a trigger or a rule"), begun.batch():
        begun.delete()
    assert untouched(begun)


# --- what it leaves ----------------------------------------------------------------------------


def test_rows_outside_the_plan_and_skipped_ones(begun: Begun) -> None:
    with begun.batch():
        begun.conn.execute(
            "update ledger.plan_items set state = 'skipped', skip_reason = 'x'"
            " where plan_id = %s and source_table = 'lead'",
            (begun.plan.plan_id,),
        )
        assert begun.delete("lead") == (0, 0, 0)
        assert begun.delete("contact") == (1, 1, 1)
        assert begun.delete() == (1, 1, 1)
        # The items are spent.
        assert begun.delete() == (0, 0, 0)
    assert begun.shop.keys("person") == {"2"}
    assert begun.shop.keys("contact") == {"2"}
    assert begun.shop.keys("lead") == {"1", "2"}
    assert begun.shop.one("select count(*) from ledger.tombstones") == 2


def test_tables_of_the_callers_own_do_not_stand_in_for_the_ledgers(begun: Begun) -> None:
    """As a function without a fixed search_path would let them."""
    with begun.batch():
        for name in ("plan_items", "plan_keys", "plans", "guards", "tombstones", "halts"):
            begun.conn.execute(f"create temporary table {name} as table ledger.{name}".encode())
        begun.conn.execute("update pg_temp.plan_items set record_key = '2' where record_key = '1'")
        begun.conn.execute(
            "create temporary table int_record_cases as table intermediate.int_record_cases"
        )
        begun.conn.execute("create temporary table person as select 1::bigint as id")
        begun.conn.execute("set local search_path = pg_temp, ledger, intermediate, shop")
        assert begun.delete() == (1, 1, 1)
        copied = begun.conn.execute("select count(*) from pg_temp.tombstones").fetchone()
        assert copied == (0,)
    assert begun.shop.keys("person") == {"2"}
    assert begun.shop.one("select count(*) from ledger.tombstones") == 1


def test_the_key_is_the_one_that_was_frozen(begun: Begun) -> None:
    """Lead 7 is person 1's, and not what the plan calls lead 1."""
    begun.shop.add("lead", id=7, person_id=1)
    with begun.batch():
        assert begun.delete("lead") == (1, 1, 1)
    assert begun.shop.keys("lead") == {"2", "7"}


# --- columns of rows that stay -----------------------------------------------------------------


@pytest.fixture
def emptying(shop: Shop, logins: Logins) -> Iterator[Begun]:
    """A charge of person 1 stays and is to lose its columns."""
    shop.buyer(1)
    plan = shop.approved_plan()
    with connect(logins.of("purger")) as conn:
        yield Begun(shop, conn, plan)
        conn.rollback()


def minimise(begun: Begun) -> tuple[int, int, int, int]:
    with safe_errors("minimising"):
        row = begun.conn.execute(
            "select emptied, marked, remembered, unchanged from"
            " ledger.minimise_landing(%s, %s, 1, 0, 1000000, 'shop', 'charge', 'person')",
            (begun.plan.plan_id, begun.fence),
        ).fetchone()
    assert row is not None
    return row


def test_a_row_that_is_to_lose_columns_is_not_deleted(emptying: Begun) -> None:
    with emptying.batch():
        assert emptying.delete("charge") == (0, 0, 0)
        assert minimise(emptying) == (1, 1, 1, 1)
    assert emptying.shop.one("select count(*) from shop.charge") == 1
    assert emptying.shop.one("select count(*) from ledger.column_tombstones") == 1


def test_columns_are_emptied_in_a_batch_alone_and_never_of_a_held_row(emptying: Begun) -> None:
    before = emptying.shop.rows()
    with pytest.raises(Refused, match="behind the purge's lock"):
        minimise(emptying)
    emptying.conn.rollback()
    emptying.shop.hold("table", "shop.charge")
    with pytest.raises(Refused, match="are held, restricted or locked"), emptying.batch():
        minimise(emptying)
    assert emptying.shop.rows() == before


def test_no_function_of_somebodys_own_is_run_by_the_update(emptying: Begun) -> None:
    before = emptying.shop.rows()
    emptying.shop.conn.execute(
        "create function shop.fine(value text) returns boolean language sql immutable return true"
    )
    emptying.shop.conn.execute("alter table shop.charge add check (shop.fine(note))")
    emptying.shop.conn.commit()
    with pytest.raises(Refused, match="a function of its own"), emptying.batch():
        minimise(emptying)
    assert emptying.shop.rows() == before
