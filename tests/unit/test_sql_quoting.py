"""Names and constants of generated SQL mean themselves, whatever is in them."""

import pytest

from retention.errors import UsageError
from retention.warehouse.sql import quote_identifier, quote_literal, quote_qualified


def test_a_quote_in_a_name_is_doubled() -> None:
    assert quote_identifier('a"; drop table b; --') == '"a""; drop table b; --"'


def test_schema_and_name_are_quoted_apart() -> None:
    assert quote_qualified("crm", "order") == '"crm"."order"'


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 64, "ø" * 32], ids=repr)
def test_a_name_that_postgresql_would_change_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        quote_identifier(name)


@pytest.mark.parametrize(
    ("value", "literal"),
    [("it's", "'it''s'"), ("", "''"), ("a\\'b", "E'a\\\\''b'")],
    ids=["quote", "empty", "backslash"],
)
def test_a_literal_stays_inside_its_quotes(value: str, literal: str) -> None:
    assert quote_literal(value) == literal


def test_a_literal_with_nul_is_refused() -> None:
    with pytest.raises(UsageError):
        quote_literal("a\x00")
