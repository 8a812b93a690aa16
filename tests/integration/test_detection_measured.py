"""Precision and recall of the scan on the labelled columns, and that the published figures are these.

Belongs here: what the scan must reach on either part. Does not belong here: what it recognises and
how; its own tests show that. Where the real files are not beside this clone, the sample alone is
measured.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from retention.warehouse.session import open_session
from tests.conftest import Server
from tests.detection import generated, measuring, publish
from tests.detection.labels import all_labels
from tests.detection.scoring import Judged, part, precision, recall

pytestmark = pytest.mark.integration

needs_files = pytest.mark.skipif(
    not measuring.SHARED_DATA.is_dir(),
    reason="the real connector files (../shared/data) are not beside this clone",
)
_LANDED = """
    select c.relnamespace::regnamespace::text, c.relname::text, a.attname::text
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
     where a.attnum > 0 and not a.attisdropped and a.attname not like '\\_fivetran\\_%%'
       and c.relnamespace::regnamespace::text = any(%s)
"""


@dataclass(frozen=True)
class Measured:
    """Everything judged; and by source the columns there are, and those that hold a value."""

    sample: list[Judged]
    files: list[Judged]
    generated: list[Judged]
    landed: dict[str, set[tuple[str, str, str]]]
    filled: dict[str, set[tuple[str, str, str]]]

    @property
    def labelled(self) -> list[Judged]:
        return self.sample + self.files


@pytest.fixture(scope="module")
def measured(server: Server) -> Iterator[Measured]:
    made: list[str] = []
    landed: dict[str, set[tuple[str, str, str]]] = {}
    filled: dict[str, set[tuple[str, str, str]]] = {}

    def judge(source: str, how: Callable[[psycopg.Connection], list[Judged]]) -> list[Judged]:
        name = server.create()
        made.append(name)
        with open_session(server.url(name)) as conn:
            judged = how(conn)
            landed[source], filled[source] = _columns(conn, {x.label.schema for x in judged})
        return judged

    yield Measured(
        judge("sample", measuring.judge_sample),
        judge("files", measuring.judge_files) if measuring.SHARED_DATA.is_dir() else [],
        judge("generated", measuring.judge_generated),
        landed,
        filled,
    )
    for name in made:
        server.drop(name)


def _columns(
    conn: psycopg.Connection, schemas: set[str]
) -> tuple[set[tuple[str, str, str]], set[tuple[str, str, str]]]:
    """The columns of the schemas, and those that hold a value other than the empty text."""
    columns = {(s, t, c) for s, t, c in conn.execute(_LANDED, (sorted(schemas),))}
    tables: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in sorted(columns):
        tables.setdefault((schema, table), []).append(column)
    filled = set()
    for name, its in tables.items():
        counts = sql.SQL(", ").join(
            sql.SQL("count(nullif({}::text, ''))").format(sql.Identifier(column)) for column in its
        )
        row = conn.execute(sql.SQL("select {} from {}").format(counts, sql.Identifier(*name)))
        filled |= {(*name, c) for c, count in zip(its, row.fetchone() or (), strict=True) if count}
    return columns, filled


@pytest.mark.parametrize("source", ["sample", pytest.param("files", marks=needs_files)])
def test_the_labels_name_every_landed_column_and_say_which_are_empty(
    measured: Measured, source: str
) -> None:
    labels = [label for label in all_labels() if label.source == source]
    assert {label.name for label in labels} == measured.landed[source]
    assert {x.name for x in labels if x.form != "empty"} == measured.filled[source]


def test_the_generated_columns_all_hold_values(measured: Measured) -> None:
    assert {label.name for label in generated.labels()} == measured.filled["generated"]


@pytest.mark.parametrize("which", ["tune", "held_out"])
def test_recall_reaches_what_was_promised_on_either_part(measured: Measured, which: str) -> None:
    judged = part(measured.labelled, which)
    assert recall(judged, "identifier").value >= 0.98, recall(judged, "identifier")
    assert recall(judged, "name_or_address").value >= 0.9, recall(judged, "name_or_address")


def test_precision_reaches_what_was_promised(measured: Measured) -> None:
    """Over both parts; what it is on each is published (docs/detection.md)."""
    assert precision(measured.labelled).value >= 0.95, precision(measured.labelled)


@needs_files
def test_the_published_figures_are_the_measured_ones(measured: Measured) -> None:
    tables = publish.tables(measured.labelled, measured.generated, final=True)
    assert publish.published() == tables
