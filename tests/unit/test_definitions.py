"""What Dagster loads: whole, in the flow's order, and from a fresh clone without a connection."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetKey,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
)

from orchestration.groups import DOWNSTREAM, FACTS, GROUPS, group_of
from orchestration.manifest import ensure_manifest, manifest_path
from orchestration.notices import COMMAND, URL, Notice, give_notice
from orchestration.passages import rules_of
from orchestration.run import JOBS
from orchestration.translator import opening_comment, tag_value
from retention.classify import today
from retention.declarations import Declarations, load_declarations
from retention.errors import UsageError
from retention.policy import Policy, in_force, load_versions
from retention.policy.values import Clause
from retention.settings import Settings, load_settings

pytestmark = pytest.mark.unit

# A server that nobody runs: connecting to it would fail at once.
NOWHERE = "postgresql://nobody:hidden-secret@127.0.0.1:1/nothing"


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A clone that never ran: an empty state folder and no manifest."""
    folder = tmp_path_factory.mktemp("fresh-clone") / "state"
    return load_settings({"RETENTION_STATE_DIR": str(folder), "RETENTION_DATABASE_URL": NOWHERE})


@pytest.fixture(scope="session")
def defs(fresh: Settings) -> Definitions:
    """The definitions, imported as Dagster imports them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_STATE_DIR", str(fresh.state))
        patch.setenv("RETENTION_DATABASE_URL", NOWHERE)
        from orchestration.definitions import build_defs

        return build_defs()


@pytest.fixture(scope="session")
def manifest(fresh: Settings, defs: Definitions) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(manifest_path(fresh).read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="session")
def declarations(fresh: Settings) -> Declarations:
    return load_declarations(fresh.declarations_dir)


@pytest.fixture(scope="session")
def nodes(defs: Definitions) -> dict[str, Any]:
    """Every asset of the graph by its key."""
    graph = defs.resolve_asset_graph()
    return {node.key.to_user_string(): node for node in graph.asset_nodes}


def upstream(nodes: dict[str, Any], key: str) -> set[str]:
    """Every asset that `key` is made from, near and far."""
    reached: set[str] = set()
    pending = [key]
    while pending:
        for parent in nodes[pending.pop()].parent_keys:
            name = parent.to_user_string()
            if name not in reached:
                reached.add(name)
                pending.append(name)
    return reached


def test_definitions_are_valid(defs: Definitions) -> None:
    Definitions.validate_loadable(defs)


def test_importing_opens_no_connection_and_starts_no_server(
    fresh: Settings, tmp_path: Path
) -> None:
    """In a process of its own, once with a server that nobody runs and once with the embedded one,
    and without Great Expectations, which a server would load for nothing."""
    code = (
        "import sys, orchestration.definitions;"
        "assert 'great_expectations' not in sys.modules, 'loaded for nothing'"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RETENTION_", "DAGSTER_"))}
    state = {"RETENTION_STATE_DIR": str(fresh.state)}
    for database in ({"RETENTION_DATABASE_URL": NOWHERE}, {}):
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env={**kept, **state, **database},
            cwd=tmp_path,
        )
    assert not (fresh.state / "postgres").exists()


def test_nothing_is_parsed_again_while_nothing_changes(fresh: Settings) -> None:
    path = ensure_manifest(fresh)
    before = path.stat().st_mtime_ns
    assert ensure_manifest(fresh) == path == manifest_path(fresh)
    assert path.stat().st_mtime_ns == before


def test_every_declared_table_has_an_asset_in_landing(
    nodes: dict[str, Any], declarations: Declarations
) -> None:
    for table in declarations.tables:
        node = nodes[f"{table.schema_}/{table.name}"]
        assert node.group_name == "landing", table.qualified
        assert node.description, table.qualified
        assert node.owners, table.qualified


def test_the_graph_leads_from_every_governed_landing_table_to_the_deletion_report(
    nodes: dict[str, Any], declarations: Declarations
) -> None:
    of_records = upstream(nodes, "retention/records")
    of_report = upstream(nodes, "deletion_report")
    for table in declarations.governed:
        assert f"{table.schema_}/{table.name}" in of_records, table.qualified
    assert "retention/records" in of_report
    assert {"findings", "purge_plan", "purge_run", "read_back", "checkpoint"} <= of_report


def test_every_asset_stands_in_a_group_of_the_flow_and_every_group_is_used(
    nodes: dict[str, Any],
) -> None:
    assert {node.group_name for node in nodes.values()} == set(GROUPS)


def test_the_flow_runs_one_way(nodes: dict[str, Any]) -> None:
    """An asset is made from its own group and earlier ones. The ledger's plans are looked at by the
    checks, so that they stand outside of the order."""
    order = {name: number for number, name in enumerate(GROUPS)}
    for key, node in nodes.items():
        for parent in node.parent_keys:
            name = parent.to_user_string()
            if name.startswith("ledger/"):
                continue
            assert order[nodes[name].group_name] <= order[node.group_name], (
                f"{name} ({nodes[name].group_name}) -> {key} ({node.group_name}):"
                " say in orchestration/groups.py which of them is a fact"
            )


def test_every_model_that_is_called_a_fact_is_there(manifest: dict[str, Any]) -> None:
    models = {node["name"] for node in manifest["nodes"].values()}
    assert models >= FACTS


def test_what_a_data_team_adds_stands_downstream() -> None:
    for kind, folders in (("model", ["marts", "sales"]), ("model", []), ("snapshot", ["staging"])):
        node = {"resource_type": kind, "fqn": ["p", *folders, "m"], "name": "m"}
        assert group_of(node) == DOWNSTREAM


def test_every_asset_quotes_the_policy_and_says_whose_it_is_and_where_to_read_on(
    nodes: dict[str, Any], fresh: Settings
) -> None:
    """Of all of them, and none is left out: also one that somebody adds tomorrow."""
    policy = in_force(load_versions(fresh.policy_dir), today())
    passages = set(everything_quotable(policy))
    categories = {f"category/{rule.category}" for rule in policy.rules if rule.category}
    for key, node in nodes.items():
        # The words, below them what they mean, and above all of them what the asset is.
        quotes = re.findall(
            r"^> \*\*Policy (§ [\d.]+):\*\* «(.+)»\n>\n> (?:[\w ()]+: )?(.+)$",
            node.description,
            re.M,
        )
        assert quotes, key
        assert set(quotes) <= passages, (key, set(quotes) - passages)
        assert not node.description.startswith(">"), key
        assert node.owners, key
        assert node.kinds, key
        tags = {tag for tag in node.tags if tag.startswith("category/")}
        assert tags, key
        assert tags <= categories | {"category/all", "category/none"}, key
        assert node.tags["system"], key
        assert node.tags["layer"], key
        assert f"]({fresh.pages_url}/reports/latest/#" in node.metadata["report"].md_str, key
        assert (fresh.project / node.metadata["runbook"].text).is_file(), key


def everything_quotable(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Each passage of the policy: where it stands, its words, and what it means."""
    parts: list[tuple[Clause, str]] = [
        *((rule.clause, rule.summary) for rule in policy.rules),
        *((one.clause, one.description) for one in policy.subject_kinds),
        *((one.clause, one.description) for one in policy.data_categories),
        *((one.clause, one.description) for one in policy.purposes),
        *((one.clause, one.purpose) for one in policy.recipients),
    ]
    for clause, meaning in parts:
        yield clause.label, " ".join(clause.quote.split()), " ".join(meaning.split())


