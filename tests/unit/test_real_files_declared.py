"""Every table and column of the real connector files is declared, and every declared key is unique.

Belongs here: the declarations against the files themselves, without a database. Does not belong
here: what the declarations lead to.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from landing.csv_reader import read_records
from landing.load import read_shape
from landing.names import schema_name, table_name
from retention.declarations import Declarations, load_declarations

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
SHARED_DATA = ROOT.parent / "shared" / "data"
SCHEMAS = {"fivetran_log", "ga4_export", "pagila", "stripe", "twilio", "xero"}
# The sample lands these; of the same connectors it lands nothing else.
ALSO_IN_SAMPLE = {
    "fivetran_log.connection",
    "fivetran_log.log",
    "stripe.charge",
    "stripe.customer",
    "stripe.invoice",
    "stripe.payment_intent",
    "stripe.refund",
    "stripe.subscription_history",
    "twilio.call",
    "twilio.message",
}


@pytest.fixture(scope="module")
def declarations() -> Declarations:
    return load_declarations(ROOT / "dbt_project" / "models" / "staging")


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    """Qualified table name → the file it lands from."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real connector files (../shared/data) are not beside this clone")
    return dict(_tables())


def _tables() -> Iterator[tuple[str, Path]]:
    for path in sorted(SHARED_DATA.rglob("*.csv")):
        schema = schema_name(path.parent)
        yield f"{schema}.{table_name(schema, path)}", path


def test_every_file_is_declared_and_every_declaration_has_its_file(
    declarations: Declarations, files: dict[str, Path]
) -> None:
    declared = {table.qualified for table in declarations.tables if table.schema_ in SCHEMAS}
    assert declared == set(files)


def test_every_table_says_what_it_holds(declarations: Declarations) -> None:
    of_files = [table for table in declarations.tables if table.schema_ in SCHEMAS]
    assert [table.qualified for table in of_files if not table.description] == []
    assert [table.qualified for table in of_files if not table.owner] == []


def test_every_column_is_personal_or_harmless_or_read(
    declarations: Declarations, files: dict[str, Path]
) -> None:
    wrong: dict[str, set[str]] = {}
    for name, path in files.items():
        table = declarations.table(name)
        assert table is not None
        if table.exempt:
            continue
        landed, declared = _own(read_shape(path).columns), _own(table.columns_declared)
        if landed != declared:
            wrong[name] = landed ^ declared
    assert wrong == {}


def _own(columns: tuple[str, ...] | frozenset[str]) -> set[str]:
    """The columns that are the source's; the connector's own need no declaration."""
    return {column for column in columns if not column.startswith("_fivetran_")}


def test_every_declared_key_is_unique_in_its_file(
    declarations: Declarations, files: dict[str, Path]
) -> None:
    doubled = []
    for name, path in files.items():
        table = declarations.table(name)
        assert table is not None
        if table.exempt:
            continue
        assert table.key, f"{name} has no key: its rows could not be purged"
        columns = read_shape(path).columns
        places = [columns.index(column) for column in table.key]
        _, *rows = [fields for _, fields in read_records(path)]
        keys = Counter(tuple(fields[place] for place in places) for fields in rows)
        if any(count > 1 for count in keys.values()):
            doubled.append(name)
    assert doubled == []


def test_only_what_the_sample_lands_must_be_there(declarations: Declarations) -> None:
    """A connector's table that was never synced is no finding; a whole connector may be absent."""
    required = {
        table.qualified
        for table in declarations.tables
        if table.schema_ in SCHEMAS and not (table.optional or table.schema_optional)
    }
    assert required == ALSO_IN_SAMPLE
