"""Where every personal column goes from landing, column by column, down to the last mart.

Belongs here: turning round what lineage follows upstream, and how the rows of each relation go. Does not
belong here: following columns (`retention.lineage`), and what is a finding of it (`coverage`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from retention.declarations import Declarations
from retention.detection.model import ColumnName
from retention.lineage import Lineage, find_lineage
from retention.lineage.catalogue import Entry, read_catalogue, read_functions
from retention.lineage.landing import LandingColumns
from retention.lineage.manifest import has_manifest, read_manifest
from retention.lineage.model import SCHEMAS, Relation, names_records
from retention.lineage.personal import PersonalColumns
from retention.settings import Settings

Connection = psycopg.Connection[Any]


def describe_lineage(
    conn: Connection, settings: Settings, declarations: Declarations
) -> dict[str, Any] | None:
    """Every personal column with the columns that show it, unchanged or not; the relations among them and
    how their rows go; and what cannot be followed. None without the manifest of a classification."""
    if not has_manifest(settings):
        return None
    manifest = read_manifest(settings)
    entries = read_catalogue(conn)
    columns = LandingColumns(entries, read_functions(conn), manifest)
    personal = PersonalColumns(declarations, entries)
    shown: dict[tuple[ColumnName, str], dict[Relation, list[str]]] = {
        (source, kind): {} for source, kind in personal.kinds.items()
    }
    unfollowed = []
    for relation in sorted({node.relation for node in manifest.nodes} & entries.keys()):
        followed = columns.of(relation)
        for one in personal.handed_on(followed):
            shown[one.source, one.kind].setdefault(relation, []).append(one.column)
        unfollowed += [
            {"relation": ".".join(relation), "column": column, "why": found.why}
            for column, found in followed.items()
            if found.why
        ]
    reached = {relation for relations in shown.values() for relation in relations}
    lineage = find_lineage(conn, settings, declarations)
    return {
        "columns": [
            {
                "table": ".".join(source[:2]),
                "column": source[2],
                "kind": kind,
                "reaches": [
                    {"relation": ".".join(relation), "columns": names}
                    for relation, names in sorted(relations.items(), key=lambda one: _place(one[0]))
                ],
            }
            for (source, kind), relations in sorted(shown.items())
        ],
        "relations": [
            {
                "relation": ".".join(relation),
                "layer": _layer(relation),
                "rows_go": _rows_go(relation, entries, lineage),
            }
            for relation in sorted(reached, key=_place)
        ],
        "unfollowed": unfollowed,
    }


def copies_of(lineage: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """The tables that hold what each landing table handed on, in the order in which it flows."""
    if lineage is None:
        return {}
    hold = [one["relation"] for one in lineage["relations"] if one["rows_go"] != "view"]
    found: dict[str, set[str]] = {}
    for column in lineage["columns"]:
        found.setdefault(column["table"], set()).update(
            one["relation"] for one in column["reaches"]
        )
    return {
        table: [relation for relation in hold if relation in reached]
        for table, reached in found.items()
    }


def _layer(relation: Relation) -> str:
    return relation[0] if relation[0] in SCHEMAS else "further"


def _place(relation: Relation) -> tuple[int, Relation]:
    layers = (*SCHEMAS, "further")
    return layers.index(_layer(relation)), relation


def _rows_go(relation: Relation, entries: Mapping[Relation, Entry], lineage: Lineage) -> str:
    """`view`: it holds none. `by_name`: with the record that they name. `by_key`: by the landing row's
    key. `untraceable`: no key leads to them, and their tables are not purged from. `none_of_a_record`:
    they are nobody's."""
    if entries[relation].is_view:
        return "view"
    if relation in {(copy.schema, copy.name) for copy in lineage.copies}:
        return "by_key"
    if ".".join(relation) in {copy.relation for copy in lineage.untraceable}:
        return "untraceable"
    if relation[0] in SCHEMAS and names_records(frozenset(entries[relation].columns)):
        return "by_name"
    return "none_of_a_record"
