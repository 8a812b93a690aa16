"""The sample's tables have the shape that Fivetran gives them."""

import csv
from pathlib import Path

import pytest

from landing.names import column_names
from landing.sample.bulk import COLUMNS
from landing.sample.tables import SCHEMAS, TABLES, TABLES_BY_NAME
from landing.sample.tables.model import table

pytestmark = pytest.mark.unit

FIVETRAN = Path(__file__).resolve().parents[3] / "shared" / "data" / "fivetran"
PUBLISHED = {
    **{
        f"stripe.{name}": f"stripe/{name}_data.csv"
        for name in (
            "customer",
            "charge",
            "invoice",
            "refund",
            "payment_intent",
            "subscription_history",
        )
    },
    "twilio.call": "twilio/twilio_call_data.csv",
    "twilio.message": "twilio/twilio_message_data.csv",
    "google_analytics.event": "ga4_export/event_data.csv",
    "fivetran_log.connection": "fivetran_log/connection.csv",
    "fivetran_log.log": "fivetran_log/log.csv",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_connectors_table_has_its_published_columns_in_order(name: str) -> None:
    path = FIVETRAN / PUBLISHED[name]
    if not path.is_file():
        pytest.skip("the connectors' published files (../shared/data) are not beside this clone")
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    assert TABLES_BY_NAME[name].column_names == column_names([*header])[0]


def test_every_schema_of_the_landing_is_there() -> None:
    assert set(SCHEMAS) == {
        "crm",
        "stripe",
        "twilio",
        "scrive",
        "google_analytics",
        "new_relic",
        "aws_agreements",
        "fivetran_log",
    }


def test_every_table_has_fivetrans_system_columns() -> None:
    for one in TABLES:
        assert "_fivetran_synced" in one.column_names, one.qualified
        assert ("_fivetran_deleted" in one.column_names) == (
            one.schema == "crm" or one.qualified == "fivetran_log.connection"
        ), one.qualified


def test_the_bulk_fills_columns_that_exist_and_never_leaves_out_a_key() -> None:
    for name, columns in COLUMNS.items():
        shape = TABLES_BY_NAME[name]
        assert set(columns) <= set(shape.column_names), name
        assert set(shape.key) <= set(columns), name
        assert len(set(columns)) == len(columns), name


@pytest.mark.parametrize(
    ("columns", "key"),
    [("id bigint, x varchar", "id"), ("id bigint, id text", "id"), ("id bigint", "other")],
    ids=["a type that is not landed", "a column twice", "a key that is no column"],
)
def test_a_table_that_cannot_be_is_an_error(columns: str, key: str) -> None:
    with pytest.raises(ValueError, match="x\\.y"):
        table("x.y", columns, key=key)
