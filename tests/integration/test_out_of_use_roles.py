"""Every role of people tries to get at a locked record; a custodian reads it, and leaves a trace.

Belongs here: ways round the lock by rights, functions, statistics, errors and search paths; the logged
read; who the status says can read landing. Does not belong here: copies (test_out_of_use.py).
"""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention import holds
from retention.errors import Refused, UsageError
from retention.rights.out_of_use import access, reading
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER
from tests.factories import Shop, today
from tests.logins import Logins

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Nobody who holds one of these, and no service, may see a value of landing.
PEOPLE = ("reader", "auditor", "approver", "planner", "rights_officer", "custodian")
CANARY = "Kanarina Låst"
MAIL = "kanari@laast.example"


@pytest.fixture
def locked(shop: Shop) -> Shop:
    """Person 1 bears canaries and is locked; person 2 is not."""
    shop.person(1, overdue=False)
    shop.person(2, overdue=False)
    shop.conn.execute("update shop.person set name = %s, email = %s where id = 1", (CANARY, MAIL))
    shop.conn.execute("update shop.contact set notes = %s where person_id = 1", (CANARY,))
    for key in ("person", "lead", "contact", "recording"):
        shop.judge(key, 1, "locked")
    shop.classify()
    shop.hold(
        "subject",
        "shop.person:1",
        kind="lock",
        reason=f"erasure of {CANARY} was refused",
        until_on=today(shop.conn) + timedelta(days=30),
    )
    shop.conn.execute("analyze")
    shop.conn.commit()
    return shop


def seen(conn: psycopg.Connection[Any], statement: str) -> str:
    """All that a session learns from a statement: rows, notices and the words of an error."""
    heard: list[str] = []
    conn.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    try:
        cursor = conn.execute(statement.encode())
        heard += [str(row) for row in cursor.fetchall()] if cursor.description else []
    except psycopg.Error as error:
        heard.append(f"{error} {error.diag.message_detail} {error.diag.context}")
    finally:
        conn.rollback()
    return " ".join(heard)


#: Plain reads, and what would read with somebody else's rights or say more than it was asked.
TRIES = (
    "select name, email from shop.person",
    "table shop.person",
    "select * from shop.contact",
    "copy shop.person to stdout",
    "select row_to_json(p) from shop.person as p",
    "create temporary view seen as select * from shop.person; select * from seen",
    "create temporary table taken as select * from shop.person; select * from taken",
    "explain (analyze, verbose) select * from shop.person where name > 'A'",
    "select * from pg_stats where schemaname = 'shop'",
    "select * from pg_stats_ext",
    "select * from pg_statistic",
    "select most_common_vals from pg_stats",
    "select ledger.read_locked(gen_random_uuid())",
    "select ledger.landing_rows('shop', 'person', '{1}')",
    "select * from ledger.rows_landed('{shop}', '{person}')",
    "select ledger.holds_rows('shop', 'person')",
    "select ledger.holds_rows('shop', 'person where name ~ ''Kan''')",
    "select ledger.holds_rows_without_key('shop', 'person', '{_fivetran_synced}', '{name}', '{}')",
    "select * from ledger.plan_preview('[]')",
    "select * from ledger.record_facts('', 'shop', 'person', '1')",
    "select * from ledger.record_facts('; select name from shop.person', 'shop', 'person', '1')",
    "select * from ledger.blockers",
    "select * from ledger.blockers_shown",
    "select * from ledger.subject_tokens",
    "select * from ledger.guards",
    "select * from intermediate.int_records_decided",
    "select * from intermediate.int_record_cases",
    "select * from intermediate.int_out_of_use",
    "select * from staging.stg_shop__person",
    "set role retention_owner; select * from shop.person",
    "set role retention_classifier; select * from shop.person",
    "set role retention_purger; select * from shop.person",
    "set role retention_examiner; select * from shop.person",
    "set role pg_read_all_data; select * from shop.person",
    "set session authorization retention_owner; select * from shop.person",
    "do $$ begin perform name::int from shop.person; end $$",
    "select cast(name as integer) from shop.person",
    "select lo_import('/etc/passwd')",
    "select pg_read_file('global/pg_control')",
    "create function pg_temp.leak() returns setof text language sql security definer as"
    " 'select name from shop.person'; select pg_temp.leak()",
    "create function pg_temp.today() returns date language plpgsql as"
    " $$ begin raise notice '%', (select string_agg(name, ',') from shop.person); return now(); end $$;"
    " set search_path = pg_temp, ledger; select * from ledger.rows_landed('{shop}', '{person}')",
    "create temporary view person as select 1 as id; select ledger.holds_rows('pg_temp', 'person')",
)