def test_what_stems_from_dbt_leads_to_its_description_and_its_code(
    nodes: dict[str, Any], manifest: dict[str, Any], fresh: Settings
) -> None:
    of_dbt = [*manifest["nodes"].values(), *manifest["sources"].values()]
    shown = [node for node in of_dbt if node["resource_type"] in ("model", "seed", "source")]
    assert len(shown) > 200
    for node in shown:
        schema = node.get("source_name") or node["config"].get("schema")
        metadata = nodes["/".join(filter(None, (schema, node["name"])))].metadata
        page = f"/dbt/#!/{node['resource_type']}/{node['unique_id']}"
        assert f"]({fresh.pages_url}{page})" in metadata["dbt docs"].md_str
        assert (fresh.project / metadata["code"].text).is_file(), node["unique_id"]


def test_a_governed_table_says_which_rules_it_follows_and_what_its_columns_hold(
    nodes: dict[str, Any], declarations: Declarations
) -> None:
    for table in declarations.governed:
        landing = nodes[f"{table.schema_}/{table.name}"]
        staging = nodes[f"staging/{table.staging_model}"]
        for node in (landing, staging):
            assert "**Retention:**" in node.description, table.qualified
            assert node.tags["system"] == tag_value(table.system)
        for rule in rules_of(table):
            assert f"> {rule}: " in landing.description, table.qualified
        columns = {
            column.name: column.description
            for column in landing.metadata["dagster/column_schema"].columns
        }
        assert set(columns) == table.columns_declared
        assert all(columns[name].startswith("Personal: ") for name in table.personal)
        assert staging.metadata["landing table"].asset_key == landing.key


def test_what_a_night_renews_says_by_when(
    nodes: dict[str, Any], declarations: Declarations
) -> None:
    """What runs when a person decides is never late; of the models the marts stand for the others."""
    awaited = {f"{table.schema_}/{table.name}" for table in declarations.governed}
    awaited |= {key for key, node in nodes.items() if node.group_name == "records"}
    awaited |= {"findings", "purge_plan", "checkpoint", "control_persons", "rights_register"}
    for key in awaited:
        policy = nodes[key].freshness_policy
        assert policy is not None, key
        assert policy.timezone == "Europe/Oslo", key
    for key in ("purge_run", "read_back", "deletion_report", "stripe/coupon"):
        assert nodes[key].freshness_policy is None, key


