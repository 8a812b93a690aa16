"""The report of a past day made again by the models, on the sample's named cases.

Belongs here: that a replay gives what the day gave, and that what touched records since is found by every
kind of key. Does not belong here: the causes one by one (test_report_history.py).
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
from psycopg import sql

from retention import classify
from retention.declarations import load_declarations
from retention.report.history import compare, keep
from retention.report.history.causes import find_report, touched_since
from retention.report.report import write_report
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import ClassifiedSample

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def replayed(
    told_stories: ClassifiedSample, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClassifiedSample]:
    """A copy of the sample whose report of the day was kept; on the next day a hold was released and a
    record decided on, and the day was classified again."""
    name = server.create(template=str(told_stories.settings.database_url).rpartition("/")[2])
    state = tmp_path_factory.mktemp("replayed") / "state"
    shutil.copytree(told_stories.settings.state, state)
    settings = dataclasses.replace(
        told_stories.settings, state=state, database_url=server.url(name)
    )
    written = write_report(settings)
    assert keep(settings, written.document, written.json_path).is_new
    day = told_stories.as_of
    with connect(settings) as conn:
        conn.execute(
            "update ledger.blockers set released_at = now() + interval '1 day', released_by = 'x'"
            " where kind = 'hold'"
        )
        conn.execute(
            "insert into ledger.review_decisions"
            " (source_schema, source_table, record_key, decision, reason, decided_at)"
            " select source_schema, source_table, record_key, 'purge', 'r', now() + interval '1 day'"
            " from retention.records where status = 'review' limit 5"
        )
        # The classification in force is the next day's.
        conn.execute("update intermediate.int_clock set as_of = as_of + 1")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(classify, "today", lambda: day + timedelta(days=1))
        classify.build(settings, day)
    yield ClassifiedSample(settings, day, told_stories.rows)
    server.drop(name)


def test_the_day_made_again_agrees_with_the_report_kept_then(replayed: ClassifiedSample) -> None:
    found = compare(replayed.settings, replayed.as_of)
    assert found["is_replay"]
    assert found["agrees"], json.dumps(found, indent=1)[:6000]


def test_a_replay_is_written_beside_the_days_own_report_and_not_kept(
    replayed: ClassifiedSample,
) -> None:
    written = write_report(replayed.settings, replayed.as_of)
    assert written.json_path.parent.name == "replay"
    assert (written.json_path.parent.parent / written.json_path.name).is_file()
    assert not keep(replayed.settings, written.document, written.json_path).is_kept


def test_rows_loaded_since_are_found_by_every_kind_of_key(replayed: ClassifiedSample) -> None:
    tables = [
        table
        for table in load_declarations(replayed.settings.declarations_dir).governed
        if table.key
    ]
    suffix = f"_as_of_{replayed.as_of:%Y%m%d}"
    with connect(replayed.settings) as conn:
        landed = {
            row[0]: row[1]
            for row in conn.execute(
                sql.SQL(
                    "select source_schema || '.' || source_table, count(*) from {} group by 1"
                ).format(sql.Identifier(f"retention{suffix}", "records"))
            ).fetchall()
        }
        stamped = set()
        for table in tables:
            if _is_stamped(replayed.settings, table.schema_, table.name):
                stamped.add(table.qualified)
                conn.execute(
                    sql.SQL("update {} set _fivetran_synced = '2099-01-01'").format(
                        sql.Identifier(table.schema_, table.name)
                    )
                )
        kept = find_report(conn, replayed.as_of)
        assert kept is not None
        touched = touched_since(conn, kept, suffix)
        conn.rollback()
    loaded = {table: 0 for table in landed if table in stamped}
    for one in touched:
        if one.cause == "loaded":
            loaded[one.table] += one.records
    assert loaded
    assert loaded == {table: landed[table] for table in loaded}


def _is_stamped(settings: Settings, schema: str, table: str) -> bool:
    with connect(settings) as conn:
        row = conn.execute("select ledger.is_stamped(%s, %s)", (schema, table)).fetchone()
    return bool(row and row[0])
