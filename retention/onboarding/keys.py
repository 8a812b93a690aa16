"""What tells the rows of a table apart: the database's word for it, else counts on the rows themselves.

Belongs here: candidates and the choice among them. Does not belong here: counting (`measure`). A key is
never guessed: what is not unique, or could not be counted, is no key.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

from retention.detection import Detection
from retention.onboarding.catalogue import Connection, Table
from retention.onboarding.connectors import Known
from retention.onboarding.measure import unique_among
from retention.onboarding.model import Because, Key
from retention.onboarding.shapes import link_stem

START, END, ACTIVE = "_fivetran_start", "_fivetran_end", "_fivetran_active"
_MOST_COLUMNS = 7
_NAMING = {"name", "email", "phone", "national_id"}
# In fewer rows a column may well be unique by chance.
_CHANCE = 20


def find_key(
    conn: Connection, table: Table, known: Known | None, detections: Mapping[str, Detection]
) -> Key:
    """The key of `table`; without columns where none is known."""
    key = _find(conn, table, known)
    found = [d.found[0].kind for c in key.columns if (d := detections.get(c)) and d.found]
    # A table whose only key is somebody's address or number shows that key as its token.
    personal = len(key.columns) == 1 and bool({*found} & _NAMING)
    return replace(key, is_personal=personal)


def _find(conn: Connection, table: Table, known: Known | None) -> Key:
    if table.primary_key:
        return _with_history(table, table.primary_key, Because("high", "primary key"))
    if certain := next((key for key in table.unique if START not in key or len(key) > 1), None):
        return _with_history(table, certain, Because("high", "unique index"))
    candidates = _candidates(table, known)
    rows, unique = unique_among(conn, table, candidates)
    if rows is None:
        return Key((), Because("low", "counting the rows took too long"))
    if rows == 0:
        return Key((), Because("low", "no row to try one on"))
    if not unique:
        return Key((), Because("low", f"no column or combination is unique in {rows} rows"))
    chosen = unique[0]
    sure = known is not None and set(known.key or ("id", f"{table.name}_id")) & set(chosen)
    return _with_history(
        table,
        chosen,
        Because(
            "high" if sure and rows > 1 else "medium" if sure or rows > _CHANCE else "low",
            f"unique and never null in {rows} row{'s' if rows > 1 else ''}",
        ),
    )


def is_history(table: Table) -> bool:
    """True where Fivetran keeps every version of a row."""
    return {START, ACTIVE} <= table.names


def _candidates(table: Table, known: Known | None) -> list[tuple[str, ...]]:
    """Combinations worth counting, the most likely first; every one of a history with its start."""
    # A pointer at another row may be unique by chance; a name of its own first.
    own = [n for n in ("_fivetran_id", "id", f"{table.name}_id", "uuid") if n in table.names]
    pointers = [c.name for c in table.columns if link_stem(c.name) and c.name not in own]
    pointers.sort(key=lambda name: not table.name.endswith(link_stem(name) or ""))
    days = [c.name for c in table.own_columns if c.is_time and not c.name.startswith("updated")]
    names = [*own, *pointers][:_MOST_COLUMNS]
    wider = [*names, *days, *(c.name for c in table.own_columns if c.name in ("category", "type"))]
    singles = [(name,) for name in names]
    pairs = list(combinations(wider[: _MOST_COLUMNS + 2], 2))
    triples = list(combinations(wider[:_MOST_COLUMNS], 3))
    found: list[tuple[str, ...]] = [known.key] if known and known.key else []
    found += [*singles, *pairs, *triples]
    if is_history(table):
        found = [(*one, START) for one in found]
        # Some histories tell versions apart by nothing but their number.
        found += singles
    return list(dict.fromkeys(key for key in found if set(key) <= table.names))


def _with_history(table: Table, key: tuple[str, ...], because: Because) -> Key:
    if ACTIVE not in table.names:
        return Key(key, because)
    entity = tuple(name for name in key if name != START)
    return Key(key, because, entity if entity != key else (), ACTIVE)