@pytest.mark.parametrize("role", PEOPLE)
def test_no_role_of_people_sees_a_value(locked: Shop, logins: Logins, role: str) -> None:
    with connect(logins.of(role)) as conn:
        conn.rollback()
        for statement in TRIES:
            learned = seen(conn, statement)
            assert CANARY not in learned, f"{role}: {statement}"
            assert MAIL not in learned, f"{role}: {statement}"


def test_what_is_tried_would_tell_whoever_may_read(locked: Shop, logins: Logins) -> None:
    """The tries are no empty ones: a service, whom the lock does not keep out, sees the values by them."""
    for role in ("classifier", "purger", "examiner"):
        with connect(logins.of(role)) as conn:
            conn.rollback()
            assert CANARY in seen(conn, TRIES[0]), role
    assert CANARY in seen(locked.conn, "select most_common_vals from pg_stats") or CANARY in seen(
        locked.conn, "select histogram_bounds from pg_stats where tablename = 'person'"
    )


@pytest.mark.parametrize("role", PEOPLE)
def test_no_role_of_people_learns_whose_a_locked_record_is_or_until_when(
    locked: Shop, logins: Logins, role: str
) -> None:
    token = str(
        locked.one(
            "select subject_token from ledger.subject_tokens where subject_id = 'shop.person:1'"
        )
    )
    with connect(logins.of(role)) as conn:
        conn.rollback()
        for statement in TRIES:
            if "retention.records" not in statement:
                assert token not in seen(conn, statement), f"{role}: {statement}"


@pytest.mark.parametrize("role", PEOPLE)
def test_only_reviewed_functions_read_a_relation_that_a_caller_names(
    locked: Shop, logins: Logins, role: str
) -> None:
    """A function with the owner's rights that runs text of its own making is a way to landing."""
    found = locked.conn.execute(
        "select p.proname from pg_proc as p where p.pronamespace = 'ledger'::regnamespace"
        " and p.prosecdef and p.prosrc ~* '\\mexecute\\M'"
        " and has_function_privilege(%s, p.oid, 'execute')",
        (f"retention_{role}",),
    ).fetchall()
    locked.conn.rollback()
    reviewed = {
        "holds_rows",
        "holds_rows_without_key",
        "rows_landed",
        "syncs_not_ended",
        "record_facts",
        # Of a replay's schema, by its suffix, one table of the classifier's.
        "consents_counted",
        # Relations of ours, and landing tables as the purge finds them; counts alone come out.
        "records_touched_since",
        "person_facts",
        # Of the classifier's schemas alone, found by a checked suffix; counts alone come out.
        "purge_if",
    }
    assert {name for (name,) in found} <= reviewed


def test_a_view_or_a_policy_of_somebodys_own_runs_no_code_for_them(
    locked: Shop, logins: Logins
) -> None:
    """What a caller names is read with the owner's rights: only plain tables are."""
    name = sql.Identifier(logins.name("reader"))
    locked.conn.execute(sql.SQL("create schema mine authorization {}").format(name))
    locked.conn.execute("grant usage on schema mine to retention_owner")
    locked.conn.commit()
    with connect(logins.of("reader")) as conn:
        conn.execute("create table mine.took (value text)")
        conn.execute("grant insert on mine.took to public; create table mine.plain (id int)")
        conn.execute(
            "create function mine.leak() returns boolean language plpgsql as $$ begin"
            " insert into mine.took select name from shop.person; return true; end $$"
        )
        conn.execute("create view mine.trap as select mine.leak()")
        conn.execute("alter table mine.plain enable row level security")
        conn.execute("create policy p on mine.plain using (mine.leak())")
        conn.execute("insert into mine.plain values (1)")
        conn.execute("grant select on all tables in schema mine to public")
        conn.commit()
        for relation in ("trap", "plain"):
            assert conn.execute("select ledger.holds_rows('mine', %s)", (relation,)).fetchone() == (
                False,
            )
            conn.execute("select * from ledger.rows_landed('{mine}', %s)", ([relation],))
            conn.execute(
                "select ledger.holds_rows_without_key('mine', %s, '{id}', '{id}', '{}')",
                (relation,),
            )
        conn.commit()
    assert locked.one("select count(*) from mine.took") == 0
    locked.conn.execute("drop schema mine cascade")
    locked.conn.commit()


