"""The scan: what columns seem to hold, from a sample of their values and from their names.

Belongs here: going through the tables, and what a table that cannot be read becomes. Does not belong
here: the statements (`sample`), and what follows from the counts (`judge`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import errors, sql

from retention.detection.catalogue import JSON, Relation, relations
from retention.detection.judge import Looks, judge
from retention.detection.model import ColumnName, Detection
from retention.detection.sample import is_read_whole, look_at_values, look_into_documents
from retention.detection.vocabulary import NUMBER, TEXT
from retention.ledger.failures import is_lost, safe_errors

Connection = psycopg.Connection[Any]

SAMPLE_ROWS = 10_000
# One statement looks at no more columns than this; a table that has more is read again for the others.
_COLUMNS_AT_ONCE = 100
_TIMEOUT = "120s"
_PATIENCE = "20s"
_WORK_MEM = "64MB"


def detect(
    conn: Connection,
    columns: Sequence[ColumnName],
    *,
    sample_rows: int = SAMPLE_ROWS,
    foreign: bool = False,
) -> tuple[Detection, ...]:
    """What each of `columns` seems to hold, in the order asked (issue 5, part 2).

    Reads only, in a transaction that it leaves as it found it; at most `sample_rows` rows of a table.
    Counts leave the database, no value does. A table that cannot be read is judged by its columns' names,
    and so is another server's (a foreign table) unless `foreign` asks for its rows. Raises WarehouseError
    when the database is lost, Refused when the login may not use the functions of the scan.
    """
    with safe_errors("the scan for personal data"), conn.transaction(force_rollback=True):
        conn.execute("set local transaction_read_only = on")
        conn.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(_TIMEOUT)))
        conn.execute(sql.SQL("set local work_mem = {}").format(sql.Literal(_WORK_MEM)))
        asked = relations(conn, columns)
        found = {
            (relation.schema, relation.name, detection.column[2]): detection
            for relation in asked.values()
            for detection in _of_relation(conn, relation, sample_rows, foreign)
        }
    return tuple(found.get(column) or _by_name_alone(column, TEXT, "absent") for column in columns)


def _of_relation(
    conn: Connection, relation: Relation, sample_rows: int, foreign: bool
) -> Iterator[Detection]:
    looks: dict[str, Looks] = {}
    unread = None
    if relation.is_foreign and not foreign:
        unread = "foreign table"
    else:
        try:
            # A savepoint: what one table's failure undoes is this table's.
            with conn.transaction():
                looks = _looks(conn, relation, sample_rows)
        except psycopg.Error as error:
            if is_lost(error) and not isinstance(error, errors.QueryCanceled):
                raise
            unread = _why(error)
    for column, family in relation.families.items():
        name = (relation.schema, relation.name, column)
        seen = looks.get(column, Looks())
        if unread:
            yield _by_name_alone(name, family, unread)
        else:
            yield Detection(name, seen.sampled, judge(relation.name, column, family, seen))


def _looks(conn: Connection, relation: Relation, sample_rows: int) -> dict[str, Looks]:
    """What the values look like; a date, a truth value and a UUID look like nothing else."""
    plain = [c for c, family in relation.families.items() if family in (TEXT, NUMBER)]
    looks: dict[str, Looks] = {}
    for some in _portions(plain):
        looks |= look_at_values(conn, relation, some, sample_rows)
    looks |= _late(conn, relation, [c for c in plain if not looks[c].sampled], sample_rows)
    documents = [c for c, family in relation.families.items() if family == JSON]
    documents += [column for column in plain if looks[column].share("json") >= 0.5]
    for some in _portions(documents):
        for column, inside in look_into_documents(conn, relation, some, sample_rows).items():
            looks[column] = Looks(
                looks.get(column, inside).values, looks.get(column, inside).different, inside.fields
            )
    return looks


def _late(
    conn: Connection, relation: Relation, columns: list[str], sample_rows: int
) -> dict[str, Looks]:
    """Columns without a value in the sample: in a large table one that was added lately has values in few
    rows, so these are searched for, as long as that takes no longer than it may."""
    if not columns or is_read_whole(relation, sample_rows):
        return {}
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(_PATIENCE)))
            return look_at_values(
                conn, relation, columns[:_COLUMNS_AT_ONCE], sample_rows, filled=True
            )
    except errors.QueryCanceled:
        return {}


def _portions(columns: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        yield columns[start : start + _COLUMNS_AT_ONCE]


def _by_name_alone(column: ColumnName, family: str, why: str) -> Detection:
    return Detection(column, 0, judge(column[1], column[2], family, Looks()), why)


def _why(error: psycopg.Error) -> str:
    if isinstance(error, errors.QueryCanceled):
        return "it took too long"
    if isinstance(error, errors.InsufficientPrivilege):
        return "no right to read it"
    return f"the database reported {type(error).__name__}"
