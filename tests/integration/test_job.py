"""The jobs, run as the schedule and the command run them, on a small sample.

One warehouse goes through the whole story: classified, checked, planned, approved, purged, read back.
The tests stand in that order and each says what it needs from the one before.
"""

import dataclasses
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from dagster import (
    AssetKey,
    DagsterInstance,
    RunRequest,
    SkipReason,
    build_run_status_sensor_context,
    build_sensor_context,
)

from expectations import CHECKS
from landing.sample import land_sample
from landing.sample.tables import TABLES
from orchestration.instance import dagster_environment, storage_url
from orchestration.lock import only_run
from orchestration.run import JobResult, run_job
from retention import classify, orders, plan, purge
from retention.errors import Refused, UsageError, WarehouseError
from retention.plan import Plan
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.session import open_session
from tests.conftest import Server
from tests.integration.conftest import sample_settings
from tests.keys import make_keys
from tests.leaks.canaries import Canaries
from tests.leaks.channels import Scanner
from tests.leaks.patterns import Patterns

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PEOPLE = 40
SEED = 7
CANARIES = Canaries()
CANARY = CANARIES.text_of("a value that cannot be read")
SCANNER = Scanner(Patterns(CANARIES.needles(today="2999-01-01")))


@dataclass
class House:
    """The warehouse of this module, and what its daily job said."""

    settings: Settings
    approver: Settings
    applied: JobResult
    landing_before: dict[str, str]

    def one(self, query: Any, *values: Any) -> Any:
        with connect(self.settings, autocommit=True) as conn:
            row = conn.execute(query, values).fetchone()
        return row[0] if row else None

    def run(self, statement: Any) -> None:
        with connect(self.settings, autocommit=True) as conn:
            conn.execute(statement)

    def plan(self) -> Plan:
        return plan.list_plans(self.settings)[0]


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("house"))
    make_keys(settings)
    with connect(settings) as conn:
        land_sample(conn, people=PEOPLE, seed=SEED, as_of=classify.today())
    before = landing(settings)
    approver = dataclasses.replace(settings, database_url=server.approver_url(name))
    yield House(settings, approver, run_job(settings, "apply_retention"), before)
    server.drop(name)


