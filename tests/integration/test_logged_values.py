"""A server that would write personal values into its log is a finding, and what it says mends it."""

from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention.findings import logged_values
from retention.settings import Settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect
from tests.conftest import Server

pytestmark = pytest.mark.integration

CANARY = "kanarifugl@example.no"


def log_of(server: Server) -> str:
    home = embedded.files(server.settings)
    assert home is not None
    return (home / "log" / "server.log").read_text(encoding="utf-8", errors="replace")


def fail(settings: Settings) -> None:
    with (
        connect(settings, autocommit=True) as conn,
        pytest.raises(psycopg.errors.InvalidTextRepresentation),
    ):
        conn.execute("select %s::text::int", (CANARY,))


def test_the_embedded_server_is_set_right(settings: Settings) -> None:
    with connect(settings) as conn:
        assert list(logged_values(conn)) == []


def test_a_server_as_it_is_shipped_is_one_finding_whose_words_end_it(
    settings: Settings, conn: psycopg.Connection[Any], server: Server
) -> None:
    for name, value in {"log_min_messages": "warning", "log_statement": "all"}.items():
        conn.execute(
            sql.SQL("alter database {} set {} = {}").format(
                sql.Identifier(conn.info.dbname), sql.Identifier(name), sql.Literal(value)
            )
        )
    conn.execute(
        sql.SQL("alter database {} set log_parameter_max_length = -1").format(
            sql.Identifier(conn.info.dbname)
        )
    )
    conn.commit()
    fail(settings)
    assert CANARY in log_of(server)

    # A reader, as `retention status` is, sees it too.
    with connect(settings, role="retention_reader", read_only=True) as reader:
        (found,) = logged_values(reader)
    assert found.kind == "server_logs_values"
    assert "\n" not in found.message
    for name in ("log_min_messages", "log_parameter_max_length"):
        assert f'"{name}" = ' in found.message
    _, _, statements = found.message.partition("run: ")
    conn.execute(statements.encode())
    conn.commit()

    before = log_of(server)
    with connect(settings) as again:
        assert list(logged_values(again)) == []
    fail(settings)
    assert CANARY not in log_of(server)[len(before) :]
