"""dbt's own description of the models, for the pages: from the manifest that is there already.

Belongs here: what of the manifest is shown, a catalog of the columns, and dbt's page made to ask nobody
else. Does not belong here: serving it (`retention.pages`).

`dbt docs generate` would parse the project again, and shows everything: paths of this machine, compiled
SQL, test fixtures. Here only named keys pass, and the catalog holds names and types: no statistics, no
value.
"""

import json
import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from retention import state
from retention.files import replace_text
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

# Of a node, what dbt's page reads. Not: what dbt compiled, where files lie on this machine, when and by
# whom it ran, and the arguments of tests, which are literals.
_OF_NODE = (
    *("unique_id", "name", "resource_type", "package_name", "path", "original_file_path", "fqn"),
    *("database", "schema", "alias", "identifier", "source_name", "source_description", "loader"),
    *("description", "columns", "meta", "tags", "docs", "patch_path", "language", "access"),
    *("raw_code", "depends_on", "version", "column_name", "label"),
)
_OF_CONFIG = ("materialized", "enabled", "tags", "meta")
_OF_MACRO = ("unique_id", "name", "package_name", "original_file_path", "description", "arguments")
_OF_METADATA = ("dbt_schema_version", "dbt_version", "project_name", "adapter_type")

_SCRIPT, _END = '<script defer="defer">', "</script>"
# dbt's build left the call in where an address should stand: the browser would ask for it.
_ICON = "${require('./assets/favicons/favicon.ico')}"

_COLUMNS = """
    select relation.relnamespace::regnamespace::text as schema, relation.relname as name,
           case relation.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW'
                else 'BASE TABLE' end as type,
           json_agg(json_build_object('name', attname, 'index', attnum,
                    'type', format_type(atttypid, atttypmod)) order by attnum) as columns
    from pg_catalog.pg_class as relation
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = relation.oid
    where relation.relkind in ('r', 'p', 'v', 'm', 'f') and attnum > 0 and not attisdropped
      and relation.relnamespace = any(select oid from pg_catalog.pg_namespace where nspname = any(%s))
    group by relation.oid, relation.relnamespace, relation.relname, relation.relkind
"""


_log = logging.getLogger(__name__)


def write_dbt_docs(settings: Settings) -> None:
    """Write dbt's page with what it reads into the state folder, for the classification in force.

    Of another version of dbt, whose page has another form, there is none: a warning says so, since no
    classification fails for want of a description. Raises WarehouseError where columns cannot be read.
    """
    parts = _page()
    if parts is None:
        _log.warning(
            "dbt's page has another form than in the version that the lock names: not shown"
        )
        return
    page, script = parts
    manifest = json.loads((settings.dbt_target / "manifest.json").read_text(encoding="utf-8"))
    shown = shown_manifest(manifest)
    folder = state.make_folder(settings.state / "pages") / "dbt"
    for name, text in (
        ("index.html", page),
        ("main.js", script),
        ("manifest.json", json.dumps(shown, ensure_ascii=False)),
        ("catalog.json", json.dumps(_catalog(settings, shown), ensure_ascii=False)),
    ):
        replace_text(folder / name, text)


def shown_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What of dbt's manifest is shown: by named keys, and only this project's macros."""
    project = manifest["metadata"]["project_name"]
    nodes = {key: _node(node) for key, node in manifest["nodes"].items()}
    sources = {key: _node(node) for key, node in manifest["sources"].items()}
    known = {*nodes, *sources}
    return {
        # The switch that lets dbt's page send to its makers what is looked at.
        "metadata": {
            **_only(manifest["metadata"], _OF_METADATA),
            "send_anonymous_usage_stats": False,
        },
        "nodes": nodes,
        "sources": sources,
        "macros": {
            key: {**_only(macro, _OF_MACRO), "macro_sql": "", "depends_on": {"macros": []}}
            for key, macro in manifest["macros"].items()
            if macro["package_name"] == project
        },
        "docs": {},
        **{
            kind: {}
            for kind in (
                *("exposures", "metrics", "groups", "selectors", "disabled", "saved_queries"),
                *("semantic_models", "unit_tests", "functions"),
            )
        },
        **{
            kind: {
                key: [one for one in others if one in known]
                for key, others in manifest[kind].items()
                if key in known
            }
            for kind in ("parent_map", "child_map")
        },
    }


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    shown = _only(node, _OF_NODE)
    shown["config"] = _only(node["config"], _OF_CONFIG)
    if node["resource_type"] == "test":
        # A test's arguments are its literals; what it asserts stands in its name.
        shown["raw_code"] = ""
        tested = node.get("test_metadata")
        if tested:
            shown["test_metadata"] = {"name": tested["name"], "kwargs": {}}
    return shown


def _catalog(settings: Settings, shown: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of every relation that the manifest names and the database has, in dbt's form."""
    nodes = {**shown["nodes"], **shown["sources"]}
    schemas = sorted({node["schema"] for node in nodes.values()})
    with connect(settings, role=CLASSIFIER, read_only=True) as conn, safe_errors("reading columns"):
        found = conn.cursor(row_factory=dict_row).execute(_COLUMNS, (schemas,)).fetchall()
        database = conn.info.dbname
    relations = {(row["schema"], row["name"]): row for row in found}
    catalog: dict[str, dict[str, Any]] = {"nodes": {}, "sources": {}}
    for key, node in nodes.items():
        row = relations.get((node["schema"], node.get("identifier") or node.get("alias")))
        if row is None:
            continue
        catalog["sources" if node["resource_type"] == "source" else "nodes"][key] = {
            "unique_id": key,
            "metadata": {
                "type": row["type"],
                "schema": row["schema"],
                "name": row["name"],
                "database": database,
                "comment": None,
                "owner": None,
            },
            "columns": {column["name"]: {**column, "comment": None} for column in row["columns"]},
            "stats": {},
        }
    return {"metadata": {}, **catalog, "errors": None}


def _page() -> tuple[str, str] | None:
    """dbt's page and its script, apart, so that a browser can be told to run that script and no other; None
    where they cannot be told apart."""
    found = find_spec("dbt.task.docs")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).with_name("index.html")
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, opened, rest = page.partition(_SCRIPT)
    script, closed, after = rest.rpartition(_END)
    if not (opened and closed) or _END in script:
        return None
    reference = '<script defer="defer" src="main.js"></script>'
    return (before + reference + after).replace(_ICON, "data:,"), script


def _only(found: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: found[key] for key in keys if key in found}
