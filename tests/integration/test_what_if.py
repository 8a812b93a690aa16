"""A policy that is tried: what it says agrees with putting the policy into force, and it touches nothing.

Belongs here: `retention what-if` on the sample's stories. Does not belong here: which models it builds
(unit/test_what_if_project.py) and how long it takes (test_what_if_speed.py).
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
from dagster import materialize
from psycopg import sql

import retention.what_if
from orchestration.assets.what_if import what_if as what_if_asset
from orchestration.lock import only_run
from orchestration.resources import Run
from retention import classify, scratch
from retention import plan as plans
from retention.code_hash import code_hash
from retention.ledger import classifications
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.what_if import compare, what_if
from tests.conftest import Server
from tests.integration.conftest import ClassifiedSample
from tests.integration.test_onboard_check import content, files
from tests.onboarding import retention as command
from tests.policies import edited_text, shipped_text, write_policy

pytestmark = [pytest.mark.integration, pytest.mark.slow]

VERSION = ("version: lexly-2023-01-12", "version: tried")
SCHEMA = Path(retention.what_if.__file__).with_name("what_if.schema.json")

#: Edits of the shipped policy, with the effects that each must have on the stories.
POLICIES: dict[str, tuple[tuple[tuple[str, str], ...], set[str]]] = {
    "R1 is longer, R2 shorter": (
        (("value: P6M", "value: P18M"), ("value: P12M", "value: P3M")),
        {"earlier", "later"},
    ),
    "nobody approved R2's trigger, a type is longer, notice shorter, a later version": (
        (
            (
                "telephone and video), so nothing after the first day can restart the period.\n"
                "      approval: {state: example}",
                "telephone and video), so nothing after the first day can restart the period.\n"
                "      approval: {state: none}",
            ),
            ("period: P13Y", "period: P15Y"),
            ("due_soon_days: {value: 30", "due_soon_days: {value: 3"),
            ("effective_from: 2023-01-12", "effective_from: 2026-01-01"),
        ),
        {"later", "no_longer"},
    ),
    "a type more, and the reading that finds no period": (
        (
            (
                "assignment_types:\n",
                "assignment_types:\n  unknown_kind:\n    description: Another\n    norwegian: annet\n"
                "    period: P13Y\n    mark: choice\n    reason: A try.\n    approval: {state: example}\n",
            ),
        ),
        set(),
    ),
}


@pytest.fixture
def warehouse(server: Server, told_stories: ClassifiedSample, tmp_path: Path) -> Iterator[Settings]:
    """A copy of the sample's stories, with a policy folder and a dbt project of its own."""
    name = server.create(template=str(told_stories.settings.database_url).rpartition("/")[2])
    write_policy(tmp_path / "policy", shipped_text(), "in-force.yaml")
    shipped = told_stories.settings
    shutil.copytree(
        shipped.dbt_dir, tmp_path / "dbt_project", ignore=shutil.ignore_patterns("target")
    )
    shutil.copytree(shipped.dbt_target, tmp_path / "state" / "dbt" / "target")
    yield dataclasses.replace(
        shipped,
        project=tmp_path,
        state=tmp_path / "state",
        database_url=server.url(name),
        policy_dir=tmp_path / "policy",
        dbt_dir=tmp_path / "dbt_project",
        declarations_dir=tmp_path / "dbt_project" / "models" / "staging",
    )
    server.drop(name)


def compared(conn: psycopg.Connection[Any], schema: str) -> list[tuple[Any, ...]]:
    return conn.execute(
        sql.SQL(
            "select source_schema, source_table, record_key, category, rule_id, status, due_on,"
            " disposition, policy_clause, reason, blocked_by from {}"
            " order by 1, 2, 3, 4, 5, 6, 7, 8"
        ).format(sql.Identifier(schema, "records"))
    ).fetchall()


def switch(settings: Settings, policy: Path) -> None:
    """Put the policy into force, and classify."""
    for old in settings.policy_dir.glob("*.yaml"):
        old.unlink()
    shutil.copy(policy, settings.policy_dir)
    day = classify.today()
    with connect(settings) as conn:
        begun = classifications.begin(conn, day, code_hash(settings))
    classify.build(settings, day)
    with connect(settings) as conn:
        classifications.finish(conn, begun)