# --- the logged read -----------------------------------------------------------------------------


def read(settings: Settings, key: str = "1", **options: str) -> list[dict[str, Any]]:
    return reading.read(
        settings,
        table=options.get("table", "shop.person"),
        key=key,
        reason=options.get("reason", "the person asks what is kept"),
        authority=options.get("authority", "GDPR art. 15"),
    )


def test_a_custodian_reads_one_record_and_leaves_two_traces(locked: Shop, logins: Logins) -> None:
    (row,) = read(logins.of("custodian"))
    assert (row["name"], row["email"]) == (CANARY, MAIL)
    said = locked.conn.execute(
        "select reason, source_table, record_key, made_by from ledger.disclosures"
    ).fetchall()
    assert said == [
        ("the person asks what is kept (GDPR art. 15)", "person", "1", logins.name("custodian"))
    ]
    bodies = locked.conn.execute(
        "select kind, body from ledger.entries where kind in ('disclosure', 'locked_read')"
        " order by entry_id"
    ).fetchall()
    locked.conn.rollback()
    assert [kind for kind, _ in bodies] == ["disclosure", "locked_read"]
    assert logins.name("custodian") in bodies[1][1]
    assert CANARY not in str(bodies)


@pytest.mark.parametrize("role", ["reader", "auditor", "approver", "planner", "rights_officer"])
def test_nobody_else_reads_it(locked: Shop, logins: Logins, role: str) -> None:
    with pytest.raises(Refused):
        read(logins.of(role))
    assert locked.one("select count(*) from ledger.entries where kind = 'locked_read'") == 0


def test_a_record_in_use_is_not_read_in_this_way(locked: Shop, logins: Logins) -> None:
    with pytest.raises(Refused, match="neither locked nor restricted"):
        read(logins.of("custodian"), key="2")


@pytest.mark.parametrize("missing", ["reason", "authority"])
def test_a_read_says_why_and_by_what_right(locked: Shop, logins: Logins, missing: str) -> None:
    with pytest.raises(UsageError, match="a reason and an authority"):
        read(logins.of("custodian"), **{missing: " "})


DISCLOSE = "select ledger.disclose('locked_read', null, 'r', 5, 'shop', 'person', '1')"


def test_a_disclosure_shows_nothing_in_its_own_transaction(locked: Shop, logins: Logins) -> None:
    """Whoever reads and rolls back would leave no trace."""
    with connect(logins.of("custodian")) as conn:
        row = conn.execute(DISCLOSE).fetchone()
        assert row is not None
        with pytest.raises(psycopg.Error, match="not committed"):
            conn.execute("select ledger.read_locked(%s)", row)
        conn.rollback()


def test_a_read_that_is_rolled_back_leaves_its_disclosure(locked: Shop, logins: Logins) -> None:
    with connect(logins.of("custodian")) as conn:
        row = conn.execute(DISCLOSE).fetchone()
        conn.commit()
        assert conn.execute("select ledger.read_locked(%s)", row).fetchone() is not None
        conn.rollback()
    assert locked.one("select count(*) from ledger.entries where kind = 'disclosure'") == 1


