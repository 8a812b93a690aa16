"""A classification with a proposal, beside the one in force, and gone afterwards.

Belongs here: the copy of the project, the schemas it builds and drops, the lock. Does not belong here:
reading its result (`outcome`), and the proposal.

Nothing in force is touched: the project is a copy, the schemas bear today's date as a suffix (which no
replay does before tomorrow; what a kill leaves of them, housekeeping drops as a replay), no token is
assigned, and no classification is recorded.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from retention import state
from retention.classify import check_references, dbt_environment, failed_in
from retention.declarations import Declarations, load_declarations
from retention.declarations.staging import write_staging
from retention.environment import for_others
from retention.errors import Refused, UsageError, WarehouseError
from retention.housekeeping.schemas import drop_replay
from retention.onboarding.outcome import Outcome, read_outcome
from retention.policy import in_force, load_versions, write_seeds
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

# Any constant that nobody else uses.
LOCK = 0x51E77E0B
_WHAT = ("--select", "+records", "--exclude-resource-type", "test", "unit_test")
_NOT_COPIED = shutil.ignore_patterns("generated", "target", "logs", "dbt_packages", "__pycache__")


def check(settings: Settings, schema: str, today: date) -> Outcome:
    """Classify everything as it would be with the proposal for `schema`; say what became of that schema.

    Raises UsageError where a declaration does not hold or nothing of `schema` is declared or proposed,
    Refused while another check is going, WarehouseError with the names of models that failed.
    """
    declarations = load_declarations(settings.declarations_dir, proposed_for=schema)
    if not any(table.schema_ == schema for table in declarations.tables):
        raise UsageError(
            f"nothing of schema {schema} is declared or proposed: `retention onboard {schema}` first"
        )
    suffix = f"_as_of_{today:%Y%m%d}"
    with _only_check(settings), _copied(settings) as copy:
        try:
            _build(copy, declarations, today, suffix)
            with connect(settings, role=CLASSIFIER, read_only=True) as conn:
                return read_outcome(conn, declarations, schema, suffix, settings.declarations_dir)
        finally:
            with connect(settings, role=CLASSIFIER) as conn:
                if stays := drop_replay(conn, suffix):
                    raise WarehouseError(f"what the check built stays: {stays}")


@contextmanager
def _only_check(settings: Settings) -> Iterator[None]:
    with connect(settings, autocommit=True) as conn:
        row = conn.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if row is None or not row[0]:
            raise Refused("another check is going: wait until it has ended, then try again")
        yield


@contextmanager
def _copied(settings: Settings) -> Iterator[Settings]:
    """Settings of a copy of the dbt project, which is gone after the block."""
    state.make_folder(settings.state, state.STATE_MODE)
    with tempfile.TemporaryDirectory(prefix="onboard-", dir=settings.state) as folder:
        project = Path(folder) / "dbt_project"
        shutil.copytree(settings.dbt_dir, project, ignore=_NOT_COPIED)
        yield replace(settings, dbt_dir=project)


def _build(copy: Settings, declarations: Declarations, today: date, suffix: str) -> None:
    policy = in_force(load_versions(copy.policy_dir), today)
    check_references(policy, declarations)
    write_seeds(policy, copy.dbt_dir / "seeds" / "generated")
    write_staging(declarations, copy.dbt_dir)
    target = copy.dbt_dir / "target"
    variables = json.dumps({"as_of_date": today.isoformat(), "dry_run": True})
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", "build", "--vars", variables, *_WHAT],
        env={
            **for_others(os.environ),
            **dbt_environment(copy),
            "RETENTION_SCHEMA_SUFFIX": suffix,
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(copy.dbt_dir / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WarehouseError(f"the check failed in {failed_in(target) or 'dbt itself'}")
