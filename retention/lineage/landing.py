"""From which landing columns each column of a relation comes.

Belongs here: following every relation that SQL makes, the project's own models and what dbt does not
know included, down to the tables that nothing makes. Does not belong here: what follows where one of
them is personal (`models`, `unknown`), and finding the rows of a record (`trace`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from retention.coverage.catalogue import is_landing_schema
from retention.detection.model import ColumnName
from retention.lineage.catalogue import Entry
from retention.lineage.manifest import Manifest
from retention.lineage.model import Relation
from retention.lineage.origins import Origin

if TYPE_CHECKING:
    from retention.lineage.columns import Columns


@dataclass(frozen=True)
class Followed:
    """Where one column comes from: the landing columns whose values stand in it, unchanged or not; none
    where it is counted, computed, or made from what we keep ourselves. `why` is set where it cannot be
    followed to its end; `sources` are then what is known of it."""

    sources: frozenset[ColumnName]
    why: str | None = None


@dataclass(frozen=True)
class ModelColumns:
    """The columns of every relation that dbt makes by SQL, and those that cannot be followed, with the
    reason."""

    followed: Mapping[ColumnName, Followed]

    @property
    def unresolved(self) -> dict[ColumnName, str]:
        return {name: one.why for name, one in sorted(self.followed.items()) if one.why}

    @property
    def resolved_share(self) -> float:
        """The share of columns that were followed; 1 where there are none."""
        return 1 - len(self.unresolved) / len(self.followed) if self.followed else 1.0


class LandingColumns:
    """Follows the relations of one catalogue. Each is read once, whoever asks for it and how often."""

    def __init__(
        self,
        entries: Mapping[Relation, Entry],
        functions: frozenset[str],
        manifest: Manifest,
    ) -> None:
        self._entries = entries
        self._manifest = manifest
        built = {node.relation: node for node in manifest.nodes}
        views = {
            relation: entry.view for relation, entry in entries.items() if entry.view is not None
        }
        queries = {node.relation: node.sql for node in built.values() if node.sql is not None}
        self._without_sql = {node.relation: node.why for node in built.values() if node.sql is None}
        self._roots = frozenset(entries.keys() - queries.keys() - views.keys() - built.keys())
        self._queries = {**queries, **views}
        self._functions = functions

    @cached_property
    def _columns(self) -> "Columns":
        # Here and not above: the SQL parser takes long to load, and often there is nothing to parse.
        from retention.lineage.columns import Columns

        types = {relation: entry.columns for relation, entry in self._entries.items()}
        return Columns(self._roots, self._queries, types, self._functions, as_one=True)

    def of(self, relation: Relation) -> dict[str, Followed]:
        """Where the columns of a relation of the catalogue come from, in their order."""
        (shape,) = self._columns.shapes(relation)
        return {
            column: self._followed((relation, column), shape[column].sources)
            for column in self._entries[relation].columns
        }

    def of_models(self) -> ModelColumns:
        """Where the columns of everything that dbt makes by SQL come from."""
        return ModelColumns(
            {
                (*node.relation, column): one
                for node in self._manifest.nodes
                if node.relation in self._entries
                for column, one in self.of(node.relation).items()
            }
        )

    def _followed(self, of: tuple[Relation, str], origins: Iterable[Origin]) -> Followed:
        sources: set[ColumnName] = set()
        reasons: set[str] = set()
        for origin in origins:
            relation, column = origin.relation, origin.column
            if why := self._columns.unfollowed.get((relation, column)):
                why = self._without_sql.get(relation, why)
                here = (relation, column) == of
                reasons.add(why if here else f"made from {'.'.join(relation)}.{column}: {why}")
            elif is_landing_schema(relation[0]):
                sources.add((*relation, column))
        return Followed(frozenset(sources), "; ".join(sorted(reasons)) or None)
