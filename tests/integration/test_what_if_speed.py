"""How long a trial of a policy takes.

Belongs here: the measurement. Does not belong here: whether what it says is right (test_what_if.py). `-s`
prints the figures; `--long` tries a million records (ten minutes to classify), else a tenth of them.

Half of the crowd's records are due, far more than in a warehouse that purges every night: what a purge
would take is half of the work here.
"""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from landing.sample import land_sample
from retention import classify
from retention.code_hash import code_hash
from retention.ledger import classifications
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.what_if import what_if
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.policies import edited_text, write_policy
from tests.rights_crowd import land_crowd

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Persons, of whom each has somewhat more than three and a half records, and the seconds allowed.
LONG, SHORT = (280_000, 60), (28_000, 20)


@dataclasses.dataclass(frozen=True)
class Crowd:
    settings: Settings
    people: int
    seconds: int


@pytest.fixture(scope="module")
def crowd(
    server: Server, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Crowd]:
    people, seconds = LONG if pytestconfig.getoption("--long") else SHORT
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
    yield Crowd(settings, people, seconds)
    server.drop(name)


def test_a_trial_answers_while_somebody_waits(crowd: Crowd, tmp_path: Path) -> None:
    path = write_policy(
        tmp_path,
        edited_text(
            ("version: lexly-2023-01-12", "version: tried"),
            ("value: P6M", "value: P18M"),
            ("value: P12M\n", "value: P3M\n"),
        ),
    )
    began = time.perf_counter()
    counts = what_if(crowd.settings, path)["summary"]
    took = time.perf_counter() - began
    print(f"\n{counts['records']} records tried in {took:.1f} s")
    assert counts["records"] > 3.5 * crowd.people
    assert counts["earlier"] > crowd.people
    assert counts["later"] > crowd.people // 2
    assert took < crowd.seconds
