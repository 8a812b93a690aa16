"""How the rows of a table find their data subject: by a foreign key, or through another table.

Belongs here: which tables a column may point to, and the counts that decide. Does not belong here: links by
address or number (`contact_points`), counting (`measure`). No link rests on a name alone: it is counted, or
marked low.
"""

from collections.abc import Iterable
from typing import Literal

from retention.onboarding import measure, shapes
from retention.onboarding.catalogue import Connection, Table
from retention.onboarding.contact_points import contact_points, link_by_contact_point
from retention.onboarding.measure import Share
from retention.onboarding.model import Because, Link
from retention.onboarding.targets import MOST, SOME, Landed, Target, new_target

# The models follow a link through at most so many further records (int_parents_linked).
_HOPS = 2


def find_links(
    conn: Connection, landed: Iterable[Landed], declared: list[Target], present: frozenset[str]
) -> dict[str, Link]:
    """The link of each table that has one, by the table's name.

    `present` are the qualified tables that the database holds: a declared one that is not there cannot be
    tried. Tables of persons first, then those that point at one, then those that point at these.
    """
    waiting = {one.table.name: one for one in landed}
    found: dict[str, Link] = {}
    targets = list(declared)
    pointed_at = {
        stem
        for one in waiting.values()
        for c in one.table.columns
        if (stem := shapes.link_stem(c.name))
    }
    weak: dict[str, Link] = {}
    persons = [target for target in declared if target.link == "self"]
    for name, one in waiting.items():
        by_address = link_by_contact_point(conn, one, declared, present)
        if by_address and by_address.because.confidence == "low":
            by_key = _by_pointer(conn, one, persons, present)
            is_better = by_key is not None and by_key.because.confidence != "low"
            (found if is_better else weak)[name] = by_key if by_key and is_better else by_address
        elif by_address:
            found[name] = by_address
        elif one.is_person_like and any(shapes.names_table(stem, name) for stem in pointed_at):
            found[name] = Link(
                "self",
                contact_points(one),
                None,
                Because(
                    "medium", "other tables point at these persons; no declared table has them"
                ),
            )
    # Others may go through a table whose own link is doubtful: that is one doubt, to be settled there.
    first = {**weak, **found}
    targets += [t for name, link in first.items() if (t := new_target(waiting[name], link))]
    for _ in range(_HOPS):
        for name in sorted(waiting.keys() - found.keys() - first.keys()):
            link = _by_pointer(conn, waiting[name], targets, present)
            if link and link.because.confidence != "low":
                found[name] = link
            elif link:
                weak[name] = link
        targets += [
            target
            for name, link in found.items()
            if waiting[name].table.qualified not in {t.qualified for t in targets}
            if (target := new_target(waiting[name], link))
        ]
    return {**weak, **found}


def _by_pointer(
    conn: Connection, one: Landed, targets: list[Target], present: frozenset[str]
) -> Link | None:
    for key in one.table.foreign_keys:
        for target in targets:
            if (f"{key.schema}.{key.table}", key.to_column) == (target.qualified, target.key):
                return _pointer(key.column, target, Because("high", "foreign key in the database"))
    tried = [
        (column.name, target)
        for target in targets
        for column in one.table.own_columns
        if target.qualified != one.table.qualified and _may_point(one.table, column.name, target)
    ]
    # A pointer that names a table beside it means that one, and no other system's persons.
    beside = {column for column, target in tried if _is_beside(one.table, column, target)}
    tried = [
        (column, target)
        for column, target in tried
        if column not in beside or target.schema == one.table.schema
    ]
    best: Link | None = None
    for column, target in tried:
        if target.qualified not in present:
            best = best or _pointer(
                column, target, Because("low", f"by name; {target.qualified} has not landed")
            )
            continue
        share = measure.overlap(conn, one.table, column, target.relation, target.key)
        because = _judged(share, target, is_named=_is_beside(one.table, column, target))
        if because is None:
            continue
        if because.confidence == "high":
            return _pointer(column, target, because)
        best = (
            best
            if best and best.because.confidence == "medium"
            else _pointer(column, target, because)
        )
    return best


def _may_point(one: Table, column: str, target: Target) -> bool:
    # Another system's numbers are its own, unless they are those of the persons everything is about.
    if target.link != "self" and target.schema != one.schema:
        return False
    stem = shapes.link_stem(column)
    if column == target.key and column != "id":
        return True
    if stem is None:
        return False
    if shapes.names_table(stem, target.name):
        return True
    # `invoice_id` points at the history of invoices where there is no other.
    if target.name.endswith("_history") and shapes.names_table(
        stem, target.name[: -len("_history")]
    ):
        return True
    return target.link == "self" and shapes.names_a_person(stem)


def _is_beside(one: Table, column: str, target: Target) -> bool:
    stem = shapes.link_stem(column)
    return target.schema == one.schema and bool(stem and shapes.names_table(stem, target.name))


def _judged(share: Share | None, target: Target, *, is_named: bool) -> Because | None:
    if share is None:
        return Because("low", f"by name; counting it against {target.qualified} took too long")
    if share.of and not share.hits and not is_named:
        return None
    if share.of == 0:
        return Because("low", f"by name; no row names a {target.qualified}")
    why = f"{share.hits} of {share.of} values tried are a key of {target.qualified}"
    if share.share >= MOST:
        return Because("high", why)
    if share.share >= SOME:
        return Because("medium", why)
    return Because("low", f"by name; {why}")


def _pointer(column: str, target: Target, because: Because) -> Link:
    way: Literal["foreign_key", "through"] = "foreign_key" if target.link == "self" else "through"
    return Link(way, {way: (column,)}, target.qualified, because)