def test_a_disclosure_is_its_makers_for_its_record_until_it_expires(
    locked: Shop, logins: Logins
) -> None:
    another = sql.Identifier(logins.name("rights_officer"))
    locked.conn.execute(sql.SQL("grant retention_custodian to {}").format(another))
    locked.conn.commit()
    with connect(logins.of("rights_officer")) as conn:
        row = conn.execute(DISCLOSE).fetchone()
        assert row is not None
        (made,) = row
    with connect(logins.of("custodian")) as conn:
        with pytest.raises(psycopg.Error, match="another login"):
            conn.execute("select ledger.read_locked(%s)", (made,))
        conn.rollback()
        own = conn.execute(DISCLOSE).fetchone()
        conn.commit()
        assert own is not None
        locked.conn.execute(
            "update ledger.disclosures set expires_at = clock_timestamp() where disclosure_id = %s",
            own,
        )
        locked.conn.commit()
        with pytest.raises(psycopg.Error, match="expired"):
            conn.execute("select ledger.read_locked(%s)", own)


def test_everybody_may_know_how_many(locked: Shop, logins: Logins) -> None:
    locked.hold(
        "record",
        "shop.visit:"
        + locked.one(
            "select record_key from retention.records where source_table = 'visit'"
            " and subject_token <> (select subject_token from ledger.subject_tokens"
            " where subject_id = 'shop.person:1')"
        ),
        kind="restriction",
    )
    for role in ("reader", "auditor", "rights_officer", "custodian"):
        found = {
            (one.source_table, one.status): one.records for one in reading.counted(logins.of(role))
        }
        assert found["person", "locked"] == 1
        assert found["visit", "restricted"] == 1


def test_who_lists_blockers_sees_of_a_lock_that_there_is_one(locked: Shop, logins: Logins) -> None:
    locked.hold("subject", "shop.person:2")
    listed = {one.kind: one for one in holds.list_(logins.of("approver"))}
    assert listed["hold"].reason == "a complaint"
    assert (listed["lock"].target, listed["lock"].reason) == (None, None)


# --- who can read landing ------------------------------------------------------------------------


def told(shop: Shop) -> list[tuple[str, str]]:
    with connect(shop.settings, role=READER, read_only=True) as conn:
        found = [
            *access.closed_landing(conn),
            *access.readable_landing(conn, shop.declarations),
            *access.people_in_services(conn),
        ]
    return [(one.kind, one.message) for one in found]


def test_a_role_that_somebody_opened_landing_to_is_named(locked: Shop, logins: Logins) -> None:
    assert told(locked) == []
    locked.conn.execute("grant usage on schema shop to retention_auditor")
    locked.conn.execute("grant select (name) on shop.person to retention_auditor")
    locked.conn.commit()
    kinds = told(locked)
    assert {kind for kind, _ in kinds} == {"landing_readable"}
    assert any("role retention_auditor can read landing table shop.person" in m for _, m in kinds)
    assert any(logins.name("auditor") in message for _, message in kinds)


def test_a_person_who_is_a_service_too_is_named(locked: Shop, logins: Logins) -> None:
    login = sql.Identifier(logins.name("approver"))
    locked.conn.execute(sql.SQL("grant retention_purger to {}").format(login))
    locked.conn.commit()
    messages = dict(told(locked))
    assert logins.name("approver") in messages["person_in_service_role"]
    assert "retention_purger" in messages["person_in_service_role"]


def test_nobody_finds_out_by_asking_for_a_value(locked: Shop, logins: Logins) -> None:
    """The look for rows without a key takes values: it answers of what dbt built, and of nothing else."""
    locked.conn.execute("set local role retention_classifier")
    locked.conn.execute("create schema analytics")
    locked.conn.execute(
        "create table analytics.people as select 1 as kind, null::int as id, 'x' as name"
    )
    locked.conn.commit()
    ask = "select ledger.holds_rows_without_key(%s, %s, %s, %s, %s::jsonb)"
    with connect(logins.of("reader")) as conn:
        columns = (["_fivetran_deleted"], ["email"])
        canary = '{"name": "' + CANARY + '"}'
        locked.conn.execute("update shop.person set _fivetran_deleted = null where id = 1")
        locked.conn.commit()
        assert conn.execute(ask, ("shop", "person", *columns, canary)).fetchone() == (False,)
        built = ("analytics", "people", ["id"], ["name"])
        assert conn.execute(ask, (*built, '{"kind": "1"}')).fetchone() == (True,)
        assert conn.execute(ask, (*built, '{"kind": "2"}')).fetchone() == (False,)
