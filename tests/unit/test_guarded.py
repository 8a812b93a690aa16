"""What Dagster calls raises our words alone, and Dagster keeps no others."""

import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from dagster import (
    DagsterInstance,
    Definitions,
    RunStatusSensorDefinition,
    asset,
    materialize,
)

from orchestration.guarded import MARK, guarded, without_others_words
from retention.errors import Refused, RetentionError, UsageError, WarehouseError
from retention.settings import Settings
from tests.unit.test_definitions import defs, fresh

__all__ = ["defs", "fresh"]

pytestmark = pytest.mark.unit

CANARY = "Kari Kanarifugl"


def boom() -> None:
    """As a library does it: one error with a value leads to another with a value."""
    try:
        raise KeyError(CANARY)
    except KeyError as first:
        raise ValueError(f"cannot use {CANARY}") from first


def said(error: BaseException | None) -> str:
    """All that a chain of errors says, as Dagster follows it."""
    words = []
    while error is not None:
        words.append(f"{type(error).__name__} {error}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(words)


def test_an_error_of_somebody_else_loses_its_words_and_keeps_its_place() -> None:
    with pytest.raises(RetentionError) as raised, without_others_words("a step"):
        boom()
    assert CANARY not in said(raised.value)
    assert "internal error ValueError in a step at " in str(raised.value)
    assert "test_guarded.py:" in str(raised.value)
    assert raised.value.exit_code == 4


@pytest.mark.parametrize(
    "missing", [psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction]
)
def test_a_warehouse_of_an_older_version_is_told_from_a_fault(
    missing: type[psycopg.Error],
) -> None:
    with (
        pytest.raises(UsageError, match="`retention run` makes it"),
        without_others_words("a step"),
    ):
        raise missing(f"not there: {CANARY}")


def test_an_error_of_the_database_is_translated() -> None:
    with pytest.raises(WarehouseError) as raised, without_others_words("a step"):
        raise psycopg.errors.UniqueViolation(f"Key (email)=({CANARY}) already exists")
    assert CANARY not in said(raised.value)
    assert "UniqueViolation" in str(raised.value)


def test_one_that_sqlalchemy_wraps_is_translated_too() -> None:
    wrapped = RuntimeError(CANARY)
    wrapped.orig = psycopg.errors.InvalidTextRepresentation(CANARY)  # type: ignore[attr-defined]
    with (
        pytest.raises(WarehouseError, match="InvalidTextRepresentation") as raised,
        without_others_words("a step"),
    ):
        raise wrapped
    assert CANARY not in said(raised.value)


def test_an_error_of_ours_stays_and_drops_what_led_to_it() -> None:
    def refuse() -> None:
        try:
            boom()
        except ValueError as error:
            raise Refused("not today") from error

    with pytest.raises(Refused, match="not today") as raised, without_others_words("a step"):
        refuse()
    assert CANARY not in said(raised.value)
    assert raised.value.exit_code == 3


def test_generators_are_guarded_to_their_last_step() -> None:
    @guarded
    def steps() -> Iterator[int]:
        yield 1
        boom()

    stepwise = steps()
    assert next(stepwise) == 1
    with pytest.raises(RetentionError, match="in steps") as raised:
        next(stepwise)
    assert CANARY not in said(raised.value)


def test_dagster_keeps_no_word_of_a_guarded_step(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    @asset
    @guarded
    def person() -> None:
        boom()

    with DagsterInstance.ephemeral() as instance:
        result = materialize([person], instance=instance, raise_on_error=False)
        kept = "\n".join(entry.to_json() for entry in instance.all_logs(result.run_id))
    assert not result.success
    assert "internal error ValueError in person" in kept
    assert CANARY not in kept
    assert CANARY not in caplog.text


def test_everything_that_dagster_calls_is_guarded(defs: Definitions, fresh: Settings) -> None:
    repository = defs.get_repository_def()
    called: dict[str, Any] = {
        key.to_user_string(): definition.op.compute_fn.decorated_fn
        for key, definition in repository.assets_defs_by_key.items()
        if definition.is_executable
    }
    for key, check in repository.asset_checks_defs_by_key.items():
        called[key.name] = check.op.compute_fn.decorated_fn
    for sensor in repository.sensor_defs:
        # Of one that waits for failed runs Dagster shows its own function only.
        if not isinstance(sensor, RunStatusSensorDefinition):
            called[sensor.name] = sensor._raw_fn
    assert {"findings", "purge_run", "retention/records", "approved_plans"} <= called.keys()
    assert [name for name, function in called.items() if not hasattr(function, MARK)] == []
