"""A proposal for everything in a schema that nobody has declared yet.

Belongs here: the order in which tables are looked at, and what is put together. Does not belong here: the
parts (`keys`, `links`, `columns`, `decisions`), the text (`yaml_text`), the file (`write`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from retention.declarations import Declarations, load_declarations
from retention.detection import Detection
from retention.detection.scan import detect
from retention.errors import UsageError
from retention.onboarding import shapes
from retention.onboarding.catalogue import Connection, Table, read_schema
from retention.onboarding.columns import sort_columns
from retention.onboarding.connectors import Connector, recognise
from retention.onboarding.decisions import Rows, decide
from retention.onboarding.keys import find_key
from retention.onboarding.links import find_links
from retention.onboarding.measure import Share, readable_dates
from retention.onboarding.model import Because, Columns, Key, Link, Proposal, SchemaProposal
from retention.onboarding.targets import Landed, declared_targets
from retention.policy import Policy, in_force, load_versions
from retention.settings import Settings

# From this share on a column of text holds dates.
_READABLE = 0.8


@dataclass(frozen=True)
class _Looked:
    """A table with what was found out about it."""

    landed: Landed
    times: tuple[str, ...]
    dates: frozenset[str]


def propose(conn: Connection, settings: Settings, schema: str, today: date) -> SchemaProposal:
    """Propose declarations for what stands in `schema` and neither in the declarations in force nor in a
    proposal that waits, under the policy in force `today`. Reads only.

    Raises UsageError for a schema that holds no table, and where a declaration does not hold.
    """
    declarations = load_declarations(settings.declarations_dir)
    proposed = load_declarations(settings.declarations_dir, proposed_for=schema)
    policy = in_force(load_versions(settings.policy_dir), today)
    tables = read_schema(conn, schema)
    if not tables:
        raise UsageError(f"schema {schema} holds no table: name one that has landed")
    recognised = recognise(tables)
    connector = recognised[1] if recognised else None
    known_before = {t.name for t in (*declarations.tables, *proposed.tables) if t.schema_ == schema}
    new = [table for table in tables if table.name not in known_before]
    detections = _detect(conn, tables)
    looked = [_look(conn, table, tables, connector, detections, today) for table in new]
    links = find_links(
        conn,
        [one.landed for one in looked],
        declared_targets(declarations),
        _present(conn),
    )
    return SchemaProposal(
        schema=schema,
        system=connector.system if connector else schema,
        recognised=(
            Because("high", f"the columns of {recognised[0]}'s tables")
            if recognised
            else Because("low", "no connector that is known; by names, types and values alone")
        ),
        tables=tuple(
            _proposal(conn, one, links.get(one.landed.table.name), policy) for one in looked
        ),
        columns=_undeclared_columns(conn, tables, declarations, detections),
        declared=tuple(sorted(t.name for t in declarations.tables if t.schema_ == schema)),
        proposed_before=tuple(sorted(t.name for t in proposed.tables if t.schema_ == schema)),
    )


def _look(
    conn: Connection,
    table: Table,
    tables: Sequence[Table],
    connector: Connector | None,
    detections: Mapping[str, Mapping[str, Detection]],
    today: date,
) -> _Looked:
    known = connector.known(table, tables) if connector else None
    if known and known.rows not in ("document",) and not known.reads <= table.names:
        known = None
    maybe = [column for column in table.columns if shapes.may_be_time(column)]
    readable = readable_dates(conn, table, maybe, today)
    dates = {
        column.name
        for column in maybe
        if column.is_time or _reads_as_dates(readable.get(column.name))
    }
    times = [
        name
        for name in shapes.event_times(table.columns)
        # A column without values dates nothing; one of the future is no event.
        if name in dates and name in readable and readable[name].hits
    ]
    kinds = {d.kind for d in detections[table.name].values()}
    rows = known.rows if known else shapes.rows_by_name(table)
    landed = Landed(
        table=table,
        known=known,
        key=find_key(conn, table, known, detections[table.name]),
        detections=detections[table.name],
        is_person_like=rows == "persons"
        or (
            known is None
            and rows == "customers"
            and bool(kinds & {"name", "email", "phone", "national_id"})
        ),
    )
    return _Looked(landed, tuple(times), frozenset(dates))


def _reads_as_dates(share: Share | None) -> bool:
    """A column that is named like a time and is empty so far is taken at its name."""
    return share is not None and (share.of == 0 or share.share >= _READABLE)


def _proposal(conn: Connection, one: _Looked, link: Link | None, policy: Policy) -> Proposal:
    landed = one.landed
    table, key = landed.table, landed.key
    system = _system_keys(table, key)
    sure = link if link and link.because.confidence != "low" else None
    pointers = [n for names in sure.columns.values() for n in names] if sure else []
    columns = sort_columns(
        conn,
        table,
        table.own_columns,
        landed.detections,
        used={*key.columns, *system.values(), *pointers},
        codes=one.dates | (landed.known.codes if landed.known else set()),
    )
    rows = _rows(one, columns)
    return Proposal(
        table=table.name,
        description=f"{rows.what[:1].upper()}{rows.what[1:]}.",
        key=key,
        system_keys=system,
        link=link,
        columns=columns,
        decision=decide(rows, link, policy),
    )


def _rows(one: _Looked, columns: Columns) -> Rows:
    table, known = one.landed.table, one.landed.known
    are = known.rows if known else shapes.rows_by_name(table)
    at = one.times[0] if one.times else None
    if known:
        at = known.at if known.at in table.names else None
    personal = bool(columns.personal)
    if known:
        because = Because("high", "a table of a connector that is known")
    elif are:
        because = Because("low", f"by the table's name, {table.name}")
    else:
        because = Because("low", "its name tells nothing")
    return Rows(
        are=are,
        what=known.what if known else f"{table.name.replace('_', ' ')}, as {table.schema} has it",
        at=at,
        because=because,
        known=known,
        has_personal=personal,
        states=shapes.states(table.columns),
        ended=shapes.ended(table.columns),
    )


def _system_keys(table: Table, key: Key) -> dict[str, str]:
    found = {}
    if "_fivetran_deleted" in table.names:
        found["soft_delete"] = "_fivetran_deleted"
    elif flag := shapes.deleted(table.columns):
        found["soft_delete"] = flag
    if key.current_when:
        found["current_when"] = key.current_when
    return found


def _detect(conn: Connection, tables: Iterable[Table]) -> dict[str, dict[str, Detection]]:
    names = [(t.schema, t.name, column.name) for t in tables for column in t.own_columns]
    found: dict[str, dict[str, Detection]] = {t.name: {} for t in tables}
    for detection in detect(conn, names):
        found[detection.column[1]][detection.column[2]] = detection
    return found


def _undeclared_columns(
    conn: Connection,
    tables: Iterable[Table],
    declarations: Declarations,
    detections: Mapping[str, Mapping[str, Detection]],
) -> dict[str, Columns]:
    """Columns that a declared table has and its declaration does not, sorted as those of a new one are."""
    found = {}
    for table in tables:
        declared = declarations.table(table.qualified)
        if declared is None or (declared.exempt and not declared.columns_declared):
            continue
        undeclared = [c for c in table.own_columns if c.name not in declared.columns_declared]
        columns = sort_columns(conn, table, undeclared, detections[table.name], used=(), codes=())
        if columns.personal or columns.harmless or columns.doubtful:
            found[table.name] = columns
    return found


def _present(conn: Connection) -> frozenset[str]:
    rows = conn.execute(
        "select n.nspname || '.' || c.relname from pg_catalog.pg_class as c"
        " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'v', 'm', 'f')"
    ).fetchall()
    return frozenset(name for (name,) in rows)
