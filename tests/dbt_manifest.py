"""A dbt manifest made by hand: models downstream, without dbt.

Belongs here: the parts of the file that the engine reads, as dbt writes them. Does not belong here: the
relations themselves; `build` makes them from the same SQL.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from retention.classify import target_path
from retention.settings import Settings
from retention.warehouse.roles import CLASSIFIER

#: What dbt builds belongs to this role. Until the end of the transaction.
AS_CLASSIFIER = f"set local role {CLASSIFIER}"


@dataclass(frozen=True)
class Model:
    """A model of the data team's. `reads` are the landing tables that dbt knows it to read."""

    name: str
    sql: str | None
    schema: str = "analytics"
    materialized: str = "table"
    resource_type: str = "model"
    language: str = "sql"
    reads: tuple[str, ...] = ()


def write_manifest(settings: Settings, models: Iterable[Model] = ()) -> None:
    """Write the manifest of a classification that built these models besides the project's own."""
    listed = list(models)
    sources = {name for model in listed for name in model.reads}
    path = target_path(settings) / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "nodes": {_id(model): _node(model) for model in listed},
                "sources": {
                    f"source.shop.{name}": {
                        "unique_id": f"source.shop.{name}",
                        "schema": name.split(".")[0],
                        "name": name.split(".")[1],
                        "identifier": name.split(".")[1],
                    }
                    for name in sources
                },
            }
        )
    )


def build(conn: psycopg.Connection[Any], models: Iterable[Model]) -> None:
    """Make the relations as dbt would, each from its SQL."""
    kinds = {"view": "view", "materialized_view": "materialized view"}
    conn.execute(AS_CLASSIFIER)
    for model in models:
        conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(model.schema)))
        conn.execute(
            sql.SQL("create {} {} as {}").format(
                sql.SQL(kinds.get(model.materialized, "table")),
                sql.Identifier(model.schema, model.name),
                sql.SQL(model.sql or "select 1 as one"),
            )
        )
    conn.commit()


def _id(model: Model) -> str:
    return f"{model.resource_type}.shop.{model.name}"


def _node(model: Model) -> dict[str, Any]:
    return {
        "unique_id": _id(model),
        "resource_type": model.resource_type,
        "package_name": "shop",
        "original_file_path": f"models/{model.name}.sql",
        "schema": model.schema,
        "name": model.name,
        "alias": model.name,
        "language": model.language,
        "config": {"materialized": model.materialized},
        "compiled_code": model.sql,
        "depends_on": {"nodes": [f"source.shop.{name}" for name in model.reads]},
    }
