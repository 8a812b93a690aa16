"""A scan of the warehouse: which columns, in two sessions at once, and its outcome remembered.

Belongs here: what the command and the jobs share. Does not belong here: looking at a table (`scan`), and
what is a finding (`retention.coverage`).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from retention.coverage import Coverage, State, compare
from retention.coverage.states import is_system
from retention.declarations import Declarations
from retention.detection.model import ColumnName, Detection
from retention.detection.remember import remember
from retention.detection.scan import SAMPLE_ROWS, detect
from retention.errors import UsageError
from retention.ledger.failures import safe_errors
from retention.lineage import built_relations
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER, EXAMINER

_SESSIONS = 2


def scan(
    settings: Settings,
    declarations: Declarations,
    *,
    declared: bool = False,
    schema: str | None = None,
    table: str | None = None,
    sample_rows: int = SAMPLE_ROWS,
) -> tuple[Detection, ...]:
    """Scan what landed and nobody declared; with `declared` also what is declared to hold no personal
    data: harmless and exempt columns, and those of exempt tables (issue 5, part 2).

    `schema` and `table` narrow it. Reads as the examiner, in read-only sessions; writes nothing. Raises
    WarehouseError when the database is lost, Refused when the login lacks a right.
    """
    with (
        connect(settings, role=EXAMINER, read_only=True) as conn,
        safe_errors("reading the catalogue"),
    ):
        coverage = compare(conn, declarations, built_relations(settings))
    if schema is not None and not any(
        schema == of_schema and table in (None, of_table) for of_schema, of_table in coverage.landed
    ):
        where = f"{schema}.{table}" if table else schema
        raise UsageError(f"nothing landed in {where}: `retention coverage` shows the schemas")
    columns = [
        column
        for column in columns_to_scan(coverage, declarations, declared=declared)
        if schema in (None, column[0]) and table in (None, column[1])
    ]
    return scan_columns(settings, columns, sample_rows=sample_rows)


def scan_columns(
    settings: Settings, columns: Sequence[ColumnName], *, sample_rows: int = SAMPLE_ROWS
) -> tuple[Detection, ...]:
    """Scan these columns, in the order asked, in two read-only sessions of the examiner at once."""
    portions = [portion for portion in _portions(columns) if portion]
    with ThreadPoolExecutor(_SESSIONS) as sessions:
        scanned = sessions.map(lambda portion: _scan(settings, portion, sample_rows), portions)
        found = {detection.column: detection for part in scanned for detection in part}
    return tuple(found[column] for column in columns)


def scan_and_remember(
    settings: Settings, declarations: Declarations, *, declared: bool
) -> tuple[Detection, ...]:
    """Scan as `scan` does, and put the outcome into the ledger as the classifier."""
    found = scan(settings, declarations, declared=declared)
    with connect(settings, role=CLASSIFIER) as conn, safe_errors("remembering what was scanned"):
        remember(conn, found)
    return found


def columns_to_scan(
    coverage: Coverage, declarations: Declarations, *, declared: bool
) -> Iterator[ColumnName]:
    """The columns of what landed that are a finding; with `declared`, also the harmless and the exempt.
    A connector's own are left out, and so are personal ones: what they hold is said already."""
    tables = {(one.schema_, one.name): one for one in declarations.tables}
    for one in coverage.landing:
        declaration = tables.get((one.schema, one.table))
        for column, state in one.columns.items():
            harmless = declaration is not None and column in declaration.harmless
            if is_system(column):
                continue
            if state is State.FINDING or (declared and (harmless or state is State.EXEMPT)):
                yield one.schema, one.table, column


def _scan(
    settings: Settings, columns: Sequence[ColumnName], sample_rows: int
) -> tuple[Detection, ...]:
    with connect(settings, role=EXAMINER, read_only=True) as conn:
        return detect(conn, columns, sample_rows=sample_rows)


def _portions(columns: Sequence[ColumnName]) -> list[list[ColumnName]]:
    """Whole tables, shared out by their number of columns: the widest first, to whoever has least."""
    tables: dict[tuple[str, str], list[ColumnName]] = {}
    for column in columns:
        tables.setdefault(column[:2], []).append(column)
    portions: list[list[ColumnName]] = [[] for _ in range(_SESSIONS)]
    for table in sorted(tables.values(), key=len, reverse=True):
        min(portions, key=len).extend(table)
    return portions
