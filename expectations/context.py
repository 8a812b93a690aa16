"""Great Expectations, running: an ephemeral context on the warehouse, as a reader.

Belongs here: the context, the connection it uses, and validating a suite. Does not belong here: what a
suite demands (`suites`) and what a result means (`results`).

The session is the same as everywhere (UTC), takes the role `retention_reader`, and is read-only. Results
are asked for without values. Nothing is written to disk, and nobody is told that it ran.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# Read once, at import.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.core import ExpectationSuite
from great_expectations.core.expectation_validation_result import (
    ExpectationValidationResult,
)
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.interfaces import TestConnectionError
from psycopg import conninfo
from sqlalchemy import URL

from retention.warehouse.roles import READER

# BASIC carries a list of failing values, unless that list may hold none.
RESULT_FORMAT: Mapping[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}

_OPTIONS = (
    f"-c role={READER} -c default_transaction_read_only=on"
    " -c application_name=retention -c TimeZone=UTC"
)

# A failing metric is logged with the server's words, which may quote a value.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


@contextmanager
def warehouse_source(url: str) -> Iterator[Any]:
    """Yield a data source on the warehouse, read-only and as the reader; closed afterwards."""
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            # No folder for Data Docs: they load parts from outside, and nobody reads them.
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    source = context.data_sources.add_postgres(
        "warehouse", connection_string=reader_url(url), create_temp_table=False
    )
    try:
        yield source
    finally:
        source.get_engine().dispose()


def validate(
    source: Any, schema: str, mart: str, suite: ExpectationSuite
) -> dict[str, ExpectationValidationResult]:
    """Validate one mart; the results by the name of their check, none where there is no such mart."""
    try:
        asset = source.add_table_asset(mart, table_name=mart, schema_name=schema)
    except TestConnectionError:
        return {}
    batch = asset.add_batch_definition_whole_table(mart).get_batch()
    validated = batch.validate(suite, result_format=dict(RESULT_FORMAT))
    return {
        str(result.expectation_config.meta["check"]): result
        for result in validated.results
        if result.expectation_config is not None and result.expectation_config.meta
    }


def reader_url(url: str) -> str:
    """The SQLAlchemy URL of a reading, read-only session on the warehouse behind a libpq URL."""
    parts = {
        key: str(value)
        for key, value in conninfo.conninfo_to_dict(url).items()
        if value is not None
    }
    host = parts.pop("host", "127.0.0.1")
    query = {"options": _OPTIONS}
    if host.startswith("/"):
        # A socket's folder is no host name: Great Expectations wants one in the URL.
        query["host"], host = host, "localhost"
    for own in ("options", "application_name"):
        parts.pop(own, None)
    made = URL.create(
        "postgresql+psycopg",
        username=parts.pop("user", None),
        password=parts.pop("password", None),
        host=host,
        port=int(parts.pop("port", "5432")),
        database=parts.pop("dbname", None),
        query={**parts, **query},
    )
    return made.render_as_string(hide_password=False)
