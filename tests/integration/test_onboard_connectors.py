"""Two connectors whose declarations are gone are governed again by YAML alone, as the runbook tells.

Belongs here: that promise, on the real files. Does not belong here: what single tables are proposed
(test_onboarding.py).
"""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from landing.files import land_directory
from retention import classify
from retention.declarations import load_declarations
from retention.onboarding.yaml_text import open_todos
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.onboarding import answered, example_answers, in_force, retention, todos_said

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "fivetran"
CONNECTORS = ("twilio", "xero")

Outcomes = dict[tuple[str, str, str | None, str | None, str], int]


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    """The project as shipped, in a folder of its own."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real connector files (../shared/data) are not beside this clone")
    return copied_project(settings, tmp_path / "project")


def copied_project(settings: Settings, folder: Path) -> Settings:
    shutil.copytree(
        settings.dbt_dir,
        folder / "dbt_project",
        ignore=shutil.ignore_patterns("generated", "target", "logs"),
    )
    shutil.copytree(settings.policy_dir, folder / "policy")
    return dataclasses.replace(
        settings,
        project=folder,
        dbt_dir=folder / "dbt_project",
        declarations_dir=folder / "dbt_project" / "models" / "staging",
        policy_dir=folder / "policy",
    )


def outcomes(conn: psycopg.Connection[Any]) -> Outcomes:
    """Records of the two connectors by table, category, rule and status."""
    rows = conn.execute(
        "select source_schema, source_table, category, rule_id, status, count(*)"
        " from retention.records where source_schema = any(%s) group by 1, 2, 3, 4, 5",
        (list(CONNECTORS),),
    ).fetchall()
    return {(schema, *rest): count for schema, *rest, count in rows}


def test_two_connectors_are_governed_again_by_the_runbook(project: Settings) -> None:
    with connect(project) as conn:
        report = land_directory(conn, SHARED_DATA)
    classify.build(project, classify.today())
    shipped = load_declarations(project.declarations_dir)
    with connect(project) as conn:
        as_shipped = outcomes(conn)
    for schema in CONNECTORS:
        shutil.rmtree(project.declarations_dir / schema)

    undeclared = uncovered(project)
    assert all(undeclared[schema] > 0 for schema in CONNECTORS)
    said = retention(project, "status").stdout
    assert all(f"schema {schema} is not declared" in said for schema in CONNECTORS)

    answers = example_answers()
    for schema in CONNECTORS:
        proposed = retention(project, "onboard", schema)
        assert proposed.returncode == 0, proposed.stderr
        path = project.declarations_dir / schema / f"_{schema}__sources.yml"
        text = path.read_text(encoding="utf-8")
        assert 0 < open_todos(text) <= todos_said(schema)
        path.write_text(
            answered(text, {table: word for (of, table), word in answers.items() if of == schema}),
            encoding="utf-8",
        )
        checked = retention(project, "onboard", schema, "--check", "--json")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        trial = json.loads(checked.stdout)
        assert (trial["todos"], trial["undeclared"]) == (0, [])
        assert {
            (schema, g["table"], g["category"], g["rule_id"], g["status"]) for g in trial["groups"]
        } == {key for key in as_shipped if key[0] == schema}
    # Answered, and still not in force: every table stays a finding until the last line is gone.
    assert uncovered(project) == undeclared
    for schema in CONNECTORS:
        path = project.declarations_dir / schema / f"_{schema}__sources.yml"
        path.write_text(in_force(path.read_text(encoding="utf-8")), encoding="utf-8")

    covered = uncovered(project)
    assert all(covered[schema] == 0 for schema in CONNECTORS)
    classify.build(project, classify.today())
    with connect(project) as conn:
        assert outcomes(conn) == as_shipped
    again = load_declarations(project.declarations_dir)
    for table in report.tables:
        if table.schema in CONNECTORS:
            before, after = shipped.table(table.qualified), again.table(table.qualified)
            assert before is not None
            assert after is not None
            assert bool(before.exempt) == bool(after.exempt), table.qualified
            governed = sum(
                n for key, n in as_shipped.items() if key[:2] == (table.schema, table.table)
            )
            assert governed == (0 if after.exempt else table.rows_landed), table.qualified


def uncovered(settings: Settings) -> dict[str, int]:
    """How many tables and columns of each schema `retention coverage` has as findings."""
    done = retention(settings, "coverage", "--json")
    # Other systems' tables have not landed here: a finding of their own.
    assert done.returncode == 1, done.stderr
    schemas = json.loads(done.stdout)["schemas"]
    for one in schemas:
        for of in (one["tables"], one["columns"]):
            assert of["declared"] + of["exempt"] + of["built"] + of["finding"] == of["total"]
    return {one["schema"]: one["tables"]["finding"] + one["columns"]["finding"] for one in schemas}
