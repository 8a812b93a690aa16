"""dbt's manifest of the classification in force, as far as lineage needs it.

Belongs here: reading the file. Does not belong here: what the SQL of a model means (`columns`), and
dbt itself, which this package does not import.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from retention.classify import target_path
from retention.errors import Refused
from retention.lineage.model import Relation
from retention.settings import Settings


@dataclass(frozen=True)
class Node:
    """A model or snapshot that makes a relation. `sql` is None where no SQL is known to make it."""

    id: str
    relation: Relation
    path: str
    language: str
    sql: str | None


@dataclass(frozen=True)
class Manifest:
    """The nodes that make relations, what each is made from, and the sources by id."""

    nodes: tuple[Node, ...]
    parents: dict[str, tuple[str, ...]]
    sources: dict[str, Relation]

    @cached_property
    def by_relation(self) -> dict[Relation, Node]:
        return {node.relation: node for node in self.nodes}

    def read_by(self, node: Node) -> set[Relation]:
        """The sources that the node reads itself."""
        parents = self.parents.get(node.id, ())
        return {self.sources[parent] for parent in parents if parent in self.sources}

    def sources_of(self, node: Node) -> set[Relation]:
        """Every source that lies upstream of the node, however far."""
        seen: set[str] = set()
        pending = [node.id]
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending += self.parents.get(current, ())
        return {self.sources[one] for one in seen if one in self.sources}


def read_manifest(settings: Settings) -> Manifest:
    """The manifest that the last classification left. Raises Refused where there is none: without it
    no copy could be found, and what is purged would live on in those."""
    path = target_path(settings) / "manifest.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        raise Refused(
            "dbt's manifest of the last classification is not in the state folder, so copies cannot"
            " be found: run `retention run` here"
        ) from None
    made = [
        node
        for node in content["nodes"].values()
        if node["resource_type"] in ("model", "snapshot")
        and node["config"].get("materialized") != "ephemeral"
    ]
    return Manifest(
        nodes=tuple(
            Node(
                id=node["unique_id"],
                relation=(node["schema"], node.get("alias") or node["name"]),
                path=node["original_file_path"],
                language=node.get("language") or "sql",
                sql=_compiled(node, path.parent),
            )
            for node in made
        ),
        parents={
            node["unique_id"]: tuple(node.get("depends_on", {}).get("nodes", ()))
            for node in content["nodes"].values()
        },
        sources={
            source["unique_id"]: (source["schema"], source.get("identifier") or source["name"])
            for source in content["sources"].values()
        },
    )


def built_relations(settings: Settings) -> frozenset[Relation]:
    """Every relation that dbt built in the last classification; none where there was none here."""
    if not (target_path(settings) / "manifest.json").exists():
        return frozenset()
    return frozenset(node.relation for node in read_manifest(settings).nodes)


def _compiled(node: dict[str, Any], target: Path) -> str | None:
    """The SQL that made the relation; a run of some models leaves that of the others in files."""
    if node.get("compiled_code"):
        return str(node["compiled_code"])
    path: Path = target / "compiled" / node["package_name"] / node["original_file_path"]
    for file in (path, path / f"{node['name']}.sql"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return None
