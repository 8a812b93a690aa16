"""The lineage of the classification in force.

Belongs here: which of dbt's relations are looked at. Does not belong here: looking (`trace`).
"""

from typing import Any

import psycopg

from retention.declarations import Declarations
from retention.lineage.catalogue import read_standing, signature
from retention.lineage.manifest import Manifest, Node, read_manifest
from retention.lineage.model import Lineage, Relation
from retention.settings import Settings

Connection = psycopg.Connection[Any]

# The project's own models see no landing table but through staging, whose columns name records in words
# that the purge knows. A model put among them that reads landing itself is looked at like any other.
_OWN_FOLDERS = (
    "models/staging/",
    "models/intermediate/",
    "models/marts/retention/",
    "models/marts/marketing/",
    "models/marts/audit/",
    "seeds/generated/",
)
_GENERATED = "/generated/"


def find_lineage(conn: Connection, settings: Settings, declarations: Declarations) -> Lineage:
    """Judge every table that dbt built besides the project's own, and every materialized view, as the
    manifest and the catalogue are now: which hold copies of records, and which may hold some that no key
    leads to.

    Raises Refused where there is no manifest of the last classification.
    """
    manifest = read_manifest(settings)
    governed = {(table.schema_, table.name) for table in declarations.governed}
    built = {node.relation for node in manifest.nodes}
    # Of what dbt does not know, these alone are copies for certain: their queries say of what.
    manifest = manifest.with_copies(
        {
            one.relation: one.reads
            for one in read_standing(conn)
            if one.kind == "m" and one.relation not in built
        }
    )
    nodes = [node for node in manifest.nodes if not is_own(node, manifest, governed)]
    if not nodes:
        return Lineage((), (), (), signature(conn, ()))
    # Here and not above: the SQL parser takes long to load, and many warehouses have nothing to parse.
    from retention.lineage.trace import trace

    return trace(conn, manifest, nodes, declarations)


def is_own(node: Node, manifest: Manifest, governed: set[Relation]) -> bool:
    """True for the project's own models and seeds. A test is never one: what it keeps are copies."""
    if not node.path.startswith(_OWN_FOLDERS) or node.id.startswith("test."):
        return False
    return _GENERATED in node.path or not manifest.read_by(node) & governed
