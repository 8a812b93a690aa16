"""Schemas beside those in force, in which a classification is tried, and gone afterwards.

Belongs here: what a trial of declarations and a what-if of a policy share: the lock, the copy of the
project, the schemas and that they go, the run of dbt. Does not belong here: what is tried, and what is
read of it.

Nothing in force is touched: the project is a copy, and the schemas bear today's date as a suffix, which no
replay does before tomorrow. What a kill leaves of them, the next trial or housekeeping drops, as a replay.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from retention import state
from retention.classify import dbt_environment, failed_in
from retention.environment import for_others
from retention.errors import Refused, WarehouseError
from retention.housekeeping.schemas import drop_replay
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

# Any constant that nobody else uses.
LOCK = 0x51E77E0B

#: For a trial's session: somebody waits for it. A nightly run takes the server's own.
IN_HASTE = {
    "work_mem": "128MB",
    "jit": "off",
    # The planner never chooses a parallel plan for a big output by itself.
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
}

#: Puts a project into the folder that is given.
Copy = Callable[[Path], object]

_NOT_COPIED = shutil.ignore_patterns("generated", "target", "logs", "dbt_packages", "__pycache__")


@contextmanager
def trial(
    settings: Settings, today: date, copy: Copy | None = None
) -> Iterator[tuple[Settings, str]]:
    """Settings with a project of the trial's own, and its schemas' suffix, all gone after the block.

    `copy` fills the project's folder; without it the whole project is copied. Raises Refused while another
    trial is going, WarehouseError where something that is not ours keeps a schema.
    """
    suffix = f"_as_of_{today:%Y%m%d}"
    with _only_one(settings), _project(settings, copy) as project:
        _drop(settings, suffix)
        try:
            yield project, suffix
        finally:
            _drop(settings, suffix)


def build(
    project: Settings, today: date, suffix: str, selection: Sequence[str], named: str
) -> None:
    """Build the selected nodes of the trial's project. Raises WarehouseError with the names of models that
    failed; `named` is what failed then."""
    target = project.dbt_dir / "target"
    variables = json.dumps({"as_of_date": today.isoformat(), "dry_run": True})
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", "build", "--vars", variables, *selection],
        env={
            **for_others(os.environ),
            **dbt_environment(project),
            "RETENTION_SCHEMA_SUFFIX": suffix,
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(project.dbt_dir / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
            "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in IN_HASTE.items()),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WarehouseError(f"{named} failed in {failed_in(target) or 'dbt itself'}")


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    with connect(settings, autocommit=True) as conn:
        row = conn.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if row is None or not row[0]:
            raise Refused(
                "another check or what-if is going: wait until it has ended, then try again"
            )
        yield


@contextmanager
def _project(settings: Settings, copy: Copy | None) -> Iterator[Settings]:
    """Settings of a project of its own, which is gone after the block."""
    state.make_folder(settings.state, state.STATE_MODE)
    with tempfile.TemporaryDirectory(prefix="trial-", dir=settings.state) as folder:
        project = Path(folder) / "dbt_project"
        if copy:
            copy(project)
        else:
            shutil.copytree(settings.dbt_dir, project, ignore=_NOT_COPIED)
        yield replace(settings, dbt_dir=project)


def _drop(settings: Settings, suffix: str) -> None:
    with connect(settings, role=CLASSIFIER) as conn:
        if stays := drop_replay(conn, suffix):
            raise WarehouseError(f"what was built for a trial stays: {stays}")
