"""Quoting for SQL that is built as text (generated dbt models, catalogue-driven statements).

Belongs here: identifiers and the few literals that generated files need. Does not belong here:
values of a statement that we run ourselves; those are bound (`%s`), and identifiers there go
through `psycopg.sql.Identifier`.
"""

from retention.errors import UsageError

# PostgreSQL cuts a longer identifier silently, and two names may then become the same.
MAX_IDENTIFIER_BYTES = 63


def quote_identifier(name: str) -> str:
    """Return `name` as a double-quoted SQL identifier. Raises UsageError for a name PostgreSQL
    could not hold (empty, with a NUL character, or longer than 63 bytes)."""
    if not name or "\x00" in name or len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise UsageError(
            f"{name!r} is no PostgreSQL identifier: use 1 to {MAX_IDENTIFIER_BYTES} bytes, no NUL"
        )
    return '"' + name.replace('"', '""') + '"'


def quote_qualified(schema: str, name: str) -> str:
    """Return `"schema"."name"`. Raises UsageError as `quote_identifier` does."""
    return f"{quote_identifier(schema)}.{quote_identifier(name)}"


def quote_literal(value: str) -> str:
    """Return `value` as a SQL string literal, for constants of generated files (a declared enum
    value, a rule id). Raises UsageError when it holds a NUL character, which no text value may."""
    if "\x00" in value:
        raise UsageError("a NUL character cannot stand in a SQL literal: remove it")
    quoted = "'" + value.replace("'", "''") + "'"
    # With a backslash the plain form depends on standard_conforming_strings; the E form does not.
    return "E" + quoted.replace("\\", "\\\\") if "\\" in value else quoted
