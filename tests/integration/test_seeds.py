"""Seeds of a later version in a warehouse of an earlier one.

Belongs here: that a column that was added lands. Does not belong here: what the seeds say.
"""

import csv
import os
import subprocess
import sys
from typing import Any

import psycopg
import pytest
import yaml

from retention import classify
from retention.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def seed(settings: Settings) -> None:
    as_of = classify.today()
    subprocess.run(
        [
            sys.executable, "-m", "dbt.cli.main", "--quiet",
            *classify.dbt_arguments(as_of, command="seed"), "--select", "policy_settings",
        ],
        env={**os.environ, **classify.dbt_environment(settings, as_of)},
        capture_output=True,
        check=True,
    )  # fmt: skip


def test_a_column_that_a_version_brings_lands(
    settings: Settings, conn: psycopg.Connection[Any]
) -> None:
    """What somebody built on the seed stays: the table is the same one."""
    classify.prepare(settings, classify.today())
    seed(settings)
    before = conn.execute("select * from policy.policy_settings").fetchall()
    conn.execute("alter table policy.policy_settings drop column grace_days")
    conn.execute(
        "create view policy.of_theirs as select policy_version from policy.policy_settings"
    )
    conn.commit()
    seed(settings)
    now = conn.execute("select grace_days from policy.policy_settings").fetchall()
    assert now != [(None,)]
    assert now[0][0] in before[0]
    assert conn.execute("select * from policy.of_theirs").fetchall()


def test_every_column_of_a_seed_has_a_type(settings: Settings) -> None:
    """A column without one would not be added."""
    classify.prepare(settings, classify.today())
    seeds = settings.dbt_dir / "seeds"
    declared = {
        one["name"]: set(one["config"]["column_types"])
        for path in seeds.glob("_*.yml")
        for one in yaml.safe_load(path.read_text())["seeds"]
    }
    for path in (seeds / "generated").glob("*.csv"):
        with path.open(encoding="utf-8") as file:
            assert set(next(csv.reader(file))) <= declared[path.stem], path.stem
