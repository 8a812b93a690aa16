"""What is found of a person, recomputed from the landing tables by code that shares nothing with it.

Belongs here: the finder against the oracle's own links, over every landing table of the sample. Does not
belong here: single cases of finding (test_find_person.py), and what stands in a package
(test_rights_stories.py).
"""

from collections import defaultdict

import pytest

from retention.rights.find import find_person
from retention.warehouse.connection import connect
from tests.integration.conftest import ClassifiedSample
from tests.oracle.facts import read_landing
from tests.oracle.population import gather
from tests.oracle.tables import TABLES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Ref = tuple[str, str]

#: Persons of the unnamed many that are looked at besides those of the stories.
EVERY = 10


@pytest.fixture(scope="module")
def theirs(classified_sample: ClassifiedSample) -> dict[str, tuple[set[Ref], set[Ref]]]:
    """Of each person, the records that are certainly hers and those that may be."""
    with connect(classified_sample.settings, read_only=True) as conn:
        landing = read_landing(conn)
    people = gather(landing, classified_sample.as_of)
    found: dict[str, tuple[set[Ref], set[Ref]]] = defaultdict(lambda: (set(), set()))
    for table in TABLES:
        for row in landing.rows[table.name]:
            ref = (table.name, row.record_key)
            candidates = people.candidates(table.name, row)
            for person in candidates:
                found[person][len(candidates) > 1].add(ref)
    return found


def test_no_record_is_missed_and_none_is_anothers(
    classified_sample: ClassifiedSample, theirs: dict[str, tuple[set[Ref], set[Ref]]]
) -> None:
    with connect(classified_sample.settings, read_only=True) as conn:
        ids = [
            str(person)
            for (person,) in conn.execute(
                "select id from crm.person where id < 1000 or id %% %s = 0 order by id", (EVERY,)
            )
        ]
        assert len(ids) > 150
        wrong = {}
        records = 0
        for number in ids:
            person = find_person(conn, classified_sample.settings, f"crm.person:{number}")
            found = {(one.table, one.record_key) for one in person.records}
            certain, perhaps = theirs[number]
            records += len(found)
            asked = {(one.table, one.record_key) for one in person.candidates}
            if found != certain or not perhaps <= asked:
                wrong[number] = (found ^ certain, perhaps - asked)
    assert wrong == {}
    assert records > 1_000
