"""One person of a million found in under two seconds, a thousand erasures decided in under a minute.

Belongs here: the measurements, each beside the least that reading the same records by an index costs. Does
not belong here: whether what is found and decided is right (test_find_person.py, test_rights_stories.py).
`-s` prints the figures; `--long` builds a million persons (ten minutes), else a tenth of them.
"""

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from landing.sample import land_sample
from retention import classify
from retention.code_hash import code_hash
from retention.ledger import classifications
from retention.rights import register
from retention.rights.find import find_by_contact, find_person
from retention.rights.intake import take_in
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.rights_crowd import FIRST, land_crowd

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LONG, SHORT = 1_000_000, 100_000
FIND_SECONDS, DECIDE_SECONDS = 2, 60
ROUNDS = 7
REQUESTS = 1_000


@dataclasses.dataclass(frozen=True)
class Crowd:
    settings: Settings
    officer: Settings
    conn: psycopg.Connection[Any]
    people: int

    def tokens(self) -> list[UUID]:
        """Persons from all over the crowd."""
        step = self.people // ROUNDS
        return [
            token
            for (token,) in self.conn.execute(
                "select subject_token from ledger.subject_tokens where subject_id = any(%s)",
                ([f"crm.person:{FIRST + 1 + n * step}" for n in range(ROUNDS)],),
            )
        ]


@pytest.fixture(scope="module")
def crowd(
    server: Server, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Crowd]:
    people = LONG if pytestconfig.getoption("--long") else SHORT
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("crowd"))
    officer = dataclasses.replace(settings, database_url=server.approver_url(name))
    as_of = classify.today()
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=as_of)
        rows = land_crowd(conn, people, as_of, asking=REQUESTS)
        begun = classifications.begin(conn, as_of, code_hash(settings))
        conn.commit()
        seconds = _seconds(lambda: classify.build(settings, as_of))
        classifications.finish(conn, begun)
        conn.commit()
        print(f"\n{people} persons, {rows} records classified in {seconds:.0f} s")
        yield Crowd(settings, officer, conn, people)
    server.drop(name)


def test_a_person_is_found_in_under_two_seconds(crowd: Crowd) -> None:
    conn = crowd.conn
    tokens = crowd.tokens()
    assert len(tokens) == ROUNDS
    floor = _median(
        lambda token: conn.execute(
            "select * from intermediate.int_record_cases where subject_token = %s", (token,)
        ).fetchall(),
        tokens,
    )
    found = {"by token": _median(lambda one: find_person(conn, crowd.settings, one), tokens)}
    found["by e-mail"] = _median(
        lambda n: [
            find_person(conn, crowd.settings, one)
            for one in find_by_contact(conn, "email", f" MANGE{n}@example.org")
        ],
        range(7, 7 + ROUNDS),
    )
    for way, seconds in found.items():
        print(f"{way}: {seconds:.3f} s, {seconds / floor:.0f} times its rows by index")
    (one,) = find_by_contact(conn, "email", " MANGE7@example.org")
    assert len(find_person(conn, crowd.settings, one).records) >= 3
    assert max(found.values()) < FIND_SECONDS


def test_a_thousand_erasures_are_decided_in_under_a_minute(crowd: Crowd) -> None:
    conn = crowd.conn
    taken = _seconds(lambda: take_in(crowd.settings))
    with register.as_officer(crowd.officer, "verifying a thousand") as officer:
        officer.execute(
            "select ledger.verify_identity(request_id, 'identity_document') from ledger.requests"
            " where asserted = 'erasure' and state = 'received' and subject_token is not null"
        )
    requests = [
        request
        for (request,) in conn.execute(
            "select request_id from ledger.requests where state = 'identity_verified'"
        )
    ]
    conn.commit()
    assert len(requests) >= REQUESTS
    floors, decisions, decided = [], [], 0
    for last in (False, False, True):
        started = time.perf_counter()
        conn.execute(
            "select count(cases.inputs_hash) from ledger.requests inner join"
            " intermediate.int_record_cases as cases using (subject_token)"
            " where request_id = any(%s)",
            (requests,),
        )
        floors.append(time.perf_counter() - started)
        conn.commit()
        with register.as_officer(crowd.officer, "deciding a thousand") as officer:
            started = time.perf_counter()
            row = officer.execute("select ledger.decide_erasures(%s)", (requests,)).fetchone()
            if last:
                officer.commit()
            decisions.append(time.perf_counter() - started)
            officer.rollback()
        assert row is not None
        decided = row[0]
    middle, floor = statistics.median(decisions), statistics.median(floors)
    print(
        f"{len(requests)} requests: taken in {taken:.1f} s; {decided} records decided in {middle:.1f} s"
        f" (at worst {max(decisions):.1f} s), {middle / floor:.0f} times their rows by index"
    )
    assert decided >= 3 * len(requests)
    assert max(decisions) < DECIDE_SECONDS


def _median(step: Callable[[Any], object], over: Any) -> float:
    return statistics.median(_seconds(lambda one=one: step(one)) for one in over)


def _seconds(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
