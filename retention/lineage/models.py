"""Models that hand personal columns on although nothing says for how long.

Belongs here: which of dbt's relations inherit their retention, which are exempt, and which neither. Does
not belong here: following columns (`landing`), tracing rows (`trace`), and how bad a finding is.

What inherits: a table whose rows are found by the keys of their records goes with them, and a view that
shows those keys shows whose its rows are; what names records in our own words is purged by those. A table
that may hold copies which no key leads to is the tracer's to tell: it blocks, and is not said again here. A
view without keys holds nothing and blocks nothing, but nobody can say whom it shows. An exemption is a
promise about columns, not about rows: it never lifts a block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from retention.declarations import Declarations
from retention.declarations.parts import Exemption, Part, first_problem
from retention.errors import UsageError
from retention.lineage.catalogue import Entry
from retention.lineage.find import is_own
from retention.lineage.landing import LandingColumns
from retention.lineage.manifest import Manifest, Node
from retention.lineage.model import SCHEMAS, Lineage, Relation, names_records
from retention.lineage.personal import HandedOn, PersonalColumns


class ModelDeclaration(Part):
    """What `config.meta.retention` of a model, or of the folder it lies in, may say."""

    exempt: Exemption | None = None


@dataclass(frozen=True, order=True)
class UndeclaredModel:
    """A relation that dbt builds and nobody answers for: the personal columns it hands on, or those
    that cannot be followed, with the reason. A seed has neither: its rows come from a file."""

    relation: Relation
    hands_on: tuple[HandedOn, ...]
    unresolved: tuple[tuple[str, str], ...]

    @property
    def detail(self) -> str:
        """What nobody answers for, in names only."""
        said = []
        if self.hands_on:
            said.append(f"hands on {', '.join(map(str, self.hands_on))}")
        if self.unresolved:
            columns = ", ".join(column for column, _ in self.unresolved)
            reasons = "; ".join(dict.fromkeys(why for _, why in self.unresolved))
            said.append(f"has columns that cannot be followed: {columns} ({reasons})")
        if not said:
            said.append("is a seed: its rows come from a file, and nobody says what they are")
        return ", and ".join(said)


@dataclass(frozen=True, order=True)
class ModelExemption:
    """A relation that dbt builds and that is declared to hold no personal data."""

    relation: Relation
    exempt: Exemption


@dataclass(frozen=True)
class DeclaredModels:
    """The data team's relations: those that nobody answers for, and those that are exempt."""

    undeclared: tuple[UndeclaredModel, ...]
    exempt: tuple[ModelExemption, ...]


def judge_models(
    entries: Mapping[Relation, Entry],
    manifest: Manifest,
    declarations: Declarations,
    lineage: Lineage,
    columns: LandingColumns,
) -> DeclaredModels:
    """Judge every relation that dbt built besides the project's own, as the catalogue is now.

    Raises UsageError for an exemption that does not hold."""
    governed = {(table.schema_, table.name) for table in declarations.governed}
    personal = PersonalColumns(declarations, entries)
    said = {copy.relation for copy in lineage.untraceable}
    without_key = {copy.relation for copy in lineage.shown}
    found_by_key = {(copy.schema, copy.name) for copy in lineage.copies}
    undeclared: list[UndeclaredModel] = []
    exempt: list[ModelExemption] = []
    for node in foreign_nodes(manifest, governed):
        entry = entries.get(node.relation)
        if entry is None:
            continue
        if exemption := exemption_of(node):
            exempt.append(ModelExemption(node.relation, exemption))
            continue
        name = ".".join(node.relation)
        inherits = (
            node.relation in found_by_key
            or (entry.is_view and name not in without_key)
            or _is_purged_by_name(node, entry)
        )
        if inherits or name in said:
            continue
        is_seed = node in manifest.seeds
        followed = {} if is_seed else columns.of(node.relation)
        hands_on = personal.handed_on(followed)
        unresolved = tuple((name, one.why) for name, one in followed.items() if one.why)
        if hands_on or unresolved or is_seed:
            undeclared.append(UndeclaredModel(node.relation, hands_on, unresolved))
    return DeclaredModels(tuple(sorted(undeclared)), tuple(sorted(exempt)))


def foreign_nodes(manifest: Manifest, governed: set[Relation]) -> Sequence[Node]:
    """What dbt makes besides the project's own models and seeds."""
    nodes = (*manifest.nodes, *manifest.seeds)
    return [node for node in nodes if not is_own(node, manifest, governed)]


def exemption_of(node: Node) -> Exemption | None:
    """The exemption that a model's own files or its folder's declare, as dbt merged them."""
    try:
        return ModelDeclaration.model_validate(dict(node.meta)).exempt
    except ValidationError as error:
        raise UsageError(f"{node.path}: config.meta.retention: {first_problem(error)}") from None


def _is_purged_by_name(node: Node, entry: Entry) -> bool:
    return node.relation[0] in SCHEMAS and names_records(frozenset(entry.columns))
