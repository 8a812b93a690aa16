"""The control persons: each meets the fate it was made for, and a broken guard or rule is noticed.

Belongs here: running them beside the sample's and the shop's shapes. Does not belong here: what the
models and the purge do with real persons.
"""

import dataclasses
from collections.abc import Iterator

import psycopg
import pytest

from landing.sample import land_sample
from retention import classify
from retention.controls.outcome import PURGED, STAYS, WAITS, ControlRun, Outcome
from retention.controls.run import run_controls
from retention.errors import Refused
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import sample_settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CASES = {
    "lead_partner": "R1",
    "lead_direct": "R2",
    "customer_no_advice": "R3",
    "assignment": "R4",
    "accounting": "R5",
    STAYS: None,
}


@pytest.fixture(scope="module")
def sample(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The sample's tables, with the people of its stories; never classified."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("controls"))
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=1, as_of=classify.today())
    yield settings
    server.drop(name)


@pytest.fixture(scope="module")
def run(sample: Settings) -> ControlRun:
    return run_controls(sample)


def of_person_table(run: ControlRun, table: str) -> dict[str, Outcome]:
    return {one.case: one for one in run.outcomes if one.person_table == table}


def test_every_category_that_ends_in_a_purge_has_a_person_who_goes(run: ControlRun) -> None:
    outcomes = of_person_table(run, "crm.person")
    assert {case: one.rule_id for case, one in outcomes.items()} == CASES
    for case, one in outcomes.items():
        assert one.expected == (STAYS if case == STAYS else PURGED)
        assert one.rows > 1, case
        assert one.left == (one.rows if case == STAYS else 0), case
        assert one.passed, one
    assert run.left_behind == 0
    assert run.passed


def test_the_warehouse_itself_is_not_touched(sample: Settings, run: ControlRun) -> None:
    with connect(sample) as conn:
        touched = conn.execute(
            "select (select count(*) from ledger.plans), (select count(*) from ledger.tombstones),"
            " (select count(*) from ledger.classifications),"
            " (select count(*) from pg_database where datname like '%\\_controls')"
        ).fetchone()
        kept = conn.execute("select passed, as_of from ledger.control_runs").fetchall()
        evidence = conn.execute(
            "select count(*) from ledger.entries where kind = 'controls'"
        ).fetchone()
    assert touched == (0, 0, 0, 0)
    assert kept == [(True, run.as_of)]
    assert evidence == (1,)


@pytest.mark.slow
def test_without_an_approval_they_wait(sample: Settings, run: ControlRun) -> None:
    """Without the sample's marker its example approvals do not count: nobody may be purged."""
    with connect(sample) as conn:
        marked = conn.execute(
            "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace"
            " where obj_description(oid, 'pg_namespace') like 'sletteplikt-sample%'"
        ).fetchall()
        _comment(conn, [(schema, None) for schema, _ in marked])
    try:
        waiting = of_person_table(run_controls(sample), "crm.person")
    finally:
        with connect(sample) as conn:
            _comment(conn, marked)
    assert waiting["lead_partner"].expected == WAITS
    assert all(one.left == one.rows > 0 for one in waiting.values())
    assert all(one.passed for one in waiting.values())


@pytest.mark.parametrize(
    "change", [{"left": 1}, {"rows": 0}, {"rule_ids": ("R2",)}, {"rule_ids": ("R1", "none")}]
)
def test_whoever_does_not_meet_their_fate_fails_the_run(
    run: ControlRun, change: dict[str, object]
) -> None:
    outcomes = of_person_table(run, "crm.person")
    changed = dataclasses.replace(outcomes["lead_partner"], **change)  # type: ignore[arg-type]
    assert not changed.passed
    assert not dataclasses.replace(run, outcomes=(*run.outcomes, changed)).passed


def test_somebody_who_must_stay_and_lost_a_row_fails_the_run(run: ControlRun) -> None:
    stays = of_person_table(run, "crm.person")[STAYS]
    assert not dataclasses.replace(stays, left=stays.rows - 1).passed


def test_nobody_at_all_is_no_success(run: ControlRun) -> None:
    assert not dataclasses.replace(run, outcomes=()).passed
    assert not dataclasses.replace(run, left_behind=1).passed


def test_somebody_elses_database_of_that_name_is_left_alone(
    sample: Settings, server: Server
) -> None:
    with connect(sample) as conn:
        name = f"{conn.info.dbname}_controls"
    server.create(template=None, name=name)
    try:
        with pytest.raises(Refused, match="not ours"):
            run_controls(sample)
    finally:
        server.drop(name)


def test_elsewhere_their_approval_is_refused(conn: psycopg.Connection[object]) -> None:
    refused = conn.execute("select ledger.approve_controls(gen_random_uuid())").fetchone()
    assert refused == ("this is not the database of the controls: a person approves here",)


def _comment(conn: psycopg.Connection[object], comments: list[tuple[str, str | None]]) -> None:
    for schema, comment in comments:
        conn.execute(
            psycopg.sql.SQL("comment on schema {} is {}").format(
                psycopg.sql.Identifier(schema), psycopg.sql.Literal(comment)
            )
        )