def test_every_check_says_how_bad_a_failure_is_and_by_which_clause(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    assert len(list(graph.asset_check_keys)) > 60
    for key in graph.asset_check_keys:
        spec = graph.get_check_spec(key)
        assert spec.description, key
        assert spec.metadata["severity"] in ("warn", "error"), key
        assert re.match(r"§ \d|GDPR art\. \d", spec.metadata["clause"]), key


@pytest.mark.parametrize("name", JOBS)
def test_every_job_resolves(defs: Definitions, name: str) -> None:
    job = defs.resolve_job_def(name)
    assert job.description
    assert job.executor_def.name == "in_process"


def test_the_daily_job_classifies_checks_and_plans_and_purges_nothing(defs: Definitions) -> None:
    chosen = {
        key.to_user_string()
        for key in defs.resolve_job_def("apply_retention").asset_layer.executable_asset_keys
    }
    assert {"retention/records", "findings", "purge_plan", "checkpoint"} <= chosen
    assert not chosen & {"purge_run", "read_back", "deletion_report"}


def test_the_schedule_and_the_sensors_run_without_being_switched_on(defs: Definitions) -> None:
    for name, when in (
        ("apply_retention_daily", "0 2 * * *"),
        ("run_controls_daily", "30 1 * * *"),
        ("keep_house_daily", "0 4 * * *"),
        ("compact_tables_daily", "0 5 * * *"),
        ("detect_personal_data_weekly", "0 6 * * 0"),
    ):
        schedule = defs.resolve_schedule_def(name)
        assert schedule.cron_schedule == when
        assert schedule.execution_timezone == "Europe/Oslo"
        assert schedule.default_status is DefaultScheduleStatus.RUNNING
    for name in ("approved_plans", "new_evidence", "failure_notice"):
        assert defs.resolve_sensor_def(name).default_status is DefaultSensorStatus.RUNNING


def test_the_checks_stand_on_findings_and_only_integrity_stops_the_plan(defs: Definitions) -> None:
    from expectations import CHECKS

    graph = defs.resolve_asset_graph()
    specs = {
        key.name: graph.get_check_spec(key)
        for key in graph.asset_check_keys
        if key.asset_key == AssetKey(["findings"])
    }
    assert set(specs) == {check.name for check in CHECKS}
    for check in CHECKS:
        assert specs[check.name].blocking is check.blocks_plan
        assert check.clause in (specs[check.name].description or "")


def test_no_configuration_of_a_run_can_show_a_password(defs: Definitions) -> None:
    """The settings are read from the environment; were they fields of a resource, Dagster would
    store and show them."""
    for name in JOBS:
        job = defs.resolve_job_def(name)
        assert "hidden-secret" not in str(job.get_job_snapshot())


def test_resources_can_be_replaced() -> None:
    from orchestration.definitions import build_defs

    marker = object()
    made = build_defs(resource_overrides={"other": marker})
    assert made.resources is not None
    assert made.resources["other"] is marker


def test_a_comment_that_opens_a_model_becomes_its_description() -> None:
    sql = "{{ config(a='b') }}\n-- One row a person.\n-- And more.\nselect 1 -- not this"
    assert opening_comment(sql) == "One row a person. And more."
    assert opening_comment("select 1") == ""


@pytest.mark.parametrize(
    ("text", "tag"), [("Google Analytics", "google-analytics"), ("AWS/S3 ", "aws-s3")]
)
def test_tags_hold_what_dagster_allows(text: str, tag: str) -> None:
    assert tag_value(text) == tag


@pytest.fixture
def told(fresh: Settings, tmp_path: Path) -> Settings:
    """Settings with a state folder of their own, where notices are written down."""
    return dataclasses.replace(fresh, state=tmp_path / "state")


NOTICE = Notice("apply_retention", "run-1", ("classification",))


def test_a_notice_is_written_down_and_handed_to_the_command(told: Settings, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    give_notice(told, NOTICE, {COMMAND: f'{sys.executable} -c "{_KEEP}" {taken}'})
    (line,) = (told.state / "notices.jsonl").read_text(encoding="utf-8").splitlines()
    written = json.loads(line)
    assert written.pop("at")
    assert written == {"job": "apply_retention", "run_id": "run-1", "steps": ["classification"]}
    assert json.loads(taken.read_text(encoding="utf-8")) == json.loads(line)


_KEEP = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"


def test_a_command_that_fails_does_not_lose_the_notice(
    told: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    give_notice(told, NOTICE, {COMMAND: "no-such-command --please"})
    assert (told.state / "notices.jsonl").exists()
    assert "did not take the notice" in caplog.text


def test_a_notice_goes_to_web_addresses_only(told: Settings) -> None:
    with pytest.raises(UsageError, match="no http address"):
        give_notice(told, NOTICE, {URL: "file:///etc/passwd"})
