"""Which columns a query joins on equality.

Belongs here: `on a.id = b.id` of a select, and which side it says something about. Does not belong
here: what follows from it for the columns of the result (`columns`).
"""

from collections.abc import Iterator

from sqlglot import exp

from retention.lineage.origins import Origin, Rows


def equal_origins(tree: exp.Select, rows: Rows) -> dict[Origin, frozenset[Origin]]:
    """Each origin with those that have its value wherever their reading gave a row."""
    edges: dict[Origin, set[Origin]] = {}
    for known, follows in _equal_columns(tree):
        if known.table in rows and follows.table in rows:
            for origin in rows[known.table].of(known.name).exact:
                edges.setdefault(origin, set()).update(rows[follows.table].of(follows.name).exact)
    return {origin: frozenset(_closure(origin, edges)) for origin in edges}


def _closure(origin: Origin, edges: dict[Origin, set[Origin]]) -> set[Origin]:
    reached: set[Origin] = set()
    pending = [origin]
    while pending:
        for further in edges.get(pending.pop(), set()) - reached:
            reached.add(further)
            pending.append(further)
    return reached - {origin}


def _equal_columns(tree: exp.Select) -> Iterator[tuple[exp.Column, exp.Column]]:
    """Pairs (a, b): where b's table gave a row, a has b's value."""
    where = tree.args.get("where")
    if where is not None:
        for left, right in _equalities(where.this):
            yield from ((left, right), (right, left))
    for join in tree.args.get("joins") or ():
        condition, side, joined = join.args.get("on"), join.side.upper(), join.alias_or_name
        if condition is None or side == "FULL":
            continue
        for one, other in _equalities(condition):
            for known, follows in ((one, other), (other, one)):
                # An outer join keeps rows of one side without the other's: those say nothing of it.
                if side == "" or (side == "LEFT") == (follows.table == joined):
                    yield known, follows


def _equalities(condition: exp.Expr) -> Iterator[tuple[exp.Column, exp.Column]]:
    """The equalities between two columns that must hold for the condition to hold."""
    condition = condition.unnest()
    parts = condition.flatten() if isinstance(condition, exp.And) else (condition,)
    for part in parts:
        part = part.unnest()
        if isinstance(part, exp.And):
            yield from _equalities(part)
        elif isinstance(part, exp.EQ):
            left, right = part.left.unnest(), part.right.unnest()
            if isinstance(left, exp.Column) and isinstance(right, exp.Column):
                yield left, right
