"""Runs the classification: writes what dbt reads, then builds the models as of a day.

Belongs here: everything between "a policy and declarations" and "models are built", for the command
line, the tests and the orchestrator alike. Does not belong here: the models themselves (dbt), and
judging their result (expectations).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg import conninfo

from retention.declarations import Declarations, load_declarations
from retention.declarations.parts import RuleName
from retention.declarations.staging import write_staging
from retention.environment import for_others
from retention.errors import UsageError, WarehouseError
from retention.policy import Policy, in_force, load_versions, write_seeds
from retention.returns import recognise
from retention.settings import Settings
from retention.warehouse.connection import connect, warehouse_url
from retention.warehouse.migrate import migrate

OSLO = ZoneInfo("Europe/Oslo")


def today() -> date:
    """The local date in Norway, which is the as-of date of a run that names none."""
    return datetime.now(UTC).astimezone(OSLO).date()


def checked_as_of(as_of: date | None) -> date:
    """`as_of`, or today. Raises UsageError for a day that has not come yet."""
    if as_of is not None and as_of > today():
        raise UsageError(f"as-of date {as_of} lies in the future; give a day up to {today()}")
    return as_of or today()


def schema_suffix(as_of: date) -> str:
    """What the schemas of this run end in: nothing today, `_as_of_YYYYMMDD` for a day in the past,
    so that a replay never overwrites what is in force."""
    return "" if as_of == today() else f"_as_of_{as_of:%Y%m%d}"


def prepare(settings: Settings, as_of: date) -> tuple[Policy, Declarations]:
    """Write the seeds and staging models that dbt reads; opens no connection.

    Raises UsageError where the policy or a declaration does not hold, alone or together.
    """
    policy = in_force(load_versions(settings.policy_dir), as_of)
    declarations = load_declarations(settings.declarations_dir)
    check_references(policy, declarations)
    write_seeds(policy, settings.dbt_dir / "seeds" / "generated")
    write_staging(declarations, settings.dbt_dir)
    return policy, declarations


def check_references(policy: Policy, declarations: Declarations) -> None:
    """Every rule, class and period that a declaration names stands in the policy, or UsageError."""
    rules = {rule.id for rule in policy.rules}
    for table in declarations.governed:
        named = {table.follows.rule} if isinstance(table.follows, RuleName) else set()
        if table.otherwise:
            named.add(table.otherwise.rule)
        for missing in sorted(named - rules):
            raise UsageError(f"{table.qualified}: rule {missing} is not in the policy")
        if table.accounting and table.accounting.class_ not in policy.accounting.classes:
            raise UsageError(
                f"{table.qualified}: accounting class {table.accounting.class_} is not in the policy"
            )
        if table.period and table.period not in policy.supporting_periods:
            raise UsageError(f"{table.qualified}: period {table.period} is not in the policy")
    _check_purposes(policy, declarations)


def _check_purposes(policy: Policy, declarations: Declarations) -> None:
    """What rests on consent rests on a consent that the policy knows, and that erases when withdrawn."""
    erased = {purpose.id for purpose in policy.purposes if purpose.on_withdrawal == "erase"}
    revealed = {table.reveals.purpose for table in declarations.staged if table.reveals}
    for table in declarations.staged:
        rests_on = table.consented or table.reveals
        if rests_on and rests_on.purpose not in erased:
            raise UsageError(
                f"{table.qualified}: {rests_on.purpose} is no purpose of the policy whose withdrawal erases"
            )
        if (
            table.consented
            and table.consented.when == "revealed_by_partner"
            and table.consented.purpose not in revealed
        ):
            raise UsageError(
                f"{table.qualified}: no table of partners says which of them `reveals`"
                f" {table.consented.purpose}"
            )
        unknown = set(table.consent.purposes.values() if table.consent else ()) - {
            purpose.id for purpose in policy.purposes
        }
        if unknown:
            raise UsageError(
                f"{table.qualified}: no purpose of the policy: {', '.join(sorted(unknown))}"
            )


def dbt_environment(settings: Settings, as_of: date | None = None) -> dict[str, str]:
    """The environment in which dbt finds the warehouse. Starts the embedded server if that is it.

    The password goes through dbt's secret prefix, which keeps it out of dbt's logs.
    """
    target = conninfo.conninfo_to_dict(warehouse_url(settings))
    return {
        **static_dbt_environment(settings),
        "RETENTION_DBT_HOST": str(target.get("host") or "127.0.0.1"),
        "RETENTION_DBT_PORT": str(target.get("port") or 5432),
        "RETENTION_DBT_USER": str(target.get("user") or ""),
        "DBT_ENV_SECRET_RETENTION_PASSWORD": str(target.get("password") or ""),
        "RETENTION_DBT_DATABASE": str(target["dbname"]),
        "RETENTION_DBT_SSLMODE": str(target.get("sslmode") or "prefer"),
        "RETENTION_SCHEMA_SUFFIX": schema_suffix(as_of) if as_of else "",
        "DBT_TARGET_PATH": str(target_path(settings, as_of)),
        "PGTZ": "UTC",
        "PGDATESTYLE": "ISO",
    }


def static_dbt_environment(settings: Settings) -> dict[str, str]:
    """What dbt needs to parse: folders and switches, no connection."""
    return {
        "DBT_PROJECT_DIR": str(settings.dbt_dir),
        "DBT_PROFILES_DIR": str(settings.dbt_dir),
        "DBT_TARGET_PATH": str(target_path(settings)),
        "DBT_LOG_PATH": str(settings.state / "dbt" / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        "DO_NOT_TRACK": "1",
    }


def target_path(settings: Settings, as_of: date | None = None) -> Path:
    """Where dbt keeps the manifest and compiled SQL of the classification in force; a replay of a day
    in the past, which makes other relations, has a place of its own."""
    replay = as_of is not None and schema_suffix(as_of) != ""
    return settings.state / "dbt" / "replay" if replay else settings.dbt_target


def dbt_arguments(as_of: date, *, command: str = "build") -> list[str]:
    """The dbt command line that builds the models as of `as_of`; unit tests stay with the tests."""
    arguments = [command, "--vars", json.dumps({"as_of_date": as_of.isoformat()})]
    return [*arguments, "--exclude-resource-type", "unit_test"] if command == "build" else arguments


def build(settings: Settings, as_of: date) -> Policy:
    """Classify every governed record as of `as_of`; returns the policy that was applied.

    Raises UsageError for input that does not hold, WarehouseError with the names of failed models.
    """
    policy, declarations = prepare(settings, as_of)
    with connect(settings) as connection:
        migrate(connection)
    if as_of == today():
        recognise(settings, declarations)
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", *dbt_arguments(as_of)],
        env={**for_others(os.environ), **dbt_environment(settings, as_of)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WarehouseError(
            f"classification failed in {failed_nodes(settings, as_of) or 'dbt itself'}"
        )
    return policy


def failed_nodes(settings: Settings, as_of: date) -> str:
    """Names of the dbt nodes that failed in the last run. dbt's own messages stay out of ours: a
    database error may quote a value."""
    return failed_in(target_path(settings, as_of))


def failed_in(target: Path) -> str:
    """Names of the dbt nodes that failed in the run that wrote to `target`."""
    path = target / "run_results.json"
    if not path.exists():
        return ""
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    bad = [r["unique_id"].split(".")[2] for r in results if r["status"] in ("error", "fail")]
    return ", ".join(bad)
