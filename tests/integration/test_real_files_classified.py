"""The classification runs on the real files, and accounts for every landed row.

Belongs here: population, and that nothing real is due under approvals meant for the sample. Does
not belong here: which rule a record stands under; the oracle judges that on the sample.
"""

from pathlib import Path

import pytest
from psycopg import sql

from landing.files import land_directory
from landing.marker import landing_schemas
from retention import classify
from retention.declarations import load_declarations
from retention.settings import Settings
from retention.warehouse.connection import connect

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def test_every_landed_row_of_the_real_files_is_a_record(settings: Settings) -> None:
    if not SHARED_DATA.is_dir():
        pytest.skip("the real connector files (../shared/data) are not beside this clone")
    with connect(settings) as conn:
        report = land_directory(conn, SHARED_DATA)
    classify.build(settings, classify.today())
    declarations = load_declarations(settings.declarations_dir)
    with connect(settings, read_only=True) as conn:
        records = {
            f"{schema}.{table}": count
            for schema, table, count in conn.execute(
                "select source_schema, source_table, count(*) from retention.records group by 1, 2"
            )
        }
        due = conn.execute(
            "select count(*) from retention.records where status in ('overdue', 'due_soon')"
        ).fetchone()
        landed = {table.qualified: table.rows_landed for table in report.tables}
        for name, rows in landed.items():
            table = declarations.table(name)
            assert table is not None
            assert records.get(name, 0) == (0 if table.exempt else rows), name
            target = sql.Identifier(table.schema_, table.name)
            after = conn.execute(sql.SQL("select count(*) from {}").format(target)).fetchone()
            assert after == (rows,), name
        assert {name.partition(".")[0] for name in landed} <= landing_schemas(conn)
    assert set(records) <= set(landed)
    # The policy's approvals of readings are examples: outside the sample they purge nothing.
    assert due == (0,)
