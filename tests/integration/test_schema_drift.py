"""An approved plan that is carried out after the connector changed the tables, or while it does.

Belongs here: Fivetran's own DDL against a plan, a purge and tombstones. Does not belong here: what a
classification makes of it (test_schema_drift_classified.py).
"""

import dataclasses
import threading
import time
from collections.abc import Callable

import pytest
from psycopg import errors

from retention import returns
from retention.coverage import Coverage, Finding, FindingKind, compare
from retention.coverage.examine import remember_today
from retention.coverage.words import next_steps, said
from retention.errors import Refused
from retention.plan import Plan, landing_rights
from retention.purge import PurgeResult, execute, live
from retention.purge.pace import Pace
from retention.purge.reclassified import NOT_THERE
from retention.warehouse.session import open_session
from tests import fivetran_ddl as fivetran
from tests.factories import Shop
from tests.fivetran_ddl import Statements
from tests.integration.test_purge_races import in_background, wait_until_blocked

pytestmark = [pytest.mark.integration, pytest.mark.slow]

OURS = ("policy", "staging", "intermediate", "retention", "ledger", "sletteplikt")


def connector(shop: Shop, statements: Statements, *, patience_ms: int = 1_000) -> float:
    """Run the statements as the connector does, in a session of its own and one transaction, which
    waits for no lock longer than that. Returns the seconds they took."""
    begun = time.monotonic()
    with open_session(str(shop.settings.database_url)) as session:
        session.execute("select set_config('lock_timeout', %s, false)", (str(patience_ms),))
        session.execute("set statement_timeout = '20s'")
        for statement in statements:
            session.execute(statement)
    return time.monotonic() - begun


def our_relations(shop: Shop) -> int:
    return int(
        shop.one(
            "select count(*) from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname = any(%s)",
            list(OURS),
        )
    )


def landed(shop: Shop, *tables: str) -> set[str]:
    """Every row of these landing tables, as text."""
    found: set[str] = set()
    for table in tables:
        rows = shop.conn.execute(f"select t::text from {table} as t").fetchall()
        found |= {f"{table}{row[0]}" for row in rows}
    shop.conn.commit()
    return found


@pytest.fixture
def approved(shop: Shop) -> tuple[Shop, Plan]:
    """Overdue: one customer with everything that follows a person or an assignment, and an objection
    that stands on nobody's facts. Another person's records stay. What the catalogue held is known."""
    remember_today(shop.settings, shop.declarations)
    shop.customer(1)
    shop.person(2, overdue=False)
    shop.add("objection", email="nei@shop.example")
    shop.classify()
    key = shop.one("select record_key from retention.records where source_table = 'objection'")
    shop.judge("objection", key, "overdue")
    plan = shop.approved_plan()
    assert plan.items == 11
    return shop, plan


def coverage_of(shop: Shop) -> Coverage:
    found = compare(shop.conn, shop.declarations)
    shop.conn.commit()
    return found


def findings(shop: Shop) -> tuple[Finding, ...]:
    return coverage_of(shop).findings


def carry_out(shop: Shop, plan: Plan, **options: object) -> PurgeResult:
    return execute(shop.settings, plan.plan_id, **options)  # type: ignore[arg-type]


# --- set aside: what the declaration reads is not there ------------------------------------------

#: Each with the tables of the shop that it makes unreadable.
UNREADABLE: dict[str, tuple[Statements, set[str]]] = {
    "a fact's column is dropped": (fivetran.drop_column("shop.contact", "kind"), {"contact"}),
    "a fact's column is dropped with all that depends on it": (
        fivetran.drop_column("shop.contact", "occurred_at", cascade=True),
        {"contact"},
    ),
    "a fact's column is renamed": (
        fivetran.rename_column("shop.contact", "person_id", "customer_id"),
        {"contact"},
    ),
    "a fact's column is renamed by a copy": (
        fivetran.copy_column("shop.contact", "person_id", "customer_id", "bigint"),
        {"contact"},
    ),
    "a key is dropped": (fivetran.drop_column("shop.recording", "id", cascade=True), {"recording"}),
    "a table of facts is renamed": (fivetran.rename_table("shop.contact", "contacts"), {"contact"}),
    "a table of facts is dropped": (fivetran.drop_table("shop.contact"), {"contact"}),
    "the table of persons is dropped": (
        fivetran.drop_table("shop.person", cascade=True),
        {"person"},
    ),
    "a table without facts is dropped": (
        fivetran.drop_table("shop.recording", cascade=True),
        {"recording"},
    ),
    "a table without facts is renamed": (
        fivetran.rename_table("shop.visit", "page_view"),
        {"visit"},
    ),
    "history mode is switched off": (
        fivetran.to_live_mode("shop.assignment", ["id"]),
        {"assignment"},
    ),
}

