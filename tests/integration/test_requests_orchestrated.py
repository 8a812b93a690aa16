"""The register as Dagster runs it: the assets with their checks, and the sensor that starts the job.

Belongs here: what the orchestrator makes of the register. Does not belong here: the register itself
(test_requests.py), and the daily job as a whole (test_job.py).
"""

from collections.abc import Iterator
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    RunRequest,
    SkipReason,
    build_sensor_context,
    job,
    materialize,
    op,
)

from orchestration.assets.rights import (
    locks,
    recipients,
    restrictions,
    rights_register,
    suppressions,
)
from orchestration.resources import Run
from orchestration.sensors import rights_requests
from retention.rights import intake, register
from retention.rights.model import Right, Verified
from tests.factories import Shop, today

pytestmark = pytest.mark.integration


@op
def answer() -> None:
    """Nothing: the sensor only names the job."""


@job
def answer_requests() -> None:
    answer()


@pytest.fixture
def orchestrated(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that runs and sensors read their settings of from the environment."""
    for name, value in shop.settings.as_environment().items():
        monkeypatch.setenv(name, value)
    shop.person(1, overdue=False)
    shop.add("request", id=70, person_id=1, id_scan_url="s3://id/70.png")
    shop.add("request", id=71, person_id=9)
    shop.classify()
    return shop


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def look(instance: DagsterInstance) -> Any:
    with build_sensor_context(instance=instance) as context:
        (answered,) = list(rights_requests(answer_requests)(context))  # type: ignore[call-overload]
    return answered


def test_the_assets_show_counts_and_their_checks_fail_where_somebody_waits(
    orchestrated: Shop,
) -> None:
    orchestrated.hold("subject", "shop.person:1", kind="lock", until_on=today(orchestrated.conn))
    result = materialize(
        [rights_register, locks, restrictions, suppressions, recipients], resources={"run": Run()}
    )
    assert result.success
    shown = {
        made.asset_key.to_user_string(): {n: v.value for n, v in made.metadata.items()}
        for node in ("rights_register", "locks", "restrictions", "suppressions", "recipients")
        for made in result.asset_materializations_for_node(node)
    }
    assert shown["rights_register"]["taken_in"] == 2
    assert shown["rights_register"]["received"] == 2
    # Landed in 2020: long past the last day for the answer.
    assert shown["rights_register"]["overdue"] == 2
    assert shown["rights_register"]["unidentified"] == 1
    assert shown["locks"]["standing"] == 1
    assert shown["restrictions"]["standing"] == 0
    assert shown["recipients"]["notices"] == 0
    assert set(shown) == {"rights_register", "locks", "restrictions", "suppressions", "recipients"}
    failed = {one.check_name for one in result.get_asset_check_evaluations() if not one.passed}
    assert failed == {"requests_in_time", "requests_identified"}


def test_scans_go_with_the_asset(orchestrated: Shop) -> None:
    intake.take_in(orchestrated.settings)
    request = next(
        one for one in register.list_(orchestrated.settings) if one.source == "shop.request:70"
    )
    register.verify(orchestrated.approver, request.request_id, Verified.IDENTITY_DOCUMENT)
    result = materialize([rights_register], resources={"run": Run()})
    (made,) = result.asset_materializations_for_node("rights_register")
    assert made.metadata["scans_ordered"].value == 1


def test_nothing_is_taken_in_as_of_a_past_day(orchestrated: Shop) -> None:
    result = materialize([rights_register], resources={"run": Run(as_of="2026-01-02")})
    assert result.success
    assert register.list_(orchestrated.settings) == []


def test_a_landed_request_starts_the_job_once(
    orchestrated: Shop, instance: DagsterInstance
) -> None:
    first = look(instance)
    assert isinstance(first, RunRequest)
    assert look(instance).run_key == first.run_key
    # Another one has landed, after the classification: another state, another run.
    orchestrated.add("request", id=72, person_id=1)
    second = look(instance)
    assert second.run_key != first.run_key
    orchestrated.classify()
    intake.take_in(orchestrated.settings)
    assert isinstance(look(instance), SkipReason)


def test_a_decision_that_no_classification_has_seen_starts_the_job(
    orchestrated: Shop, instance: DagsterInstance
) -> None:
    intake.take_in(orchestrated.settings)
    request = register.open_request(
        orchestrated.approver,
        Right.WITHDRAWAL,
        today(orchestrated.conn),
        person="shop.person:1",
        purpose="lead_sharing",
    )
    register.verify(orchestrated.approver, request, Verified.IN_PERSON)
    assert isinstance(look(instance), SkipReason)
    with register.as_officer(orchestrated.approver, "deciding") as conn:
        conn.execute("select ledger.decide_request(%s, 'granted')", (request,))
    assert isinstance(look(instance), RunRequest)
    orchestrated.classify()
    assert isinstance(look(instance), SkipReason)


def test_a_table_that_drifted_starts_nothing(orchestrated: Shop, instance: DagsterInstance) -> None:
    orchestrated.conn.execute("alter table shop.request rename column state to stage")
    orchestrated.conn.commit()
    assert isinstance(look(instance), SkipReason)
