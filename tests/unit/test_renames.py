"""What a missing column may be called now, by its name.

Belongs here: names that are and are not alike. Does not belong here: what is said of them, and tables
(integration/test_schema_drift.py).
"""

import pytest

from retention.coverage.renames import column_now


@pytest.mark.parametrize(
    ("missing", "undeclared", "now"),
    [
        ("id", ["signatory_id", "colour"], "signatory_id"),
        ("received_at", ["colour", "received_on"], "received_on"),
        ("person_id", ["personid"], "personid"),
        ("received_at", ["colour"], None),
        ("received_at", [], None),
    ],
)
def test_the_most_alike_of_the_undeclared_columns_is_asked_for(
    missing: str, undeclared: list[str], now: str | None
) -> None:
    assert column_now(missing, undeclared) == now