@pytest.fixture
def instance(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    """The instance in which the jobs of this module are recorded."""
    for name, value in dagster_environment(house.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RETENTION_DATABASE_URL", str(house.settings.database_url))
    with DagsterInstance.get() as found:
        yield found


def landing(settings: Settings) -> dict[str, str]:
    """A hash of each landing table's rows."""
    with connect(settings, autocommit=True) as conn:
        return {
            table.qualified: str(
                conn.execute(
                    f"select count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)"
                    f" from {table.schema}.{table.name} as t".encode()
                ).fetchone()
            )
            for table in TABLES
        }


def logged(instance: DagsterInstance, run_id: str) -> str:
    """Everything that Dagster keeps of a run, as text."""
    run = instance.get_run_by_id(run_id)
    return "\n".join([str(run), *(entry.to_json() for entry in instance.all_logs(run_id))])


def test_the_daily_job_classifies_checks_and_plans(house: House) -> None:
    assert house.applied.success
    assert house.applied.failed_steps == ()
    assert {"classification", "findings", "purge_plan"} <= set(house.applied.seconds)
    # Every landed request is in the register, and each pending one of a known person holds that person.
    assert {"rights_register", "locks", "recipients"} <= set(house.applied.seconds)
    landed = house.one("select count(*) from crm.rights_request")
    assert landed
    assert landed == house.one(
        "select count(*) from ledger.requests where source_table = 'rights_request'"
    )
    assert house.one("select count(*) from ledger.requests where state = 'received'") == house.one(
        "select count(*) from ledger.blockers where reason = 'a request of the person is pending'"
    )
    made = house.plan()
    assert made.state == "proposed"
    assert made.items > 0
    assert made.as_of == classify.today()
    # What landed is remembered, so that a later day knows since when a column is there.
    remembered = house.one(
        "select count(*) from ledger.landing_columns where first_seen_on = ledger.today()"
    )
    assert remembered == house.one(
        "select count(*) from information_schema.columns"
        " where table_schema = any(ledger.marked_schemas())"
    )


def test_it_changes_nothing_in_landing(house: House) -> None:
    assert landing(house.settings) == house.landing_before


def test_dagster_shows_the_counts_of_the_records(house: House, instance: DagsterInstance) -> None:
    event = instance.get_latest_materialization_event(AssetKey(["retention", "records"]))
    assert event is not None
    assert event.asset_materialization is not None
    shown = {key: value.value for key, value in event.asset_materialization.metadata.items()}
    assert shown["records"] == house.one("select count(*) from retention.records")
    assert shown["overdue"] == house.one(
        "select count(*) from retention.records where status = 'overdue'"
    )
    for column in ("held", "review", "due_within_7_days", "due_within_30_days", "policy_version"):
        assert column in shown


def test_dagster_shows_how_each_governed_table_stands(
    house: House, instance: DagsterInstance
) -> None:
    """Where its rows lie and where they are staged; a table that is not there shows nothing."""
    stands = "select count(*) from retention.records where source_schema = %s and source_table = %s"
    for schema, table in (("crm", "lead"), ("crm", "person"), ("stripe", "charge")):
        landing = instance.get_latest_materialization_event(AssetKey([schema, table]))
        assert landing is not None
        assert landing.asset_materialization is not None
        staging = instance.fetch_observations(
            AssetKey(["staging", f"stg_{schema}__{table}"]), limit=1
        )
        observed = staging.records[0].asset_observation
        assert observed is not None
        for shown in (landing.asset_materialization.metadata, observed.metadata):
            assert shown["records"].value == house.one(stands, schema, table) > 0
            overdue = house.one(f"{stands} and status = 'overdue'", schema, table)
            assert shown["overdue"].value == overdue
    assert instance.get_latest_materialization_event(AssetKey(["pagila", "rental"])) is None


def test_the_pages_get_the_check_results_and_the_descriptions(house: House) -> None:
    """Counts and names: no value of a person is in any file that is served."""
    folder = house.settings.state / "pages"
    kept = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
    assert kept["as_of"] == f"{classify.today()}"
    assert [check["check"] for check in kept["checks"]] == [check.name for check in CHECKS]
    overdue = house.one("select count(*) from retention.records where status = 'overdue'")
    counted = {check["check"]: check["failing"] for check in kept["checks"]}
    assert counted["nothing_overdue"] == overdue > 0
    catalog = json.loads((folder / "dbt" / "catalog.json").read_text(encoding="utf-8"))
    person = catalog["sources"]["source.sletteplikt.crm.person"]
    assert {"first_name", "national_id"} <= set(person["columns"])
    assert "model.sletteplikt.records" in catalog["nodes"]
    with connect(house.settings, autocommit=True) as conn:
        values = [
            row[0]
            for row in conn.execute(
                "select distinct unnest(array[last_name, email, phone, national_id]) from crm.person"
            )
            if row[0]
        ]
    assert len(values) > 50
    for path in (folder / "checks.json", folder / "dbt/manifest.json", folder / "dbt/catalog.json"):
        text = path.read_text(encoding="utf-8")
        assert [value for value in values if f'"{value}"' in text] == []


def test_dagster_shows_every_check_with_counts(house: House, instance: DagsterInstance) -> None:
    evaluations = {}
    for entry in instance.all_logs(house.applied.run_id):
        event = entry.dagster_event
        if event and event.event_type_value == "ASSET_CHECK_EVALUATION":
            found = event.asset_check_evaluation_data
            evaluations[found.asset_key.to_user_string(), found.check_name] = found
    for check in CHECKS:
        assert ("findings", check.name) in evaluations
    overdue = evaluations["findings", "nothing_overdue"]
    assert not overdue.passed
    assert overdue.metadata["failing"].value == house.one(
        "select count(*) from retention.records where status = 'overdue'"
    )
    assert "counts" in overdue.metadata
    assert evaluations["purge_plan", "no_blocked_record_in_plan"].passed


def test_no_value_of_a_person_and_no_secret_is_kept_of_the_run(
    house: House, instance: DagsterInstance
) -> None:
    with connect(house.settings, autocommit=True) as conn:
        values = conn.execute(
            "select unnest(array[first_name || ' ' || last_name, email, phone, national_id])"
            " from crm.person"
        ).fetchall()
        keys = conn.execute(
            "select record_key from retention.records where length(record_key) > 12"
        ).fetchall()
    reports = house.settings.state / "reports"
    texts = {
        path: path.read_text(encoding="utf-8", errors="replace")
        for path in house.settings.state.rglob("*")
        if path.is_file()
        and path.suffix in (".json", ".csv", ".html", ".log", ".sql", ".yaml")
        and "secrets" not in path.parts
    }
    assert any(path.is_relative_to(reports) for path in texts)
    told = logged(instance, house.applied.run_id)
    kept = told + "".join(texts.values())
    assert len(kept) > 10_000
    assert [value for (value,) in values if value and value in kept] == []
    # The report names the records of its sample, which somebody tries by hand; nothing else names one.
    elsewhere = told + "".join(
        text for path, text in texts.items() if not path.is_relative_to(reports)
    )
    assert [key for (key,) in keys if key in elsewhere] == []
    password = str(house.settings.database_url).split(":")[2].split("@")[0]
    assert password not in kept


def test_a_second_run_is_refused_while_one_is_going(
    house: House, instance: DagsterInstance
) -> None:
    runs = instance.get_runs_count()
    with only_run(house.settings), pytest.raises(Refused, match="already going") as refused:
        run_job(house.settings, "apply_retention")
    assert refused.value.exit_code == 3
    assert instance.get_runs_count() == runs


def test_a_run_that_dagster_starts_meanwhile_is_refused_too(
    house: House, instance: DagsterInstance
) -> None:
    """The lock is the run's own, not the command's."""
    from orchestration.definitions import build_defs

    with only_run(house.settings):
        result = (
            build_defs()
            .resolve_job_def("check_records")
            .execute_in_process(instance=instance, raise_on_error=False)
        )
    assert not result.success
    assert "a run is already going" in logged(instance, result.run_id)


@pytest.mark.parametrize(
    ("job", "day", "why"),
    [
        pytest.param("apply_retention", timedelta(days=1), "future", id="a day to come"),
        pytest.param("apply_retention", timedelta(days=-9000), "no policy", id="before the first"),
        pytest.param("no_such_job", timedelta(0), "there is no job", id="an unknown job"),
    ],
)
def test_wrong_usage_is_said_in_one_line(house: House, job: str, day: timedelta, why: str) -> None:
    with pytest.raises(UsageError, match=why) as wrong:
        run_job(house.settings, job, as_of=classify.today() + day)
    assert "\n" not in str(wrong.value)


def test_an_integrity_check_that_fails_stops_the_plan(house: House) -> None:
    """Twice over: the check blocks what is downstream of it, and the plan asks for itself."""
    plans = len(plan.list_plans(house.settings))
    house.run("update retention.record_checks set is_due_after_anchor = false")
    checked = run_job(house.settings, "check_records")
    assert not checked.success
    assert checked.failed_steps == ("findings",)
    with pytest.raises(Refused, match="due_after_anchor"):
        run_job(house.settings, "plan_purge")
    house.run("update retention.record_checks set is_due_after_anchor = true")
    assert run_job(house.settings, "check_records").success
    assert len(plan.list_plans(house.settings)) == plans


def test_an_approved_plan_starts_its_purge_and_leaves_evidence(
    house: House, instance: DagsterInstance
) -> None:
    from orchestration.definitions import build_defs

    sensor = build_defs().resolve_sensor_def("approved_plans")
    # Consents that were withdrawn: the policy approved their plan, and nobody is asked.
    (decided,) = [one for one in plan.list_plans(house.settings) if one.scope == "decided"]
    with build_sensor_context(instance=instance) as context:
        (asked,) = sensor.evaluate_tick(context).run_requests or [None]
        assert isinstance(asked, RunRequest)
        assert asked.run_key == f"{decided.plan_id}:0:0"
    assert run_job(house.settings, "execute_purge", plan_id=decided.plan_id).success

    made = house.plan()
    with build_sensor_context(instance=instance) as context:
        (waiting,) = sensor.evaluate_tick(context).run_requests or [None]
        assert waiting is None
        plan.approve(house.approver, made.plan_id, made.digest)
        (asked,) = sensor.evaluate_tick(context).run_requests or [None]
        assert isinstance(asked, RunRequest)
        assert asked.run_key == f"{made.plan_id}:0:0"

    # What the stores of recordings, documents and scans answer in time goes with the plan.
    purge.order_objects(house.settings, made.plan_id)
    handed = orders.hand_over(house.settings)
    assert {order.table for order in handed} >= {"crm.recording", "crm.assignment_document"}
    orders.acknowledge(house.settings, {order.order_id: "a receipt" for order in handed})
    result = run_job(house.settings, "execute_purge", plan_id=made.plan_id)
    assert result.success
    assert set(result.seconds) == {"purge_run", "read_back", "checkpoint", "deletion_report"}
    outcome = plan.show(house.settings, made.plan_id).outcome
    assert outcome.keys() == {"purged", "minimised"}
    assert sum(outcome.values()) == made.items
    event = instance.get_latest_materialization_event(AssetKey(["read_back"]))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["found"].value == 0
    lead = instance.get_latest_materialization_event(AssetKey(["crm", "lead"]))
    assert lead is not None
    assert lead.asset_materialization is not None
    assert lead.asset_materialization.metadata["purged"].value == house.one(
        "select count(*) from ledger.tombstones where source_table = 'lead'"
    )
    report = house.settings.state / "reports" / f"deletion-{made.plan_id}.json"
    assert (
        json.loads(report.read_text(encoding="utf-8"))["execution"]["purged"] == (outcome["purged"])
    )
    with build_sensor_context(instance=instance) as context:
        done = sensor.evaluate_tick(context)
        assert not done.run_requests
        assert done.skip_message == SkipReason("no plan is approved").skip_message


def test_the_read_back_can_be_run_again(house: House) -> None:
    assert run_job(house.settings, "verify_purge").success


def test_a_past_day_is_written_beside_today_and_never_planned_from(house: House) -> None:
    plans = len(plan.list_plans(house.settings))
    day = classify.today() - timedelta(days=30)
    result = run_job(house.settings, "apply_retention", as_of=day)
    assert result.success
    suffix = classify.schema_suffix(day)
    assert house.one(f"select as_of from intermediate{suffix}.int_clock".encode()) == day
    assert house.one("select as_of from intermediate.int_clock") == classify.today()
    assert len(plan.list_plans(house.settings)) == plans
    # So that housekeeping knows when its days are over.
    assert house.one("select made_at from ledger.replays where suffix = %s", suffix)


def test_keeping_house_takes_nothing_of_today(house: House, instance: DagsterInstance) -> None:
    runs, entries = instance.get_runs_count(), house.one("select count(*) from ledger.entries")
    replay = house.one("select suffix from ledger.replays")
    assert run_job(house.settings, "keep_house").success
    assert instance.get_runs_count() == runs + 1
    assert house.one("select count(*) from ledger.entries") == entries + 1
    assert house.one(f"select to_regclass('retention{replay}.records') is not null".encode())
    said = json.loads(house.one("select body from ledger.entries order by entry_id desc limit 1"))
    # dbt run by hand in this clone may have left files that are due.
    kinds = said["removed"].keys() - {"logs", "builds"}
    assert {said["removed"][kind] for kind in kinds} == {0}


def test_an_error_that_quotes_a_value_is_kept_without_it(
    house: House, instance: DagsterInstance, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    """PostgreSQL quotes the value that it cannot read. dbt passes that on to its log, its results and
    to Dagster; none of them may keep it."""
    caplog.set_level(logging.DEBUG)
    house.run(
        "create or replace function sletteplikt.utc_time(value timestamptz) returns timestamp"
        f" language sql immutable return (('{CANARY} ' || value::text)::int)::text::timestamp"
    )
    with pytest.raises(
        WarehouseError, match=r"classification failed in .*stg_crm__person"
    ) as failed:
        run_job(house.settings, "classify_records")
    assert CANARY not in str(failed.value)
    latest = instance.get_run_records(limit=1)[0].dagster_run
    kept = logged(instance, latest.run_id)
    assert "22P02" in kept
    assert CANARY not in kept
    assert not SCANNER.output(["run"], *capfd.readouterr(), caplog.text)
    assert not SCANNER.files(house.settings.state)
    with open_session(storage_url(house.settings)) as storage:
        assert not SCANNER.database(storage)


def test_a_failed_run_gives_notice_without_its_words(
    house: House, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needs the failed classification of the test before."""
    from orchestration.sensors import failure_notice

    monkeypatch.setenv("RETENTION_STATE_DIR", str(house.settings.state))
    run = instance.get_run_records(limit=1)[0].dagster_run
    event = next(
        entry.dagster_event
        for entry in instance.all_logs(run.run_id)
        if entry.dagster_event and entry.dagster_event.event_type_value == "PIPELINE_FAILURE"
    )
    context = build_run_status_sensor_context(
        sensor_name="failure_notice",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
    ).for_run_failure()
    failure_notice(context)
    *_, line = (house.settings.state / "notices.jsonl").read_text(encoding="utf-8").splitlines()
    written = json.loads(line)
    assert written["job"] == "classify_records"
    assert written["run_id"] == run.run_id
    assert written["steps"] == ["classification"]
    assert CANARY not in line


def test_after_a_classification_that_was_cut_short_nothing_is_planned(house: House) -> None:
    """Needs the failed classification of the tests before."""
    with pytest.raises(Refused, match="not_evaluated"):
        run_job(house.settings, "plan_purge")
