"""Relations in the database that neither a declaration, nor dbt, nor our migrations account for.

Belongs here: what such a relation is, what it reads, and which personal columns it shows or resembles.
Does not belong here: tables that landed and nobody declared (`retention.coverage`), and how bad a
finding is.

A view holds no rows: what it shows is gone with the record. A materialized view is a copy that no delete
reaches, so the tracer (`find`) lets it block what it reads. A plain table blocks nothing: nobody knows what
it was made from, its columns' names and types are a hint and no proof, and blocking by a hint would let
anybody stop every purge by creating a table. It is an error until somebody declares or drops it.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from retention.coverage.catalogue import OUR_SCHEMAS, is_landing_schema
from retention.declarations import Declarations
from retention.lineage.catalogue import Entry, Standing
from retention.lineage.landing import LandingColumns
from retention.lineage.manifest import Manifest
from retention.lineage.model import Relation
from retention.lineage.personal import HandedOn, PersonalColumns
from retention.warehouse.roles import CLASSIFIER, OWNER

_LEFTOVER = re.compile(r"__dbt_(tmp|backup|new_data)")
_AUDIT = "dbt_test__audit"
_BUILT = OUR_SCHEMAS - {"ledger", "sletteplikt"}
# The one column that whatever Fivetran loads has.
_LANDED = "_fivetran_synced"


@dataclass(frozen=True, order=True)
class UnknownRelation:
    """A relation that nothing accounts for. `stale` says of which build that is over it is left, if of
    one. `reads` are the governed tables that a view reads, `shows` the personal columns it hands on; those
    of a table only `resembles` name and type of one."""

    relation: Relation
    kind: str
    stale: str | None = None
    reads: tuple[str, ...] = ()
    shows: tuple[HandedOn, ...] = ()
    resembles: tuple[HandedOn, ...] = ()
    unresolved: tuple[str, ...] = ()

    @property
    def detail(self) -> str | None:
        """What is known of it, in names only."""
        said = [self.stale] if self.stale else []
        if self.reads:
            said.append(f"reads {', '.join(self.reads)}")
        if self.shows:
            said.append(f"shows {', '.join(map(str, self.shows))}")
        if self.resembles:
            said.append(f"may be a copy: {', '.join(map(str, self.resembles))}")
        if self.unresolved:
            said.append(f"has columns that cannot be followed: {', '.join(self.unresolved)}")
        return "; ".join(said) or None


def unknown_relations(
    standing: Collection[Standing],
    entries: Mapping[Relation, Entry],
    manifest: Manifest,
    declarations: Declarations,
    columns: LandingColumns,
) -> tuple[UnknownRelation, ...]:
    """Every relation outside PostgreSQL's schemas that nothing accounts for, but for what landed.

    `manifest` is that of the classification in force, with the database's own views in it."""
    declared = {(table.schema_, table.name) for table in declarations.tables}
    governed = {(table.schema_, table.name) for table in declarations.governed}
    built = {node.relation for node in (*manifest.nodes, *manifest.seeds)}
    personal = PersonalColumns(declarations, entries)
    found: list[UnknownRelation] = []
    for one in standing:
        entry = entries.get(one.relation)
        if entry is None or one.relation in declared | built or _is_ours(one):
            continue
        stale = _stale(one)
        resembles = personal.resembling(entry.columns) if entry.view is None else ()
        if not stale and entry.is_table and _may_have_landed(one, entry, resembles):
            continue
        followed = columns.of(one.relation) if entry.view is not None else {}
        found.append(
            UnknownRelation(
                one.relation,
                entry.kind,
                stale,
                tuple(sorted(".".join(read) for read in one.reads & governed)),
                personal.handed_on(followed),
                resembles,
                tuple(name for name, of in followed.items() if of.why),
            )
        )
    return tuple(sorted(found))


def _is_ours(one: Standing) -> bool:
    """What migrations made belongs to the engine's owner; a replay's schemas go with the replay."""
    schema = one.relation[0]
    if schema in ("ledger", "sletteplikt"):
        return one.owner == OWNER
    return not is_landing_schema(schema) and schema not in OUR_SCHEMAS


def _stale(one: Standing) -> str | None:
    """What of a build that is over the relation is; None where it is of none. What dbt builds belongs
    to the role that it builds under."""
    schema, name = one.relation
    if _LEFTOVER.search(name):
        return "a leftover of a build by dbt that was cut short"
    if schema.endswith(_AUDIT):
        return "what a test of dbt kept of the rows that failed it, and no test keeps any more"
    if one.owner == CLASSIFIER or schema in _BUILT:
        return "a relation that dbt built and builds no more"
    return None


def _may_have_landed(one: Standing, entry: Entry, resembles: Collection[HandedOn]) -> bool:
    """A table of a source that nobody declared yet is coverage's to tell."""
    ours = one.relation[0] in OUR_SCHEMAS
    return not ours and (_LANDED in entry.columns or not resembles)
