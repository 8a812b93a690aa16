"""PostgreSQL's COPY text format.

Belongs here: writing a value or a row. Does not belong here: which rows there are.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from landing.sample.scene import Value

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_line(row: Mapping[str, Value], columns: Iterable[str]) -> str:
    """One line; a column the row does not have is null."""
    return "\t".join(copy_value(row.get(column)) for column in columns) + "\n"


def copy_value(value: Value) -> str:
    """One value as COPY reads it."""
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).translate(_ESCAPES)