#: Changes of a type after which what the classification reads may be something else.
READS_OTHERWISE: dict[str, tuple[Statements, str]] = {
    "a key as a float": (
        fivetran.change_type("shop.recording", "id", "double precision"),
        "recording",
    ),
    "a key as a float by a new column": (
        fivetran.promote("shop.recording", "id", "double precision"),
        "recording",
    ),
    "a link as JSON": (
        fivetran.change_type(
            "shop.document", "assignment_id", "json", using="to_json(assignment_id)"
        ),
        "document",
    ),
    "a time as a text": (fivetran.change_type("shop.contact", "occurred_at", "text"), "contact"),
    "a time without its zone": (
        fivetran.change_type("shop.contact", "occurred_at", "timestamp"),
        "contact",
    ),
    "a time as a date": (fivetran.change_type("shop.lead", "received_at", "date"), "lead"),
    "a flag as a text": (
        fivetran.change_type("shop.assignment", "_fivetran_active", "text"),
        "assignment",
    ),
    "a key that is cut": (
        fivetran.change_type("shop.party", "id", "varchar(100)"),
        "party",
    ),
}
UNREADABLE |= {drift: (acts, {name}) for drift, (acts, name) in READS_OTHERWISE.items()}

#: Of a customer's tables, those whose records cannot be judged without one of the other.
DEPENDS = {
    "recording": {"recording"},
    "visit": {"visit"},
    "party": {"party"},
    "document": {"document", "party"},
}
EVERYTHING = {
    "person", "lead", "contact", "mail", "recording", "assignment", "document", "party", "visit"
}  # fmt: skip


@pytest.mark.parametrize("drift", UNREADABLE)
def test_a_plan_deletes_nothing_of_what_was_set_aside_and_goes_on(
    approved: tuple[Shop, Plan], drift: str
) -> None:
    shop, plan = approved
    statements, unreadable = UNREADABLE[drift]
    relations = our_relations(shop)
    connector(shop, statements)
    assert our_relations(shop) == relations, "nothing of ours hangs on a landing table"
    present = {
        f"shop.{name}"
        for name in EVERYTHING
        if shop.one("select to_regclass(%s) is not null", f"shop.{name}")
    }
    stays = set().union(*(DEPENDS.get(name, EVERYTHING) for name in unreadable))
    before = landed(shop, *(name for name in present if name.removeprefix("shop.") in stays))

    result = carry_out(shop, plan)

    assert before <= landed(shop, *present), "nothing that depends on it is deleted"
    assert shop.keys("objection") == set(), "what depends on none of it is purged"
    assert any("set aside" in reason or "not there" in reason for reason in result.skipped)
    assert result.purged + sum(result.skipped.values()) == plan.items
    buried = shop.one("select array_agg(distinct source_table) from ledger.tombstones")
    assert not set(buried) & stays
    assert shop.one("select count(*) from shop.lead where person_id = 2") == 1


@pytest.mark.parametrize(
    "statements", [fivetran.drop_schema("shop"), fivetran.rename_schema("shop", "store")]
)
def test_a_schema_that_is_gone_takes_a_plan_to_its_end(
    approved: tuple[Shop, Plan], statements: Statements
) -> None:
    """Nothing is deleted, nothing is said to have been, and nothing of ours went with it."""
    shop, plan = approved
    relations = our_relations(shop)
    connector(shop, statements)
    assert our_relations(shop) == relations
    result = carry_out(shop, plan)
    assert result.purged == 0
    assert result.skipped == {NOT_THERE: plan.items}
    assert shop.one("select count(*) from ledger.tombstones") == 0


@pytest.mark.parametrize("drift", ["a table of facts is dropped", "a fact's column is dropped"])
def test_drift_between_two_batches_stops_the_rest_of_what_it_reaches(
    approved: tuple[Shop, Plan], drift: str
) -> None:
    """The purge rests between two batches and holds no lock: the connector never waits for it."""
    shop, plan = approved
    shop.customer(4)
    waited: list[float] = []

    @dataclasses.dataclass(frozen=True)
    class Meanwhile(Pace):
        def rest(self, purged: int) -> None:
            if not waited:
                waited.append(connector(shop, UNREADABLE[drift][0], patience_ms=100))

    result = carry_out(shop, plan, batch_items=1, pace=Meanwhile())
    assert len(waited) == 1
    assert result.batches >= 1
    assert result.purged + sum(result.skipped.values()) == plan.items
    assert {"4"} <= shop.keys("person")
    assert {"2"} <= shop.keys("lead")


