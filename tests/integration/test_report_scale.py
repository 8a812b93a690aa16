"""The report of a big warehouse: made in seconds, small, and the same bytes every time.

Belongs here: time and size. Does not belong here: what the figures say (test_report_figures.py).
`-s` prints the figures; `--long` builds a million records (ten minutes), else a tenth of them.
"""

import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from landing.sample import land_sample
from retention import classify
from retention.code_hash import code_hash
from retention.ledger import classifications
from retention.report.report import write_report
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests import report_schema
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.rights_crowd import land_crowd

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Each person brings somewhat more than three and a half records.
LONG, SHORT = 280_000, 28_000
SECONDS = 30
BYTES = 5_000_000


@pytest.fixture(scope="module")
def crowd(
    server: Server, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Settings]:
    people = LONG if pytestconfig.getoption("--long") else SHORT
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("crowd"))
    as_of = classify.today()
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=as_of)
        land_crowd(conn, people, as_of)
        begun = classifications.begin(conn, as_of, code_hash(settings))
        conn.commit()
        classify.build(settings, as_of)
        classifications.finish(conn, begun)
    yield settings
    server.drop(name)


def test_a_million_records_are_reported_in_seconds_and_in_the_same_bytes(
    crowd: Settings, tmp_path: Path
) -> None:
    written = {}
    for name in ("one", "other"):
        settings = dataclasses.replace(crowd, state=tmp_path / name)
        shutil.copytree(crowd.dbt_target, settings.dbt_target)
        begun = time.monotonic()
        report = write_report(settings)
        seconds = time.monotonic() - begun
        folder = report.json_path.parent
        written[name] = {
            path.relative_to(folder): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        size = sum(map(len, written[name].values()))
        print(f"\n{report.document['headline']['records']} records: {seconds:.1f} s, {size} bytes")
        report_schema.check(report.document)
        assert report.document["headline"]["records"] > 3.5 * SHORT
        assert seconds < SECONDS
        assert size < BYTES
    assert written["one"] == written["other"]
