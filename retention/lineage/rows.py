"""By which keys the rows of one shape are found, and what of them no key leads to.

Belongs here: judging one shape of rows by the declarations of the tables it was made of. Does not belong
here: telling the shapes of one relation apart (`trace`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from retention.declarations import TableDeclaration
from retention.lineage.model import RECORD, Match, Relation
from retention.lineage.origins import Field, Shape
from retention.lineage.values import Types, keeps_value

# Names by which the models know records, persons and assignments. The first ones stay the same from
# one classification to the next, so a copy that keeps them can be found by them later.
_LASTING = ("subject_id", "subject_token", "assignment_id")
_OF_RECORD = frozenset(
    {
        "record_key",
        "row_id",
        "entity_key",
        "link_key",
        "link_hashes",
        "link_hash",
        "assignment_key",
        "partner_key",
        "record_id",
        "event_id",
        "anchor_event",
    }
)
_NAMING = _OF_RECORD | {*_LASTING, "case_id", "inputs_hash"}
_SYSTEM_PREFIX = "_fivetran_"


@dataclass(frozen=True)
class Found:
    """A match, and the columns that hold personal values of the same reading unchanged. `mixed` are
    columns made from a minimisable one and from something that stays."""

    match: Match
    values: frozenset[str] = frozenset()
    mixed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Problem:
    """What no key leads to, and of which landing tables."""

    why: str
    reaches: frozenset[str]


@dataclass
class _Reading:
    """What a shape shows of one reading of a table: its columns, where each stands unchanged, and every
    field that something of it went into."""

    number: int
    relation: Relation
    exact: dict[str, str] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)

    @property
    def shown(self) -> set[str]:
        return self.derived | self.exact.keys()

    def pairs(self, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...] | None:
        """Each column with the copy's that holds it; None where one is missing."""
        if not columns or not self.keys.keys() >= set(columns):
            return None
        return tuple((column, self.keys[column]) for column in columns)