IN_PROGRESS: dict[str, Statements] = {
    "a column is dropped": fivetran.drop_column("shop.contact", "kind"),
    "a table is dropped": fivetran.drop_table("shop.contact"),
    "a table is renamed": fivetran.rename_table("shop.contact", "contacts"),
}


@pytest.mark.parametrize("drift", IN_PROGRESS)
def test_drift_in_progress_is_waited_for_and_then_seen(
    approved: tuple[Shop, Plan], drift: str
) -> None:
    """The connector's transaction holds the table when the batch comes to lock it."""
    shop, plan = approved
    with open_session(str(shop.settings.database_url)) as session:
        for statement in IN_PROGRESS[drift]:
            session.execute(statement)
        with in_background(lambda: carry_out(shop, plan)) as purge:
            wait_until_blocked(shop, session)
            session.commit()
            result: PurgeResult = purge.result(timeout=60)
    for table in ("person", "lead", "recording"):
        assert shop.keys(table) == {"1", "2"}
    assert result.purged + sum(result.skipped.values()) == plan.items


def test_a_batch_keeps_the_connector_waiting_no_longer_than_it_takes(
    approved: tuple[Shop, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its look to its commit a batch holds SHARE locks on every declared table: whoever would write
    or change one waits for that long, and then goes on as if nothing had been."""
    shop, plan = approved
    locked = threading.Event()
    look = live.skip_changed

    def slowly(*arguments: object) -> None:
        locked.set()
        time.sleep(1)
        look(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(live, "skip_changed", slowly)
    with in_background(lambda: carry_out(shop, plan)) as purge:
        assert locked.wait(30)
        with pytest.raises(errors.LockNotAvailable):
            connector(shop, fivetran.add_column("shop.visit", "referrer"), patience_ms=100)
        waited = connector(shop, fivetran.add_column("shop.visit", "referrer"), patience_ms=20_000)
        result: PurgeResult = purge.result(timeout=60)
    assert 0 < waited < 15
    assert result.purged == plan.items


@pytest.mark.parametrize("drift", READS_OTHERWISE)
def test_a_new_type_is_set_aside_until_the_declaration_says_it(
    approved: tuple[Shop, Plan], drift: str
) -> None:
    """By YAML alone: the person has seen that it reads as it did."""
    shop, _ = approved
    statements, name = READS_OTHERWISE[drift]
    connector(shop, statements)
    (finding,) = findings(shop)
    assert (finding.kind, finding.table) == (FindingKind.TYPE_CHANGED, name)
    assert finding.detail is not None
    now = finding.detail.partition(", at first ")[0]
    assert coverage_of(shop).set_aside == (f"shop.{name}",)
    (step,) = next_steps([finding], shop.settings)
    assert f"types: {{{finding.column}: …}}" in step
    assert "_shop__sources.yml" in step
    shop.redeclare(
        f"- name: {name}\n        config: {{meta: {{retention: {{\n          key:",
        f"- name: {name}\n        config: {{meta: {{retention: {{\n          types: {{{finding.column}:"
        f" {now}}}, key:",
    )
    assert coverage_of(shop).set_aside == ()
    assert [f.kind for f in findings(shop)] == []


def test_a_plan_from_before_the_answer_is_void(approved: tuple[Shop, Plan]) -> None:
    """What was approved was approved under another reading of the table."""
    shop, plan = approved
    shop.redeclare("key: id, soft_delete", "types: {email: varchar(99)}, key: id, soft_delete")
    with pytest.raises(Refused, match="declarations or models changed"):
        carry_out(shop, plan)


def test_a_type_that_changes_on_its_first_day_reads_as_under_neither(
    approved: tuple[Shop, Plan],
) -> None:
    shop, _ = approved
    connector(shop, fivetran.change_type("shop.recording", "id", "double precision"))
    remember_today(shop.settings, shop.declarations)
    assert coverage_of(shop).set_aside == ("shop.recording",)


def test_what_came_back_is_not_forgotten_when_its_key_reads_otherwise(
    approved: tuple[Shop, Plan],
) -> None:
    """A key that reads otherwise is found nowhere: the row is not gone for that, nor is it new."""
    shop, plan = approved
    keep_source(shop)
    returns.recognise(shop.settings, shop.declarations)
    carry_out(shop, plan)
    connector(shop, ["insert into shop.visit select * from source.visit where person_id = 1"])
    assert returns.recognise(shop.settings, shop.declarations) == 1
    connector(shop, fivetran.change_type("shop.visit", "visited_at", "text"))
    assert returns.recognise(shop.settings, shop.declarations) == 0
    assert shop.one("select source_table from ledger.returned_records") == "visit"


# --- what it is called now -----------------------------------------------------------------------

RENAMES: dict[str, tuple[Statements, str, str]] = {
    "a table": (fivetran.rename_table("shop.contact", "contacts"), "shop.contact", "shop.contacts"),
    "a table by a copy": (
        ["create table shop.contacts as table shop.contact", "drop table shop.contact"],
        "shop.contact",
        "shop.contacts",
    ),
    "a column": (
        fivetran.rename_column("shop.contact", "occurred_at", "occurred_on"),
        "shop.contact",
        "occurred_on",
    ),
    "a schema": (fivetran.rename_schema("shop", "shop_eu"), "shop.contact", "shop_eu.contact"),
}


@pytest.mark.parametrize("drift", RENAMES)
def test_a_new_name_is_asked_for_by_name(approved: tuple[Shop, Plan], drift: str) -> None:
    shop, _ = approved
    statements, table, now = RENAMES[drift]
    connector(shop, statements)
    missing = next(
        f for f in findings(shop) if f.qualified == table and f.kind.value.startswith("missing")
    )
    assert f"was it renamed to {now}?" in said(missing)
    (step,) = next_steps([missing], shop.settings)
    assert now in step
    assert "_shop__sources.yml" in step


def test_a_table_that_is_nothing_like_it_is_no_new_name(approved: tuple[Shop, Plan]) -> None:
    shop, _ = approved
    connector(shop, ["create table shop.other (id bigint, colour text)"])
    connector(shop, fivetran.drop_table("shop.contact"))
    connector(shop, fivetran.drop_column("shop.lead", "received_at"))
    connector(shop, fivetran.add_column("shop.lead", "colour"))
    assert [f.renamed_to for f in findings(shop)] == [None] * 4


def test_an_optional_table_of_facts_is_missing_once_it_was_there(
    approved: tuple[Shop, Plan],
) -> None:
    """A whole connection is dropped to be loaded anew: what its rows kept must not fall due meanwhile."""
    shop, _ = approved
    for name in ("contact", "recording"):
        shop.redeclare(
            f"- name: {name}\n        config: {{meta: {{retention: {{",
            f"- name: {name}\n        config: {{meta: {{retention: {{optional: true,",
        )
        connector(shop, fivetran.drop_table(f"shop.{name}"))
    assert coverage_of(shop).set_aside == ("shop.contact",)


# --- reloads -------------------------------------------------------------------------------------

RELOADS: dict[str, Callable[[str, list[str]], Statements]] = {
    "dropped and loaded": lambda name, key: fivetran.drop_and_reload(
        f"shop.{name}", f"source.{name}", key, cascade=False
    ),
    "dropped with all that depends on it and loaded": lambda name, key: fivetran.drop_and_reload(
        f"shop.{name}", f"source.{name}", key, cascade=True
    ),
    "emptied and loaded": lambda name, key: fivetran.truncate_and_reload(
        f"shop.{name}", f"source.{name}"
    ),
    "exchanged for one of the same name": lambda name, key: fivetran.swap(
        f"shop.{name}", f"source.{name}", key
    ),
}


def keep_source(shop: Shop) -> None:
    """What the source systems still have, and will land again with every re-sync."""
    shop.conn.execute("create schema source")
    for table in shop.declarations.staged:
        shop.conn.execute(f"create table source.{table.name} as table shop.{table.name}")
    shop.conn.commit()


@pytest.mark.parametrize("reload", RELOADS)
def test_what_was_purged_and_comes_back_with_a_reload_has_come_back(
    approved: tuple[Shop, Plan], reload: str
) -> None:
    shop, plan = approved
    keep_source(shop)
    returns.recognise(shop.settings, shop.declarations)
    carry_out(shop, plan)
    for table in shop.declarations.governed:
        connector(shop, RELOADS[reload](table.name, list(table.key)))
    assert returns.recognise(shop.settings, shop.declarations) == plan.items
    for table in shop.declarations.governed:
        connector(shop, RELOADS[reload](table.name, list(table.key)))
    assert returns.recognise(shop.settings, shop.declarations) == 0, "once, however often it loads"
    assert shop.one("select count(*) from ledger.returned_records") == plan.items


@pytest.mark.parametrize("reload", RELOADS)
def test_a_reload_changes_nothing_about_an_approved_plan(
    approved: tuple[Shop, Plan], reload: str
) -> None:
    """The rows are the same, in a table that may be another one."""
    shop, plan = approved
    keep_source(shop)
    for table in shop.declarations.staged:
        connector(shop, RELOADS[reload](table.name, list(table.key)))
    landing_rights.grant(shop.settings, shop.declarations)
    assert carry_out(shop, plan).purged == plan.items
    assert "2" in shop.keys("person")


def test_a_table_made_anew_without_the_purges_rights_is_left_alone(
    approved: tuple[Shop, Plan],
) -> None:
    """Whoever makes a table anew takes the rights on it away; what does not hang on it still goes."""
    shop, plan = approved
    keep_source(shop)
    connector(
        shop, fivetran.drop_and_reload("shop.recording", "source.recording", ["id"], cascade=False)
    )
    result = carry_out(shop, plan)
    assert shop.keys("recording") == {"1", "2"}
    assert [reason for reason in result.skipped if "grant select, update, delete" in reason]
    assert shop.keys("objection") == set()


@pytest.mark.parametrize("missing", ["contact", "lead", "recording"])
def test_a_reload_that_has_only_begun_deletes_nothing_of_the_case(
    approved: tuple[Shop, Plan], missing: str
) -> None:
    """Emptied and not loaded yet: the facts on which the plan was approved are not there."""
    shop, plan = approved
    before = shop.rows() - landed(shop, f"shop.{missing}")
    connector(shop, [f"truncate table shop.{missing}"])
    result = carry_out(shop, plan)
    kept = {row for row in before if not row.startswith(("objection", missing))}
    assert kept <= shop.rows()
    assert result.skipped[live.CHANGED] == plan.items - 1


# --- history mode --------------------------------------------------------------------------------


def test_a_switch_to_history_mode_changes_nothing_as_long_as_each_row_is_one(
    approved: tuple[Shop, Plan],
) -> None:
    shop, plan = approved
    connector(shop, fivetran.to_history_mode("shop.recording", ["id"]))
    assert carry_out(shop, plan).purged == plan.items
    assert shop.keys("recording") == {"2"}


def test_no_version_of_a_row_is_deleted_by_a_key_that_names_several(
    approved: tuple[Shop, Plan],
) -> None:
    shop, plan = approved
    connector(shop, fivetran.to_history_mode("shop.contact", ["id"]))
    connector(
        shop,
        fivetran.new_version("shop.contact", ["id", "person_id", "kind", "occurred_at"], "id = 1"),
    )
    before = shop.rows()
    result = carry_out(shop, plan)
    assert {row for row in before if not row.startswith("objection")} <= shop.rows()
    assert result.skipped == {live.CHANGED: plan.items - 1}


# --- not set aside: nothing that is read has changed -----------------------------------------------

HARMLESS: dict[str, Statements] = {
    "a system column is added": fivetran.add_column(
        "shop.contact", "_fivetran_index", "integer default 0"
    ),
    "an unread column is dropped": fivetran.drop_column("shop.contact", "notes", cascade=True),
    "a key grows": fivetran.change_type("shop.contact", "person_id", "numeric(38,0)"),
    "a key becomes text": fivetran.change_type("shop.contact", "id", "text"),
    "a key becomes text by a new column": fivetran.promote("shop.contact", "person_id", "text"),
    "a small number as a float": fivetran.change_type("shop.charge", "amount", "double precision"),
}


def test_an_added_column_keeps_the_rows_of_its_own_table(approved: tuple[Shop, Plan]) -> None:
    """It may hold anything; what the classification read of the others stands."""
    shop, plan = approved
    connector(shop, fivetran.add_column("shop.recording", "transcript"))
    result = carry_out(shop, plan)
    assert shop.keys("recording") == {"1", "2"}
    assert shop.keys("lead") == {"2"}
    assert [reason for reason in result.skipped if "shop.recording.transcript" in reason]


@pytest.mark.parametrize("drift", HARMLESS)
def test_a_change_that_reads_the_same_changes_nothing_about_the_plan(
    approved: tuple[Shop, Plan], drift: str
) -> None:
    shop, plan = approved
    relations = our_relations(shop)
    connector(shop, HARMLESS[drift])
    assert our_relations(shop) == relations
    result = carry_out(shop, plan)
    assert result.skipped == {}
    assert result.purged == plan.items
