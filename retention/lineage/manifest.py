"""dbt's manifest of the classification in force, as far as lineage needs it.

Belongs here: reading the file. Does not belong here: what the SQL of a model means (`columns`), and
dbt itself, which this package does not import.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from retention.errors import Refused
from retention.lineage.model import Relation
from retention.settings import Settings

# A hook that adds or changes rows, which the model's own SQL then does not tell of.
_WRITES = re.compile(
    r"\b(insert\s+into|merge\s+into|update\s+(?!on\b)|copy\s|call\s|do\s*\$)", re.I
)


@dataclass(frozen=True)
class Node:
    """A model, snapshot, seed or test that makes a relation.

    `sql` is None where no SQL tells what is in it, and `why` then says so. `written` is all SQL that is
    written for it, `meta` what its files say of its retention, `marketing` which of its columns are
    written to.
    """

    id: str
    relation: Relation
    path: str
    sql: str | None
    why: str = ""
    written: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    marketing: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of all SQL that is written for it."""
        return _words(self.written)


@dataclass(frozen=True)
class Manifest:
    """The nodes whose SQL makes relations, what each is made from, the seeds, and the sources by id."""

    nodes: tuple[Node, ...]
    parents: dict[str, tuple[str, ...]]
    sources: dict[str, Relation]
    seeds: tuple[Node, ...] = ()

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

    def with_copies(self, reads: Mapping[Relation, Iterable[Relation]]) -> "Manifest":
        """With relations that dbt does not know, as if it made each from what it `reads`."""
        sources = {f"read.{s}.{n}": (s, n) for read in reads.values() for s, n in read}
        ids = {relation: id for id, relation in sources.items()}
        ids |= {node.relation: node.id for node in self.nodes}
        parents = {
            f"unknown.{s}.{n}": tuple(ids[r] for r in read) for (s, n), read in reads.items()
        }
        return Manifest(
            (*self.nodes, *(Node(f"unknown.{s}.{n}", (s, n), "", "") for s, n in reads)),
            {**self.parents, **parents},
            {**self.sources, **sources},
            self.seeds,
        )


def read_manifest(settings: Settings) -> Manifest:
    """The manifest that the last classification left. Raises Refused where there is none: without it
    no copy could be found, and what is purged would live on in those."""
    path = settings.dbt_target / "manifest.json"
    try:
        content = _content(path.read_bytes())
    except (FileNotFoundError, ValueError):
        raise Refused(
            "dbt's manifest of the last classification is not in the state folder, so copies cannot"
            " be found: run `retention run` here"
        ) from None
    macros = {
        macro["name"]: macro["macro_sql"]
        for macro in content.get("macros", {}).values()
        if not macro["package_name"].startswith("dbt")
    }
    nodes = [node for node in content["nodes"].values() if _makes_relation(node)]
    made = [_node(node, path.parent, macros) for node in nodes if node["resource_type"] != "seed"]
    seeds = [_node(node, path.parent, macros) for node in nodes if node["resource_type"] == "seed"]
    return Manifest(
        nodes=tuple(made),
        seeds=tuple(seeds),
        parents={
            node["unique_id"]: tuple(node.get("depends_on", {}).get("nodes", ()))
            for node in content["nodes"].values()
        },
        sources={
            source["unique_id"]: (source["schema"], source.get("identifier") or source["name"])
            for source in content["sources"].values()
        },
    )


# Several ask in one command, and reading so large a file takes longest.
@lru_cache(maxsize=1)
def _content(file: bytes) -> Any:
    return json.loads(file)


def has_manifest(settings: Settings) -> bool:
    """True where the last classification left one here."""
    return (settings.dbt_target / "manifest.json").exists()


def built_relations(settings: Settings) -> frozenset[Relation]:
    """Every relation that dbt built in the last classification; none where there was none here."""
    if not has_manifest(settings):
        return frozenset()
    manifest = read_manifest(settings)
    return frozenset(node.relation for node in (*manifest.nodes, *manifest.seeds))


def _makes_relation(node: dict[str, Any]) -> bool:
    """A test makes one where it keeps the rows that failed it: copies like any other."""
    if node["resource_type"] == "test":
        return bool(node["config"].get("store_failures"))
    made = node["resource_type"] in ("model", "snapshot", "seed")
    return made and node["config"].get("materialized") != "ephemeral"


def _node(node: dict[str, Any], target: Path, macros: Mapping[str, str]) -> Node:
    config = node["config"]
    sql = _compiled(node, target)
    hooks = [hook["sql"] for kind in ("pre-hook", "post-hook") for hook in config.get(kind) or ()]
    hooks += [macros[word] for word in sorted(_words(hooks)) if word in macros]
    language = node.get("language") or "sql"
    why = "" if sql and language == "sql" else f"no SQL of it is known ({language})"
    if any(_WRITES.search(hook) for hook in hooks):
        why = "a hook writes rows into it that its SQL does not make"
    return Node(
        id=node["unique_id"],
        relation=(node["schema"], node.get("alias") or node["name"]),
        path=node["original_file_path"],
        sql=None if why else sql,
        why=why,
        written=(sql or "", *hooks),
        meta=(config.get("meta") or {}).get("retention") or {},
        marketing=(config.get("meta") or {}).get("marketing") or {},
    )


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


def _compiled(node: dict[str, Any], target: Path) -> str | None:
    """The SQL that made the relation; a run of some models leaves that of the others in files."""
    if node.get("compiled_code"):
        return str(node["compiled_code"])
    path: Path = target / "compiled" / node["package_name"] / node["original_file_path"]
    for file in (path, path / f"{node['name']}.sql"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return None