class Judge:
    """Judges shapes. `tables` are the governed landing tables, `staging` the tables whose facts a
    staging model holds, `reach` the landing tables that any other of the models' relations holds."""

    def __init__(
        self,
        tables: Mapping[Relation, TableDeclaration],
        staging: Mapping[Relation, str],
        types: Types,
        reach: Callable[[Relation], frozenset[str]],
    ) -> None:
        self._tables = tables
        self._by_name = {table.qualified: table for table in tables.values()}
        self._staging = staging
        self._types = types
        self._reach = reach

    def of(self, relation: Relation, shape: Shape) -> tuple[list[Found], list[Problem]]:
        """What finds the rows of this shape in `relation`, and what is found by nothing."""
        found: list[Found] = []
        problems: list[Problem] = []
        for reading in self._readings(relation, shape):
            table = self._tables.get(reading.relation)
            one = self._of_landing(table, reading) if table else self._of_models(reading)
            found += [each for each in one if isinstance(each, Found)]
            problems += [each for each in one if isinstance(each, Problem)]
        return found, problems

    def _readings(self, relation: Relation, shape: Shape) -> list[_Reading]:
        readings: dict[int, _Reading] = {}
        own = self._types[relation]
        for column, one in shape.items():
            for origin in one.sources:
                reading = readings.setdefault(
                    origin.reading, _Reading(origin.reading, origin.relation)
                )
                reading.fields[column] = one
                if origin in one.exact:
                    reading.exact.setdefault(origin.column, column)
                else:
                    reading.derived.add(origin.column)
        for is_equal in (False, True):
            for column, one in shape.items():
                for origin in one.equal if is_equal else one.exact:
                    kind = self._types[origin.relation][origin.column]
                    if origin.reading in readings and keeps_value(kind, own[column]):
                        readings[origin.reading].keys.setdefault(origin.column, column)
        return list(readings.values())

    def _of_landing(self, table: TableDeclaration, reading: _Reading) -> list[Found | Problem]:
        personal = self._personal(table, reading.relation)
        entity = table.entity or (table.key if len(table.key) == 1 else ())
        links = _links(table)
        shown = reading.shown
        whole_key = bool(table.key) and reading.exact.keys() >= set(table.key)
        if not whole_key and not shown & (personal | set(entity) | links.keys()):
            return []
        if pairs := reading.pairs(table.key):
            values = frozenset(reading.exact[c] for c in personal & reading.exact.keys())
            emptied, mixed = _made_null(table.minimisable, reading)
            withdrawn, mixed_too = _made_null(table.consented_columns, reading)
            match = Match(
                "key",
                table.qualified,
                pairs,
                emptied=tuple(sorted(emptied)),
                withdrawn=tuple(sorted(withdrawn)),
            )
            return [Found(match, values, mixed | mixed_too)]
        here = frozenset({table.qualified})
        if shown & personal:
            names = ", ".join(sorted(shown & personal))
            return [Problem(f"it shows {names} of {table.qualified} without its key", here)]
        found: list[Found | Problem] = []
        if shown & set(entity):
            found.append(self._of_entity(table, reading, entity))
        for column in sorted(shown & links.keys()):
            target = self._by_name.get(links[column])
            if target is not None:
                found.append(self._of_link(table, target, column, reading))
        return found

    def _of_entity(
        self, table: TableDeclaration, reading: _Reading, entity: tuple[str, ...]
    ) -> Found | Problem:
        pairs = reading.pairs(entity)
        if pairs is None or not set(entity) <= set(table.key):
            why = f"it was made from the key of {table.qualified} and does not show it"
            return Problem(why, frozenset({table.qualified}))
        return Found(Match("entity", table.qualified, pairs))

    def _of_link(
        self, table: TableDeclaration, target: TableDeclaration, column: str, reading: _Reading
    ) -> Found | Problem:
        """A link without its row's key: the row is about what the link points to."""
        entity = target.entity_columns
        if column not in reading.keys or len(entity) != 1 or entity[0] not in target.key:
            why = f"it shows {column} of {table.qualified} without its key"
            return Problem(why, frozenset({table.qualified, target.qualified}))
        kind = self._types.get((target.schema_, target.name), {}).get(entity[0])
        if kind is None or not keeps_value(kind, self._types[reading.relation][column]):
            why = f"it shows {column} of {table.qualified}, which is not of its key's type"
            return Problem(why, frozenset({table.qualified, target.qualified}))
        return Found(Match("entity", target.qualified, ((entity[0], reading.keys[column]),)))

    def _of_models(self, reading: _Reading) -> list[Found | Problem]:
        """A reading of one of the project's own relations, which name records in their own words."""
        shown = reading.shown & _NAMING
        if not shown:
            return []
        table = self._staging.get(reading.relation)
        record = ("record_key",) if table else tuple(sorted(RECORD))
        if pairs := reading.pairs(record):
            return [Found(Match("record", table, pairs))]
        lasting = [name for name in _LASTING if name in reading.keys]
        if shown & _OF_RECORD or not lasting or not shown <= {*lasting, "case_id"}:
            names = ", ".join(sorted(shown))
            where = ".".join(reading.relation)
            why = f"it shows {names} of {where} without source_schema, source_table and record_key"
            reaches = frozenset({table}) if table else self._reach(reading.relation)
            return [Problem(why, reaches)]
        return [Found(Match("person", None, ((name, reading.keys[name]),))) for name in lasting]

    def _personal(self, table: TableDeclaration, relation: Relation) -> set[str]:
        """Columns that are declared personal, and those that nobody declared to be anything else."""
        undeclared = {
            column
            for column in self._types[relation]
            if column not in table.columns_declared and not column.startswith(_SYSTEM_PREFIX)
        }
        points = {*table.subject.email, *table.subject.phone} if table.subject else set()
        own_key = set(table.key) if table.key_is_personal else set()
        return set(table.personal) | undeclared | points | own_key


def _made_null(
    columns: tuple[str, ...], reading: _Reading
) -> tuple[frozenset[str], frozenset[str]]:
    """The columns that were made from nothing but such `columns` of this reading, and those into which
    something else went too."""
    going = set(columns)
    emptied: set[str] = set()
    mixed: set[str] = set()
    for column, one in reading.fields.items():
        from_them = {o for o in one.sources if o.reading == reading.number and o.column in going}
        if from_them:
            (emptied if from_them == one.sources else mixed).add(column)
    return frozenset(emptied), frozenset(mixed)


def _links(table: TableDeclaration) -> dict[str, str]:
    """Columns that point to another declared table's entity, with that table."""
    links: dict[str, str] = {}
    if table.subject and table.subject.to and (table.subject.foreign_key or table.subject.through):
        links[table.subject.foreign_key or table.subject.through or ""] = table.subject.to
    same = table.subject.same_as if table.subject else None
    if same and same.foreign_key:
        links[same.foreign_key] = same.to
    if table.assignment:
        links[table.assignment.column] = table.assignment.to
    return links
