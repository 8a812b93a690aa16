"""A figure as CSV (RFC 4180), for whoever counts on in a spreadsheet.

Belongs here: one figure to one text. Does not belong here: where the file goes (`report`).

A spreadsheet takes a cell that begins with certain signs for a formula and carries it out: such a cell,
which may come from the name of a table or the key of a record, begins with an apostrophe here, which makes
it text.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(figure: Mapping[str, Any]) -> str:
    """The figure's rows under the names of its columns; empty where there is no value."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = [column["name"] for column in figure["columns"]]
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in figure["rows"])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_BEGINS_A_FORMULA):
        return f"'{value}"
    return value
