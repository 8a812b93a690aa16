"""The check `nothing_locked_in_use`: no model and no table of anybody's shows a record out of use.

Belongs here: looking, with queries of its own, for rows of locked and restricted records outside
landing, and for views that read landing past the macro `in_use`. Does not belong here: taking the
rows out (`withdraw`), with which this shares no code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from retention.declarations import Declarations, TableDeclaration, load_declarations
from retention.ledger.failures import safe_errors
from retention.lineage.find import is_own
from retention.lineage.manifest import Manifest, Node, read_manifest
from retention.settings import Settings
from retention.verify.downstream import candidates, holds_rows
from retention.warehouse.connection import connect
from retention.warehouse.roles import EXAMINER

Connection = psycopg.Connection[Any]

# `intermediate` and `staging` hold keys and dates alone; the data team's models may lie in `retention`.
_NOT_LOOKED_AT = ("ledger", "policy", "sletteplikt", "staging", "intermediate")
_LEAVES_OUT = ("intermediate", "int_out_of_use")

# By the status that was given and by the blockers themselves: neither can hide behind the other.
_OUT_OF_USE = """
    select records.record_key from retention.records as records
    where records.source_schema = {schema} and records.source_table = {table}
    and records.status in ('locked', 'restricted')
    union
    select cases.record_key
    from ledger.blockers as blockers
    join intermediate.int_record_cases as cases on blockers.target in (
        cases.subject_token::text,
        cases.assignment_id,
        cases.source_schema || '.' || cases.source_table,
        cases.source_schema || '.' || cases.source_table || ':' || cases.record_key
    )
    where cases.source_schema = {schema} and cases.source_table = {table}
    and blockers.kind <> 'hold' and blockers.released_at is null
    and (blockers.kind = 'restriction' or blockers.until_on >= ledger.today())
"""


@dataclass(frozen=True)
class Shown:
    """A place that shows records out of use: how many rows, or None for a view that leaves nothing
    out."""

    where: str
    rows: int | None
    table: str

    @property
    def message(self) -> str:
        """What is shown there, and what to do about it."""
        if self.rows is None:
            return (
                f"{self.where} shows rows of {self.table} without leaving out what is locked or"
                " restricted: read it through the macro `in_use`"
            )
        return (
            f"{self.where} holds {self.rows} rows of {self.table} that are locked or restricted: read"
            " landing through the macro `in_use`, and delete them there"
        )


@dataclass(frozen=True)
class Checked:
    """The outcome: records out of use that were looked for, places looked at, and what shows some."""

    records: int
    places: int
    shown: tuple[Shown, ...]


def check(settings: Settings) -> Checked:
    """Look for records out of use as the examiner, and leave the outcome as evidence.

    Raises Refused where nothing is classified yet or this login may not act as the examiner, UsageError
    where a declaration does not hold.
    """
    declarations = load_declarations(settings.declarations_dir)
    manifest = read_manifest(settings)
    with connect(settings, role=EXAMINER) as conn, safe_errors("looking for locked records in use"):
        # The look itself cannot write, whatever code a table's author hung on it.
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            outcome = _look(conn, manifest, declarations)
        found = [
            {"where": one.where, "rows": one.rows, "table": one.table} for one in outcome.shown
        ]
        conn.execute(
            "select ledger.record_in_use_check(%s, %s, %s)",
            (outcome.records, outcome.places, Jsonb(found)),
        )
    return outcome


def _look(conn: Connection, manifest: Manifest, declarations: Declarations) -> Checked:
    declared = {table.qualified for table in declarations.tables}
    records = places = 0
    shown: list[Shown] = []
    reached: set[tuple[str, str]] = set()
    for table in declarations.governed:
        keys = sql.SQL(_OUT_OF_USE).format(
            schema=sql.Literal(table.schema_), table=sql.Literal(table.name)
        )
        out_of_use = _count(conn, sql.SQL("select count(*) from ({}) as keys").format(keys))
        records += out_of_use
        if not out_of_use:
            continue
        reached.add((table.schema_, table.name))
        for rows_at in _held(conn, table, declared, keys):
            places += 1
            if rows_at.rows:
                shown.append(rows_at)
    views = list(_views(conn, manifest, declarations))
    for view in views:
        for relation in sorted(_read_past(view, manifest, {one.id for one in views}) & reached):
            shown.append(Shown(".".join(view.relation), None, ".".join(relation)))
    return Checked(records, places + len(views), tuple(shown))


def _held(
    conn: Connection, table: TableDeclaration, declared: set[str], keys: sql.Composed
) -> Iterator[Shown]:
    """Every place whose columns fit the table's key, with how many rows of the keys lie there."""
    if not table.key:
        return
    for candidate in candidates(conn, table, declared, _NOT_LOOKED_AT):
        place = candidate.place
        rows = _count(
            conn,
            sql.SQL("select count(*) from {} as held where {} in ({})").format(
                place.relation, place.key_text, keys
            ),
        )
        is_theirs = rows and holds_rows(conn, table, candidate)
        yield Shown(place.name, rows if is_theirs else 0, table.qualified)


def _views(conn: Connection, manifest: Manifest, declarations: Declarations) -> Iterator[Node]:
    """The views that dbt built besides the project's own, as they stand."""
    governed = {(table.schema_, table.name) for table in declarations.governed}
    standing = set(
        conn.execute(
            "select n.nspname::text, c.relname::text from pg_catalog.pg_class as c"
            " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace where c.relkind = 'v'"
        ).fetchall()
    )
    for node in manifest.nodes:
        if node.relation in standing and not is_own(node, manifest, governed):
            yield node


def _read_past(view: Node, manifest: Manifest, views: set[str]) -> set[tuple[str, str]]:
    """The sources that a view reads, by itself or through other views, where nothing is left out."""
    leaves_out = {node.id for node in manifest.nodes if node.relation == _LEAVES_OUT}
    found: set[tuple[str, str]] = set()
    pending, seen = [view.id], set[str]()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        parents = manifest.parents.get(current, ())
        if not leaves_out & set(parents):
            found |= {manifest.sources[parent] for parent in parents if parent in manifest.sources}
        pending += [parent for parent in parents if parent in views]
    return found


def _count(conn: Connection, query: sql.Composed) -> int:
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0