@pytest.mark.parametrize("name", POLICIES)
def test_it_agrees_with_switching_the_policy(
    name: str, warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits, effects = POLICIES[name]
    path = write_policy(tmp_path, edited_text(VERSION, *edits))
    tried: dict[str, Any] = {}

    def kept(conn: psycopg.Connection[Any], suffix: str) -> None:
        tried["records"] = compared(conn, f"retention{suffix}")
        compare_in_database(conn, suffix)

    compare_in_database = compare.compare
    monkeypatch.setattr(compare, "compare", kept)
    with connect(warehouse) as conn:
        before = {row[:3]: row for row in compared(conn, "retention")}
    document = what_if(warehouse, path, ahead=0)
    counts = document["summary"]
    assert {effect for effect in compare.EFFECTS if counts[effect]} >= effects

    switch(warehouse, path)

    with connect(warehouse) as conn:
        after = compared(conn, "retention")
    assert tried["records"] == after
    assert counts["records"] == len(after)
    changed = [row for row in after if row != before[row[:3]]]
    assert bool(changed) == (counts["unchanged"] < counts["records"])
    overdue = sum(row[5] == "overdue" for row in after)
    assert counts["overdue_after"] == overdue
    preview = plans.preview(warehouse)
    purge = document["purge"]["after"]
    assert (purge["records"], purge["waiting"]) == (preview.items, preview.waiting)


def test_it_touches_nothing_and_says_what_would_be(warehouse: Settings, tmp_path: Path) -> None:
    path = write_policy(tmp_path, edited_text(VERSION, *POLICIES["R1 is longer, R2 shorter"][0]))
    target = warehouse.dbt_target
    with connect(warehouse) as conn:
        before, catalogue = content(conn), relations(conn)
    written = files(warehouse)
    manifest = {str(one): one.read_bytes() for one in target.rglob("*") if one.is_file()}

    done = command(warehouse, "what-if", str(path), "--json", "--examples", "2")

    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    with connect(warehouse) as conn:
        assert content(conn) == before
        assert relations(conn) == catalogue
        hidden = set(
            conn.execute(
                "select source_schema || '.' || source_table, record_key from retention.records"
                " where status in ('held', 'restricted', 'locked')"
            )
        )
    assert files(warehouse) == written
    assert {str(one): one.read_bytes() for one in target.rglob("*") if one.is_file()} == manifest
    assert not list(warehouse.state.glob("trial-*"))

    assert [one["what"] for one in document["differences"]] == [
        "version",
        "rules R1 period value",
        "rules R2 period value",
    ]
    counts = document["summary"]
    for effect in compare.EFFECTS:
        groups = [group for group in document["groups"] if group["effect"] == effect]
        assert sum(group["records"] for group in groups) == counts[effect]
    moved = sum(counts[effect] for effect in compare.EFFECTS)
    assert moved + counts["same_day_otherwise"] + counts["unchanged"] == counts["records"]
    examples = {(group["table"], key) for group in document["groups"] for key in group["examples"]}
    assert examples
    assert all(len(group["examples"]) <= 2 for group in document["groups"])
    assert hidden
    assert not examples & hidden
    assert document["purge"]["before"]["records"] != document["purge"]["after"]["records"]

    said = command(warehouse, "what-if", str(path)).stdout
    assert "due later" in said
    assert "rules R1 period value" in said
    assert "A purge on" in said


def relations(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Every relation, function and schema of the database that is not the server's, with its rights."""
    return conn.execute(
        "select n.nspname, c.relname, c.relkind::text, c.relowner::regrole::text, c.relacl::text"
        " from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname !~ '^pg_'"
        " union all select nspname, null, 'schema', nspowner::regrole::text, nspacl::text"
        " from pg_catalog.pg_namespace where nspname !~ '^pg_'"
        " order by 1, 2, 3"
    ).fetchall()


def test_it_refuses_what_it_cannot_answer(warehouse: Settings, tmp_path: Path) -> None:
    path = write_policy(tmp_path, edited_text(VERSION))
    with connect(warehouse) as conn:
        before = content(conn)
    bad = write_policy(tmp_path, edited_text(("value: P6M", "value: six months")), "bad.yaml")
    done = command(warehouse, "what-if", str(bad))
    assert done.returncode == 2
    assert "bad.yaml:36:" in done.stderr
    missing = command(warehouse, "what-if", str(tmp_path / "none.yaml"))
    assert missing.returncode == 2
    with only_run(warehouse):
        assert command(warehouse, "what-if", str(path)).returncode == 3
    with connect(warehouse, autocommit=True) as conn:
        conn.execute("select pg_advisory_lock(%s)", (scratch.LOCK,))
        during = command(warehouse, "what-if", str(path))
    assert during.returncode == 3
    assert "another check or what-if is going" in during.stderr
    with connect(warehouse) as conn:
        assert content(conn) == before

    write_policy(warehouse.policy_dir, edited_text(("value: P6M", "value: P7M")), "in-force.yaml")
    other = command(warehouse, "what-if", str(path))
    assert other.returncode == 3
    assert "the policy in force changed" in other.stderr
    write_policy(warehouse.policy_dir, shipped_text(), "in-force.yaml")
    with connect(warehouse) as conn:
        conn.execute("update ledger.classifications set as_of = as_of - 1")
    yesterday = command(warehouse, "what-if", str(path))
    assert yesterday.returncode == 3
    assert "not today: run `retention run` first" in yesterday.stderr
    with connect(warehouse) as conn:
        conn.execute("update ledger.classifications set as_of = as_of + 1, finished_at = null")
    going = command(warehouse, "what-if", str(path))
    assert going.returncode == 3
    assert "a classification is going on" in going.stderr


def test_it_refuses_without_a_classification(settings: Settings, tmp_path: Path) -> None:
    done = command(settings, "what-if", str(write_policy(tmp_path, edited_text(VERSION))))
    assert done.returncode == 2
    assert "nothing is classified yet" in done.stderr


def test_what_fails_or_was_killed_leaves_nothing(warehouse: Settings, tmp_path: Path) -> None:
    path = write_policy(tmp_path, edited_text(VERSION))
    with connect(warehouse) as conn:
        before = content(conn)
        # What a kill left of a trial.
        conn.execute("set role retention_classifier")
        conn.execute(f"create schema intermediate_as_of_{classify.today():%Y%m%d}")
        conn.execute(f"create table intermediate_as_of_{classify.today():%Y%m%d}.compared (a int)")
    assert command(warehouse, "what-if", str(path)).returncode == 0
    broken = warehouse.dbt_dir / "models" / "intermediate" / "int_person_winners.sql"
    text = broken.read_text(encoding="utf-8")
    broken.write_text(f"select 1 / 0 as nothing from {{{{ ref('int_clock') }}}} -- {text[:1]}")
    # The code is a part of the question: another one is refused before anything is built.
    assert command(warehouse, "what-if", str(path)).returncode == 3
    with connect(warehouse) as conn:
        conn.execute("update ledger.classifications set code_hash = %s", (code_hash(warehouse),))
    done = command(warehouse, "what-if", str(path))
    assert done.returncode == 4
    assert "the what-if failed in int_person_winners" in done.stderr
    with connect(warehouse) as conn:
        conn.execute("delete from ledger.classifications where false")
        after = content(conn)
        left = conn.execute(
            "select count(*) from pg_namespace where nspname ~ '_as_of_'"
        ).fetchone()
    assert left == (0,)
    assert {k: v for k, v in after.items() if k != "ledger.classifications"} == {
        k: v for k, v in before.items() if k != "ledger.classifications"
    }


def test_the_asset_shows_counts_and_where_the_page_is(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_policy(tmp_path, edited_text(VERSION, *POLICIES["R1 is longer, R2 shorter"][0]))
    for name, value in warehouse.as_environment().items():
        monkeypatch.setenv(name, value)
    result = materialize([what_if_asset], resources={"run": Run(policy=str(path))})
    (shown,) = result.asset_materializations_for_node("what_if")
    assert shown.metadata["earlier"].value
    assert shown.metadata["policy_version"].value == "tried"
    page = str(shown.metadata["page_nb"].value)
    assert page.startswith(warehouse.pages_url)
    assert (warehouse.state / "reports" / page.rpartition("/")[2]).is_file()
    named_none = materialize([what_if_asset], resources={"run": Run()}, raise_on_error=False)
    assert not named_none.success
