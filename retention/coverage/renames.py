"""What a table or a column that is missing may be called now.

Belongs here: a guess for whoever reads the finding, by the names of columns alone. Does not belong here:
acting on one; a table is another table until its declaration says so.
"""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from retention.coverage.catalogue import Relation
from retention.coverage.model import Covered, State, TableName
from retention.declarations import TableDeclaration

# So much of a declaration is found in the table that it may be about.
_MOST_COLUMNS = 0.8
# So alike are two names of one column.
_ALIKE = 0.6


def table_now(
    missing: TableDeclaration,
    covered: Mapping[TableName, Covered],
    relations: Mapping[TableName, Relation],
) -> str | None:
    """The undeclared table that has nearly all of its columns: of another name in its schema, or of its
    name in another one."""
    wanted = missing.columns_declared
    found = [
        (len(wanted & relations[name].columns.keys()), f"{one.schema}.{one.table}")
        for name, one in covered.items()
        if one.state is State.FINDING
        and one.part_of is None
        and (one.schema == missing.schema_ or one.table == missing.name)
    ]
    shared, best = max(found, default=(0, None))
    return best if wanted and shared >= _MOST_COLUMNS * len(wanted) else None


def column_now(missing: str, undeclared: Iterable[str]) -> str | None:
    """The undeclared column of the same table whose name is most like it, if any is."""
    found = [(_alike(missing, name), name) for name in undeclared]
    alike, best = max(found, default=(0.0, None))
    return best if alike >= _ALIKE else None


def _alike(one: str, other: str) -> float:
    """From 0 to 1; 1 where one has all words of the other: `id` and `person_id`."""
    words, others = set(one.split("_")), set(other.split("_"))
    if words <= others or others <= words:
        return 1.0
    return SequenceMatcher(None, one, other).ratio()
