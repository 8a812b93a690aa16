"""Fixtures for whole classifications: the sample, landed and classified once for all who read it.

Belongs here: expensive states that several tests look at and none changes. Does not belong here:
the server and empty databases (the conftest above this one).
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from landing.sample import land_sample
from retention import classify, holds
from retention.code_hash import code_hash
from retention.ledger import classifications
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.erasures import Officer, drop_officer, make_officer
from tests.factories import Shop, open_shop
from tests.logins import Logins

#: With the stories around them these bring somewhat more than 20,000 records.
SAMPLE_PEOPLE = 1_150
SAMPLE_SEED = 20_230_112


#: Persons of overdue cases, each with the blocker that `told_stories` places on them.
BLOCKED: dict[holds.Kind, str] = {
    "hold": "crm.person:500",
    "restriction": "crm.person:50",
    "lock": "crm.person:420",
}


@dataclass(frozen=True)
class ClassifiedSample:
    """A sample warehouse with its classification. Read it, never write to it."""

    settings: Settings
    as_of: date
    rows: int


@pytest.fixture(scope="session")
def classified_sample(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClassifiedSample]:
    """The sample as of today, landed and classified in a database of its own."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("classified-sample"))
    as_of = classify.today()
    with connect(settings) as connection:
        summary = land_sample(connection, people=SAMPLE_PEOPLE, seed=SAMPLE_SEED, as_of=as_of)
    classify.build(settings, as_of)
    yield ClassifiedSample(settings, as_of, summary.total)
    server.drop(name)


@pytest.fixture(scope="session")
def told_stories(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClassifiedSample]:
    """The sample's named cases alone, with a hold, a restriction and a lock, classified as the job
    does. Read it, never write to it."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("told-stories"))
    as_of = classify.today()
    with connect(settings) as connection:
        summary = land_sample(connection, people=0, seed=SAMPLE_SEED, as_of=as_of)
        for person in BLOCKED.values():
            # What a classification does; a hold names a person who has a token.
            connection.execute("insert into ledger.subject_tokens values (%s)", (person,))
        begun = classifications.begin(connection, as_of, code_hash(settings))
    for kind, person in BLOCKED.items():
        holds.place(
            settings,
            kind=kind,
            scope="subject",
            target=person,
            reason="a reason that may name Kari Nordmann",
            authority="a test",
            until_on=as_of if kind == "lock" else None,
        )
    classify.build(settings, as_of)
    with connect(settings) as connection:
        classifications.finish(connection, begun)
    yield ClassifiedSample(settings, as_of, summary.total)
    server.drop(name)


def sample_settings(server: Server, database: str, folder: Path) -> Settings:
    """Settings for one database of the throwaway server, with a state folder of their own."""
    return dataclasses.replace(
        server.settings, state=folder / "state", database_url=server.url(database)
    )


@pytest.fixture
def shop(settings: Settings, approver_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A small warehouse with a table of each kind, empty."""
    opened = open_shop(settings, approver_url, tmp_path / "shop")
    yield opened
    opened.conn.close()


@pytest.fixture
def officer(shop: Shop) -> Iterator[Officer]:
    """A login that may answer requests in the shop."""
    made = make_officer(shop.conn, shop.settings, f"{shop.conn.info.dbname}_officer")
    yield made
    drop_officer(shop.conn, made)


@pytest.fixture
def logins(shop: Shop) -> Iterator[Logins]:
    """A login for each role of the shop's database."""
    made = Logins(shop.settings, shop.conn.info.dbname)
    made.make(shop.conn)
    yield made
    made.drop(shop.conn)
