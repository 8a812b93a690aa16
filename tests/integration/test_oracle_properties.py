"""The oracle judges generated lives, clustered where date arithmetic goes wrong.

Belongs here: drawing many lives with hypothesis, landing them together, classifying them once a
batch and comparing every record. Does not belong here: how a life looks (`tests/oracle/lives`).

One classification takes seconds whatever it classifies, so hypothesis only draws: the lives of a
batch are judged together afterwards. The seeds are fixed: a failing batch fails again the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from psycopg import sql

from landing.sample import land_sample
from landing.sample.tables import TABLES
from retention import classify as product
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import sample_settings
from tests.oracle import compare, policy
from tests.oracle.classify import classify
from tests.oracle.facts import read_landing
from tests.oracle.lives import PARTNERS, LifeRows, lives

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LIVES_A_BATCH = 300
POLICY_FILE = "lexly-2023-01-12.yaml"


@pytest.fixture(scope="module")
def warehouse(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A sample warehouse whose tables are emptied before each batch."""
    name = server.create()
    warehouse = sample_settings(server, name, tmp_path_factory.mktemp("lives"))
    with connect(warehouse) as connection:
        land_sample(connection, people=0, seed=1, as_of=product.today())
    yield warehouse
    server.drop(name)


@pytest.mark.parametrize(
    "as_of",
    [
        pytest.param(date(2024, 2, 29), id="leap-day"),
        pytest.param(date(2024, 3, 31), id="23-hour-day-and-easter"),
        pytest.param(date(2025, 12, 31), id="last-day-of-the-fiscal-year"),
        pytest.param(date(2026, 8, 31), id="month-end-before-a-short-february"),
    ],
)
def test_oracle_agrees_on_generated_lives(warehouse: Settings, as_of: date) -> None:
    drawn = draw_lives(as_of, LIVES_A_BATCH)
    with connect(warehouse) as connection:
        land(connection, drawn)
    product.build(warehouse, as_of)
    with connect(warehouse, read_only=True) as connection:
        landing = read_landing(connection)
        schema = f"retention{product.schema_suffix(as_of)}"
        records = compare.read_records(connection, schema)
    rules = policy.read_policy(warehouse.policy_dir / POLICY_FILE)
    result = compare.compare(classify(landing, rules, as_of), records)
    assert result.compared >= 5 * LIVES_A_BATCH
    if result.differences:
        pytest.fail(result.report(), pytrace=False)


def draw_lives(as_of: date, count: int) -> list[LifeRows]:
    """Let hypothesis draw lives; the as-of date is the seed.

    After ten examples hypothesis mostly varies what it has drawn; many short runs draw anew.
    """
    drawn: list[LifeRows] = []

    @settings(
        max_examples=10,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        drawn.append(data.draw(lives(as_of, len(drawn) + 1)))

    for run in range(count // 10):
        seed(1_000 * as_of.toordinal() + run)(collect)()
    return drawn


def land(connection: psycopg.Connection[Any], drawn: Sequence[LifeRows]) -> None:
    """Replace everything in the landing tables by these lives and the partners they name."""
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    rows["crm.partner"] = [{**partner, "_fivetran_deleted": False} for partner in PARTNERS]
    for life in drawn:
        for table, values in life.rows:
            rows[table].append(values)
    synced = datetime.now(UTC)
    connection.execute(
        sql.SQL("truncate {}").format(sql.SQL(", ").join(table.identifier for table in TABLES))
    )
    for table, given_rows in rows.items():
        columns = sorted({column for values in given_rows for column in values})
        target = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, [*columns, "_fivetran_synced"])),
        )
        with connection.cursor() as cursor, cursor.copy(target) as stream:
            for values in given_rows:
                stream.write_row([*(values.get(column) for column in columns), synced])
    connection.commit()
