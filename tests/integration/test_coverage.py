"""What the catalogue holds against what is declared: every relation and column in one state, each kind of
finding, and what nothing is purged from meanwhile.

Belongs here: the shop with one thing changed in its catalogue. Does not belong here: what a column seems
to hold (test_detection.py), and Fivetran's own changes between two runs.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

import retention.coverage
from landing.files import land_directory
from retention.controls.shadow import read_shape
from retention.coverage import Coverage, FindingKind, State, compare, count, document
from retention.coverage.examine import examine, remember_today
from retention.coverage.words import next_steps, said
from retention.declarations import load_declarations
from retention.plan import preview
from retention.policy import Policy, in_force, load_versions
from retention.purge import execute, order_objects
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop, today
from tests.integration.conftest import ClassifiedSample
from tests.policies import edited_text, write_policy

pytestmark = pytest.mark.integration

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SCHEMA = json.loads(
    Path(retention.coverage.__file__).with_name("coverage.schema.json").read_text(encoding="utf-8")
)


def policy_of(shop: Shop) -> Policy:
    return in_force(load_versions(shop.settings.policy_dir), today(shop.conn))


def examined(shop: Shop, as_of: date | None = None) -> Coverage:
    day = as_of or today(shop.conn)
    found = examine(shop.conn, shop.settings, shop.declarations, policy_of(shop), day)
    shop.conn.commit()
    return found


def of_catalogue(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    """How many relations and columns PostgreSQL itself counts outside its own schemas, asked another way
    than coverage asks."""
    row = conn.execute(
        """
        select
            (
                select count(*) from information_schema.tables
                where table_schema !~ '^(pg_|information_schema$)'
            ) + (
                select count(*) from pg_matviews where schemaname !~ '^pg_'
            ),
            (
                select count(*) from pg_attribute
                join pg_class as c on c.oid = attrelid
                where attnum > 0 and not attisdropped and relkind = any('{r,p,v,m,f}')
                and relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
            )
        """
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def assert_sums(conn: psycopg.Connection[Any], coverage: Coverage) -> None:
    """Every relation and column is in one state; the sums are the catalogue's, and each schema's."""
    whole = count(coverage.relations)
    tables, columns = of_catalogue(conn)
    assert sum(whole.tables.values()) == tables
    assert sum(whole.columns.values()) == columns
    parts = coverage.by_schema().values()
    for state in State:
        assert sum(part.tables[state] for part in parts) == whole.tables[state]
        assert sum(part.columns[state] for part in parts) == whole.columns[state]


# --- states --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.slow
def test_every_table_and_column_of_the_sample_is_declared_or_exempt(
    classified_sample: ClassifiedSample,
) -> None:
    settings = classified_sample.settings
    declarations = load_declarations(settings.declarations_dir)
    policy = in_force(load_versions(settings.policy_dir), classified_sample.as_of)
    with connect(settings, read_only=True) as conn:
        coverage = examine(conn, settings, declarations, policy, classified_sample.as_of)
        assert_sums(conn, coverage)
        landed = conn.execute(
            "select count(distinct attrelid), count(*) from pg_attribute join pg_class as c"
            " on c.oid = attrelid where attnum > 0 and not attisdropped and relkind = 'r'"
            " and relnamespace::regnamespace::text = any(ledger.marked_schemas())"
        ).fetchone()
    landing = count(coverage.landing)
    assert landed is not None
    assert landing.tables[State.DECLARED] + landing.tables[State.EXEMPT] == landed[0] > 20
    assert landing.columns[State.DECLARED] + landing.columns[State.EXEMPT] == landed[1] > 200
    assert landing.tables[State.FINDING] == landing.columns[State.FINDING] == 0
    assert landing.tables[State.BUILT] == 0
    assert coverage.findings == ()


def test_every_table_and_column_of_the_real_files_is_declared_or_exempt(settings: Settings) -> None:
    if not SHARED_DATA.is_dir():
        pytest.skip("the real connector files (../shared/data) are not beside this clone")
    declarations = load_declarations(settings.declarations_dir)
    with connect(settings) as conn:
        land_directory(conn, SHARED_DATA)
        conn.commit()
        coverage = compare(conn, declarations)
        assert_sums(conn, coverage)
    landing = count(coverage.landing)
    assert (
        landing.tables[State.DECLARED] + landing.tables[State.EXEMPT] == len(coverage.landed) > 50
    )
    assert landing.tables[State.FINDING] == landing.columns[State.FINDING] == 0
    assert {finding.kind for finding in coverage.findings} <= {FindingKind.MISSING_TABLE}


def test_a_column_is_declared_exempt_the_connectors_or_a_finding(shop: Shop) -> None:
    shop.redeclare(
        "personal: {name: name, email: email}}}}",
        "personal: {name: name, email: email}, exempt_columns: {nick: {reason: Not about them,"
        " owner: data@shop.example, review_on: 2099-01-01}}}}}",
    )
    shop.conn.execute(
        "alter table shop.person add column nick text, add column mood text, add column _fivetran_x text"
    )
    (person,) = [one for one in examined(shop).relations if one.table == "person"]
    assert person.state is State.DECLARED
    assert person.columns["email"] is State.DECLARED
    assert person.columns["_fivetran_x"] is State.DECLARED
    assert person.columns["nick"] is State.EXEMPT
    assert person.columns["mood"] is State.FINDING


def test_what_is_built_is_no_finding_and_counts(shop: Shop) -> None:
    """By dbt, by our migrations, in the schemas of a replay, by an extension."""
    model = Model("mine", "select id from shop.person", reads=("shop.person",))
    write_manifest(shop.settings, [model])
    build(shop.conn, [model])
    shop.classify()
    shop.conn.execute("create schema retention_as_of_20250101")
    shop.conn.execute("create table retention_as_of_20250101.records (a int)")
    coverage = examined(shop)
    assert_sums(shop.conn, coverage)
    built = {(one.schema, one.table) for one in coverage.relations if one.state is State.BUILT}
    assert {
        ("analytics", "mine"),
        ("retention", "records"),
        ("ledger", "entries"),
        ("retention_as_of_20250101", "records"),
    } <= built
    assert coverage.findings == ()
    assert coverage.landed == {("shop", table.name) for table in shop.declarations.tables}


# --- findings, each kind once --------------------------------------------------------------------


FOREIGN = (
    "create extension file_fdw; create server files foreign data wrapper file_fdw;"
    " create foreign table shop.elsewhere (id int) server files options (filename '/dev/null')"
)
PARTED = (
    "drop table shop.visit; create table shop.visit (person_id bigint, visited_at timestamptz,"
    " page text, browser text, _fivetran_synced timestamptz) partition by list (page);"
    " create table shop.visit_a partition of shop.visit for values in ('a');"
    " create table shop.visit_b partition of shop.visit for values in ('b');"
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "create schema diary; create table diary.page (id int, words text);"
            " create view diary.shown as select id from diary.page",
            ("undeclared_schema", "diary", None, None),
        ),
        ("create table shop.diary (id int)", ("undeclared_table", "shop", "diary", None)),
        (
            "create view shop.shown as select 1 as one",
            ("undeclared_view", "shop", "shown", None),
        ),
        (
            "create materialized view shop.kept as select id from shop.person",
            ("undeclared_materialized_view", "shop", "kept", None),
        ),
        (FOREIGN, ("undeclared_foreign_table", "shop", "elsewhere", None)),
        (
            "alter table shop.lead add column mood text",
            ("undeclared_column", "shop", "lead", "mood"),
        ),
        ("drop table shop.lead", ("missing_table", "shop", "lead", None)),
        ("alter table shop.lead drop column name", ("missing_column", "shop", "lead", "name")),
        (
            "alter table shop.charge alter column note set not null",
            ("column_not_nullable", "shop", "charge", "note"),
        ),
        (
            PARTED + "create table shop.visit_c (more text) inherits (shop.contact)",
            ("partition_differs", "shop", "contact", None),
        ),
        (
            PARTED + "alter table shop.visit_a alter column browser set not null",
            ("partition_differs", "shop", "visit", None),
        ),
        (
            PARTED + "alter table shop.visit detach partition shop.visit_a",
            ("undeclared_table", "shop", "visit_a", None),
        ),
    ],
)
def test_each_difference_is_one_finding(
    shop: Shop, change: str, expected: tuple[str, str, str | None, str | None]
) -> None:
    assert examined(shop).findings == ()
    shop.conn.execute(change.encode())
    coverage = examined(shop)
    assert [(f.kind.value, f.schema, f.table, f.column) for f in coverage.findings] == [expected]
    assert_sums(shop.conn, coverage)
    (finding,) = coverage.findings
    assert finding.severity == policy_of(shop).coverage.findings.of(finding.kind).severity
    (step,) = next_steps(coverage.findings, shop.settings)
    for words in (said(finding), step):
        assert finding.table is None or finding.table in words
        assert finding.column is None or finding.column in words
        assert "None" not in words


def test_a_declared_type_that_changed_is_a_finding(shop: Shop) -> None:
    shop.redeclare("harmless: [amount]", "harmless: [amount], types: {amount: bigint}")
    assert examined(shop).findings == ()
    shop.conn.execute("alter table shop.charge alter column amount type numeric(12,2)")
    (finding,) = examined(shop).findings
    assert (finding.kind, finding.column) == (FindingKind.TYPE_DIFFERS, "amount")
    assert finding.detail == "numeric(12,2), declared as bigint"
    assert examined(shop).set_aside == (), "the classification does not read it"
    shop.redeclare("types: {amount: bigint}", "types: {amount: bigint, id: text}")
    shop.conn.execute("alter table shop.charge alter column id type uuid using null")
    (_, finding) = examined(shop).findings
    assert (finding.kind, finding.column) == (FindingKind.TYPE_CHANGED, "id")
    assert examined(shop).set_aside == ("shop.charge",)


def test_no_kind_of_finding_is_without_a_test() -> None:
    seen = {
        kind for mark in test_each_difference_is_one_finding.pytestmark for kind in _kinds(mark)
    }
    # These kinds' tests are elsewhere.
    elsewhere = {
        FindingKind.TYPE_CHANGED,
        FindingKind.TYPE_DIFFERS,
        FindingKind.EXEMPTION_PAST_DATE,
        # test_detection_findings.py
        FindingKind.HARMLESS_SEEMS_PERSONAL,
        # test_unknown_relations.py and test_models_declared.py
        FindingKind.COPY_UNTRACEABLE,
        FindingKind.STALE_BUILD,
        FindingKind.UNDECLARED_MODEL,
        FindingKind.MODEL_EXEMPTION_PAST_DATE,
    }
    assert seen | elsewhere == set(FindingKind)


def _kinds(mark: pytest.Mark) -> set[str]:
    return {expected[0] for _, expected in mark.args[1]} if mark.name == "parametrize" else set()


def test_partitions_speak_through_their_parent_and_count(shop: Shop) -> None:
    before = examined(shop)
    shop.conn.execute(PARTED.encode())
    coverage = examined(shop)
    assert coverage.findings == ()
    assert_sums(shop.conn, coverage)
    assert coverage.landed == before.landed
    parts = [one for one in coverage.relations if one.part_of == ("shop", "visit")]
    assert [one.table for one in parts] == ["visit_a", "visit_b"]
    assert {one.state for one in parts} == {State.DECLARED}
    assert {state for one in parts for state in one.columns.values()} == {State.DECLARED}


@pytest.mark.parametrize(
    ("change", "whole", "detail"),
    [
        (
            PARTED + "update pg_inherits set inhdetachpending = true"
            " where inhrelid = 'shop.visit_a'::regclass",
            "shop.visit",
            "shop.visit_a: is being detached",
        ),
        (
            PARTED
            + FOREIGN.replace(
                "table shop.elsewhere (id int)",
                "table shop.visit_c partition of shop.visit for values in ('c')",
            ),
            "shop.visit",
            "shop.visit_c: its rows lie in a foreign table",
        ),
        (
            "create table shop.old (more text) inherits (shop.contact)",
            "shop.contact",
            "shop.old: column more",
        ),
    ],
)
def test_nothing_is_purged_from_a_table_with_a_part_that_differs(
    shop: Shop, change: str, whole: str, detail: str
) -> None:
    shop.conn.execute(change.encode())
    coverage = examined(shop)
    assert [(f.qualified, f.detail) for f in coverage.findings] == [(whole, detail)]
    assert coverage.withheld == {whole: f"{whole} has a part that differs from it: {detail}"}
    assert_sums(shop.conn, coverage)
    for one in coverage.relations:
        if one.table == "old":
            assert one.state is State.DECLARED
            assert [c for c, state in one.columns.items() if state is State.FINDING] == ["more"]


def test_a_schema_is_undeclared_as_a_whole_only_where_nothing_of_it_is_known(shop: Shop) -> None:
    """One table that is declared there makes each of the others a finding of its own."""
    shop.conn.execute("create schema diary")
    for name in ("page", "cover", "back"):
        shop.conn.execute(f"create table diary.{name} (id int)".encode())
    (whole,) = examined(shop).findings
    assert (whole.kind, whole.detail) == (FindingKind.UNDECLARED_SCHEMA, "3 relations")
    counted = examined(shop).by_schema()["diary"]
    assert counted.tables[State.FINDING] == counted.columns[State.FINDING] == 3
    path = shop.settings.declarations_dir / "_diary__sources.yml"
    path.write_text(
        "sources: [{name: diary, tables: [{name: page, config: {meta: {retention: {exempt:"
        " {reason: A list of pages, owner: me, review_on: 2099-01-01}}}}}]}]"
    )
    shop.declarations = load_declarations(shop.settings.declarations_dir)
    assert [f.qualified for f in examined(shop).findings] == ["diary.back", "diary.cover"]


# --- severity, patience, memory ------------------------------------------------------------------


@pytest.mark.parametrize("column", [None, "amount"])
def test_an_exemption_past_its_date_is_a_warning_then_an_error_and_stays_in_force(
    shop: Shop, column: str | None
) -> None:
    if column:
        shop.redeclare(
            "harmless: [amount]",
            "exempt_columns: {amount: {reason: A sum of money, owner: data@shop.example,"
            " review_on: 2027-01-01}}",
        )
    table = "charge" if column else "partner"
    last_day, patience = date(2027, 1, 1), policy_of(shop).coverage.patience_days.value
    for late, severity in ((0, None), (1, "warn"), (patience, "warn"), (patience + 1, "error")):
        coverage = examined(shop, last_day + timedelta(days=late))
        found = [f for f in coverage.findings if (f.table, f.column) == (table, column)]
        assert [f.severity for f in found] == ([severity] if severity else []), late
        assert all((f.kind, f.since) == (FindingKind.EXEMPTION_PAST_DATE, last_day) for f in found)
        (one,) = [one for one in coverage.relations if one.table == table]
        assert (one.columns[column] if column else one.state) is State.EXEMPT
        assert coverage.withheld == {}


def test_a_finding_says_since_when_and_a_warning_becomes_an_error(shop: Shop) -> None:
    shop.conn.execute("create view shop.shown as select 1 as one")
    day = today(shop.conn)
    (fresh,) = examined(shop).findings
    assert (fresh.since, fresh.severity) == (day, "warn")
    shop.conn.commit()
    remember_today(shop.settings, shop.declarations)
    patience = timedelta(days=policy_of(shop).coverage.patience_days.value)
    (late,) = examined(shop, day + patience).findings
    assert (late.since, late.severity) == (day, "warn")
    (too_late,) = examined(shop, day + patience + timedelta(days=1)).findings
    assert (too_late.since, too_late.severity) == (day, "error")


def test_what_was_found_is_remembered_until_it_is_no_more(shop: Shop) -> None:
    shop.conn.execute("create view shop.shown as select 1 as one")
    shop.conn.commit()
    remember_today(shop.settings, shop.declarations)
    shop.conn.execute("update ledger.coverage_findings set first_found_on = first_found_on - 9")
    shop.conn.commit()
    remember_today(shop.settings, shop.declarations)
    (known,) = examined(shop).findings
    assert known.since == today(shop.conn) - timedelta(days=9)
    shop.conn.execute("drop view shop.shown")
    shop.conn.commit()
    remember_today(shop.settings, shop.declarations)
    assert shop.one("select count(*) from ledger.coverage_findings") == 0


def test_each_column_is_remembered_under_each_type_it_had(shop: Shop) -> None:
    shop.conn.execute("create table shop.diary (id int, words varchar(9))")
    shop.conn.commit()
    remember_today(shop.settings, shop.declarations)
    shop.conn.execute(
        "update ledger.landing_columns set first_seen_on = first_seen_on - 5,"
        " last_seen_on = last_seen_on - 2"
    )
    shop.conn.execute("alter table shop.diary alter column words type text")
    shop.conn.commit()
    remember_today(shop.settings, shop.declarations)
    rows = shop.conn.execute(
        "select column_name, column_type, ledger.today() - first_seen_on, ledger.today() - last_seen_on"
        " from ledger.landing_columns where source_table = 'diary' order by 1, 3"
    ).fetchall()
    assert rows == [
        ("id", "integer", 5, 0),
        ("words", "text", 0, 0),
        ("words", "character varying(9)", 5, 2),
    ]
    schemas = shop.conn.execute("select distinct source_schema from ledger.landing_columns")
    assert schemas.fetchall() == [("shop",)]


def test_what_is_missing_says_when_it_was_last_seen(shop: Shop) -> None:
    remember_today(shop.settings, shop.declarations)
    shop.conn.execute(
        "update ledger.landing_columns set first_seen_on = '2026-01-02',"
        " last_seen_on = '2026-02-03'"
    )
    shop.conn.execute("drop table shop.lead")
    shop.conn.execute("alter table shop.charge drop column amount")
    missing = {said(finding) for finding in examined(shop).findings}
    assert missing == {
        "shop.charge.amount is declared and missing, last seen 2026-02-03",
        "shop.lead is declared and missing, last seen 2026-02-03",
    }


def test_only_the_classifier_remembers(shop: Shop) -> None:
    for role in ("retention_reader", "retention_planner", "retention_purger", "retention_approver"):
        with (
            connect(shop.settings, role=role) as conn,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            conn.execute("select ledger.remember_coverage('[]', '[]')")


# --- what must not be deleted --------------------------------------------------------------------


def test_nothing_is_purged_from_a_table_that_gained_a_column_after_the_approval(shop: Shop) -> None:
    """Fivetran adds it between approval and purge: that table's rows stay, the others' go."""
    shop.person(1)
    shop.person(2, overdue=False)
    plan = shop.approved_plan()
    shop.conn.execute("alter table shop.mail add column mood text")
    shop.conn.commit()
    result = execute(shop.settings, plan.plan_id)
    assert "1" in shop.keys("mail")
    why = "shop.mail.mood is neither declared nor harmless"
    assert result.skipped[why] == 1
    # What the mail stands on stays with it; what nothing stands on goes.
    assert shop.tables_with(1) == {"mail", "person", "contact"}
    assert result.purged == 3
    assert shop.tables_with(2) == {"person", "lead", "contact", "mail", "recording", "visit"}


def test_nothing_is_minimised_in_a_table_that_gained_a_column_after_the_approval(
    shop: Shop,
) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    before = shop.one("select c::text from shop.charge as c")
    shop.conn.execute("alter table shop.charge add column mood text")
    shop.conn.commit()
    result = execute(shop.settings, plan.plan_id)
    assert (
        shop.one(
            "select (c.id, c.account_id, c.amount, c.buyer, c.receipt_email, c.note,"
            " c.charged_at, c._fivetran_synced)::text from shop.charge as c"
        )
        == before
    )
    assert result.minimised == 0
    assert result.skipped["shop.charge.mood is neither declared nor harmless"] == 1
    assert result.purged > 0


def test_nothing_is_planned_from_a_table_with_an_undeclared_column_and_the_plan_says_why(
    shop: Shop,
) -> None:
    shop.person(1)
    shop.conn.execute("alter table shop.lead add column mood text")
    shop.conn.commit()
    shop.classify()
    why = "shop.lead.mood is neither declared nor harmless"
    assert preview(shop.settings).waiting[why] == 1
    plan = shop.plan()
    assert plan.waiting[why] == 1
    assert "shop.lead" not in {count.table for count in plan.counts}
    assert "shop.visit" in {count.table for count in plan.counts}
    # It is classified like any other: its record is there, and due.
    assert shop.one("select status from retention.records where source_table = 'lead'") == "overdue"


def test_the_policy_decides_what_is_set_aside(shop: Shop, tmp_path: Path) -> None:
    column = "    undeclared_column:\n      severity: error\n      sets_aside: true"
    lenient = edited_text((column, column.replace("true", "false")))
    write_policy(tmp_path / "lenient", lenient)
    shop.settings = dataclasses.replace(shop.settings, policy_dir=tmp_path / "lenient")
    shop.conn.execute("alter table shop.lead add column mood text")
    shop.conn.commit()
    coverage = examined(shop)
    assert [f.kind for f in coverage.findings] == [FindingKind.UNDECLARED_COLUMN]
    assert coverage.withheld == {}
    shop.person(1)
    shop.classify()
    assert "shop.lead" in {count.table for count in preview(shop.settings).counts}


def test_no_object_is_ordered_for_a_table_that_is_withheld(shop: Shop) -> None:
    """An object outside the warehouse that is deleted does not come back either."""
    shop.person(1)
    shop.conn.execute("update shop.recording set object_url = 's3://recordings/1'")
    plan = shop.approved_plan()
    shop.conn.execute("alter table shop.recording add column mood text")
    shop.conn.commit()
    assert order_objects(shop.settings, plan.plan_id) == 0
    assert shop.one("select count(*) from ledger.deletion_orders") == 0


def test_control_persons_live_without_what_nobody_declared(shop: Shop) -> None:
    """Their tables are shaped like the real ones; a column that withholds the real one would fail them."""
    shop.conn.execute("alter table shop.person add column mood text, add column _fivetran_x text")
    shape = read_shape(shop.conn, shop.declarations.staged)
    assert "mood" not in shape.types["shop.person"]
    assert {"id", "email", "_fivetran_deleted", "_fivetran_x"} <= shape.types["shop.person"].keys()
    assert shape.types["shop.partner"].keys() >= {"id", "instruction_id"}


# --- the command and its published form ----------------------------------------------------------


def run(shop: Shop, environment: Mapping[str, str], *arguments: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "coverage", *arguments],
        env={
            **environment,
            "RETENTION_DATABASE_URL": str(shop.settings.database_url),
            "RETENTION_STATE_DIR": str(shop.settings.state),
            "RETENTION_DECLARATIONS_DIR": str(shop.settings.declarations_dir),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_ends_with_one_for_findings_and_its_json_is_as_published(
    shop: Shop, command_environment: Mapping[str, str]
) -> None:
    good = run(shop, command_environment, "--json")
    assert good.returncode == 0, good.stderr
    validator = jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    validator.validate(json.loads(good.stdout))
    shop.conn.execute("create view shop.shown as select 1 as one; create schema diary")
    shop.conn.execute("create table diary.page (id int)")
    shop.conn.commit()
    bad = run(shop, command_environment, "--json")
    assert bad.returncode == 1, bad.stderr
    told = json.loads(bad.stdout)
    validator.validate(told)
    assert [one["kind"] for one in told["findings"]] == ["undeclared_schema", "undeclared_view"]
    for what in ("tables", "columns"):
        for part in (told["whole"], *told["schemas"]):
            assert sum(part[what].values()) == 2 * part[what]["total"]
    assert told["landing"]["tables"] == {
        "declared": 16,
        "exempt": 1,
        "built": 0,
        "finding": 2,
        "total": 19,
    }
    shop.conn.execute("drop schema diary cascade")
    shop.conn.commit()
    assert run(shop, command_environment, "--fail-on", "error").returncode == 0
    warned = run(shop, command_environment)
    assert warned.returncode == 1
    assert "- warn, since" in warned.stdout
    assert "`- name: shown`" in warned.stdout


def test_its_schema_knows_every_kind() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    kinds = SCHEMA["properties"]["findings"]["items"]["properties"]["kind"]["enum"]
    assert kinds == [kind.value for kind in FindingKind]
    assert SCHEMA["properties"]["format"]["const"] == document.FORMAT
    states = SCHEMA["$defs"]["by_state"]["required"]
    assert states == [*(state.value for state in State), "total"]
