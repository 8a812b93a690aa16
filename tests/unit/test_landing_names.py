"""What landed schemas, tables and columns are called."""

from pathlib import Path

import pytest

from landing.csv_reader import BrokenFile, Fields
from landing.names import column_names, schema_name, table_name
from retention.errors import UsageError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("schema", "file", "expected"),
    [
        ("stripe", "charge_data.csv", "charge"),
        ("stripe", "discount_data_postgres.csv", "discount_postgres"),
        ("twilio", "twilio_call_data_snowflake.csv", "call_snowflake"),
        ("xero", "xero_invoice_data.csv", "invoice"),
        ("fivetran_log", "log_json_data.csv", "log_json"),
        ("pagila", "rental.csv", "rental"),
        ("crm", "customer_database.csv", "customer_database"),
        ("crm", "Kunde liste.CSV", "kunde_liste"),
        ("crm", "data.csv", "data"),
        ("crm", "crm_.csv", "crm_"),
    ],
)
def test_a_table_is_named_after_its_file(schema: str, file: str, expected: str) -> None:
    assert table_name(schema, Path(file)) == expected


def test_a_table_name_that_postgresql_would_cut_is_a_fault() -> None:
    with pytest.raises(BrokenFile):
        table_name("crm", Path("x" * 64 + ".csv"))


@pytest.mark.parametrize(
    "name", ["ledger", "retention", "staging", "policy", "public", "pg_temp", "information_schema"]
)
def test_our_own_schemas_are_not_for_landing(name: str) -> None:
    with pytest.raises(UsageError):
        schema_name(Path(name))
    with pytest.raises(UsageError):
        schema_name(Path("stripe"), name)


@pytest.mark.parametrize("name", ["", "Stripe", "a b", "x" * 64])
def test_a_schema_asked_for_must_be_a_plain_name(name: str) -> None:
    with pytest.raises(UsageError):
        schema_name(Path("stripe"), name)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(['"END"', '"FROM"'], ("end", "from"), id="embedded quotes"),
        pytest.param(["index", "from", "interval"], ("index", "from", "interval"), id="reserved"),
        pytest.param(["a", "b", "a", "a"], ("a", "b", "a_2", "a_3"), id="a name twice"),
        pytest.param(["a", "a", "a_2"], ("a", "a_3", "a_2"), id="a given name comes first"),
        pytest.param(["ID", "id"], ("id", "id_2"), id="the same but for capitals"),
        pytest.param(["a", None, ""], ("a", "column_2", "column_3"), id="no name"),
        pytest.param(["ctid", "xmin"], ("ctid_2", "xmin_2"), id="PostgreSQL's own"),
        pytest.param(["Beløp (NOK)", " Navn "], ("beløp_nok", "navn"), id="signs"),
        pytest.param(["x" * 70, "x" * 71], ("x" * 63, "x" * 61 + "_2"), id="too long, and twice"),
    ],
)
def test_columns_are_named_after_the_header(header: Fields, expected: tuple[str, ...]) -> None:
    names, renamed = column_names(header)
    assert names == expected
    changed = {p for p, (old, new) in enumerate(zip(header, names, strict=True), 1) if old != new}
    assert {column.position for column in renamed} == changed


@pytest.mark.parametrize(
    "header",
    [
        pytest.param([None], id="blank"),
        pytest.param(["id;name;email"], id="semicolons"),
        pytest.param(["id\tname"], id="tabs"),
        pytest.param(["1", "kari@example.no"], id="an address"),
        pytest.param(["1", "4791234567"], id="a number"),
        pytest.param(["1", "2022-01-01 10:00:00"], id="a date"),
    ],
)
def test_a_first_line_without_column_names_is_a_fault(header: Fields) -> None:
    """A header that is data would put personal values into names, which are printed."""
    with pytest.raises(BrokenFile) as raised:
        column_names(header)
    assert raised.value.line == 1
    assert "kari" not in str(raised.value)
