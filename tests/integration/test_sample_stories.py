"""Each story of the sample comes out of the classification as it is told.

Belongs here: setting the stories' own expectations against `retention.records`. Does not belong
here: the cases, which stand in `landing.sample.stories`, and the unnamed many, whom the oracle
judges.
"""

from collections.abc import Mapping
from datetime import date

import pytest

from landing.sample.scene import Ref
from landing.sample.stories import STORIES, TABLES_WITH_PERSONAL_KEYS, Story
from retention.warehouse.connection import connect
from tests.integration.conftest import SAMPLE_SEED, ClassifiedSample

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Line = tuple[str, str, date | None]


@pytest.fixture(scope="module")
def records(classified_sample: ClassifiedSample) -> Mapping[Ref, Line]:
    """Category, status and last day of every record, by table and key."""
    with connect(classified_sample.settings, read_only=True) as conn:
        return {
            (f"{schema}.{table}", key): (category, status, last_day)
            for schema, table, key, category, status, last_day in conn.execute(
                "select source_schema, source_table, record_key, category, status, last_day"
                " from retention.records"
            )
        }


@pytest.fixture(scope="module")
def due_soon_days(classified_sample: ClassifiedSample) -> int:
    with connect(classified_sample.settings, read_only=True) as conn:
        row = conn.execute("select due_soon_days from policy.policy_settings").fetchone()
    assert row is not None
    return int(row[0])


def _shown(ref: Ref, classified_sample: ClassifiedSample) -> Ref:
    """The key as `retention.records` shows it: hashed where it is itself personal."""
    table, key = ref
    if table not in TABLES_WITH_PERSONAL_KEYS:
        return ref
    with connect(classified_sample.settings, read_only=True) as conn:
        row = conn.execute("select sletteplikt.link_hash('key', %s)", (key,)).fetchone()
    assert row is not None
    return table, row[0]


@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_a_story_ends_as_it_is_told(
    story: Story,
    classified_sample: ClassifiedSample,
    records: Mapping[Ref, Line],
    due_soon_days: int,
) -> None:
    told = story.tell(classified_sample.as_of, SAMPLE_SEED, due_soon_days)
    shown = {ref: _shown(ref, classified_sample) for ref in told.expected}
    found = {ref: records[shown[ref]] for ref in told.expected}
    outcomes = {ref: (category, status) for ref, (category, status, _) in found.items()}
    assert outcomes == told.expected, story.case
    assert {ref: found[ref][2] for ref in told.last_days} == told.last_days, story.case
