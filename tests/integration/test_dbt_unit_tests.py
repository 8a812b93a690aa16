"""dbt's own unit tests: every rule at its boundary dates.

Belongs here: running them against a real warehouse. Does not belong here: the cases, which stand beside
the models (`_intermediate__unit_tests.yml`).
"""

import json
import os
import subprocess
import sys

import pytest

from retention import classify

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_every_rule_holds_at_its_boundary_dates(settings):
    as_of = classify.today()
    classify.build(settings, as_of)
    arguments = ["--select", "test_type:unit", "--vars", json.dumps({"as_of_date": str(as_of)})]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", "test", *arguments],
        env={**os.environ, **classify.dbt_environment(settings, as_of)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    results = json.loads((classify.target_path(settings) / "run_results.json").read_text())
    assert len(results["results"]) >= 7
