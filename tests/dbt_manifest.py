"""A dbt manifest made by hand: models downstream, without dbt.

Belongs here: the parts of the file that the engine reads, as dbt writes them. Does not belong here: the
relations themselves; `build` makes them from the same SQL.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from retention.classify import target_path
from retention.declarations import load_declarations
from retention.declarations.facts import select_facts
from retention.settings import Settings
from retention.warehouse.roles import CLASSIFIER

#: What dbt builds belongs to this role. Until the end of the transaction.
AS_CLASSIFIER = f"set local role {CLASSIFIER}"


@dataclass(frozen=True)
class Model:
    """A model of the data team's. `reads` are the landing tables that dbt knows it to read, `meta` what
    its files say under `config.meta.retention`, `marketing` under `config.meta.marketing`, `hooks` its
    post-hooks."""

    name: str
    sql: str | None
    schema: str = "analytics"
    materialized: str = "table"
    resource_type: str = "model"
    language: str = "sql"
    reads: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    marketing: dict[str, str] = field(default_factory=dict)
    hooks: tuple[str, ...] = ()
    path: str | None = None


# What the shop's classification makes, besides a staging table for each declared one.
_OWN = (
    *(f"intermediate.int_{name}" for name in ("records_unioned", "subjects", "record_cases")),
    *(f"intermediate.int_{name}" for name in ("record_candidates", "case_fingerprints")),
    "intermediate.int_person_partners",
    *(f"intermediate.int_{name}" for name in ("assignments_decided", "person_winners")),
    "intermediate.int_record_grounds",
    *(f"intermediate.int_{name}" for name in ("leads_decided", "out_of_use", "records_decided")),
    *(f"intermediate.int_{name}" for name in ("clock", "contact_points", "record_mentions")),
    "intermediate.some_view",
    *("intermediate.int_handovers_decided", "intermediate.int_consents_decided"),
    "intermediate.int_withdrawn_records",
    "intermediate.int_returns_judged",
    *("retention.records", "retention.grounds", "retention.summary"),
    "retention.review_queue",
)
_FOLDERS = {"intermediate": "intermediate", "retention": "marts/retention"}
_OWN_SEEDS = (
    *("declared_tables", "policy_settings", "policy_rules", "policy_unattended"),
    *("policy_recipients", "policy_hindrances"),
    "policy_consent_purposes",
)


def write_manifest(settings: Settings, models: Iterable[Model] = ()) -> None:
    """Write the manifest of a classification that built these models besides the project's own."""
    listed = [*models, *_own(settings)]
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


def _own(settings: Settings) -> list[Model]:
    """The project's own models, as far as the shop makes them."""
    declarations = load_declarations(settings.declarations_dir)
    staging = [
        Model(
            table.staging_model,
            select_facts(table, f'"{table.schema_}"."{table.name}"', has_minimisable="false"),
            schema="staging",
            path=f"models/staging/generated/{table.staging_model}.sql",
        )
        for table in declarations.staged
    ]
    further = [
        Model(name, None, schema=schema, path=f"models/{_FOLDERS[schema]}/{name}.sql")
        for schema, name in (one.split(".") for one in _OWN)
    ]
    seeds = [
        Model(
            name,
            None,
            schema="policy",
            materialized="seed",
            resource_type="seed",
            path=f"seeds/generated/{name}.csv",
        )
        for name in _OWN_SEEDS
    ]
    return [*staging, *further, *seeds]


def _id(model: Model) -> str:
    return f"{model.resource_type}.shop.{model.name}"


def _node(model: Model) -> dict[str, Any]:
    return {
        "unique_id": _id(model),
        "resource_type": model.resource_type,
        "package_name": "shop",
        "original_file_path": model.path or f"models/{model.name}.sql",
        "schema": model.schema,
        "name": model.name,
        "alias": model.name,
        "language": model.language,
        "config": {
            "materialized": model.materialized,
            "meta": {
                name: said
                for name, said in (("retention", model.meta), ("marketing", model.marketing))
                if said
            },
            "post-hook": [{"sql": hook, "transaction": True} for hook in model.hooks],
            "store_failures": True if model.resource_type == "test" else None,
        },
        "compiled_code": model.sql,
        "depends_on": {"nodes": [f"source.shop.{name}" for name in model.reads]},
    }
