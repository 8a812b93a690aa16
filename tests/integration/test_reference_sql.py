"""docs/reference/sql.md is what the database says of itself, and says something of everything."""

from typing import Any

import psycopg

from docs.generate.__main__ import FOLDER, SQL_PAGE
from docs.generate.sql_objects import page, undescribed


def test_the_page_is_what_the_database_says_of_itself(conn: psycopg.Connection[Any]) -> None:
    again = (
        "docs/reference/sql.md is behind the SQL: run `make reference`, and look at the difference"
    )
    assert (FOLDER / SQL_PAGE).read_text(encoding="utf-8") == page(conn), again


def test_nothing_that_people_may_use_is_without_a_word(conn: psycopg.Connection[Any]) -> None:
    assert undescribed(conn) == [], "say it in functions/42_comments.sql, or above the function"


def test_a_column_without_a_word_is_named(conn: psycopg.Connection[Any]) -> None:
    conn.execute("comment on column ledger.audit_plans.digest is null")
    conn.execute("comment on function ledger.today() is null")
    assert undescribed(conn) == ["ledger.audit_plans.digest", "ledger.today()"]
