"""The files of a package: each table as JSON and CSV, and the manifest.

Belongs here: their form, in memory. Does not belong here: the letters (`letter`), and encrypting them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from retention.rights.package.holdings import Holding

MANIFEST = "manifest.json"

# What a spreadsheet would take for a formula. A telephone number is none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().]*$)")


def data_files(holdings: Sequence[Holding]) -> dict[str, bytes]:
    """Name and content of each table's two files, in a folder for each system."""
    files: dict[str, bytes] = {}
    for holding in holdings:
        place = f"data/{_folder(holding.table.system)}/{holding.table.qualified}"
        files[f"{place}.json"] = _json([row for _, row in holding.rows])
        files[f"{place}.csv"] = _csv(holding)
    return files


def manifest(
    about: Mapping[str, Any], holdings: Sequence[Holding], files: Mapping[str, bytes]
) -> bytes:
    """What the package holds: tables, columns, records with rule and role, and a hash of each file."""
    return _json(
        {
            "format": "sletteplikt-package/1",
            **about,
            "tables": [_table(holding) for holding in holdings],
            "files": {
                name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in files.items()
            },
        }
    )


def _table(holding: Holding) -> dict[str, Any]:
    table = holding.table
    return {
        "system": table.system,
        "table": table.qualified,
        "description": table.description,
        "rows": len(holding.rows),
        "no_longer_there": list(holding.vanished),
        "columns": [
            {
                "name": name,
                "kind": table.personal[name].kind if name in table.personal else None,
                "provided_by": table.provider_of(name),
            }
            for name in holding.columns
        ],
        "records": [
            {
                "record_key": one.record_key,
                "data_subject": one.subject_id,
                "controller_role": one.controller_role,
                "category": one.category,
                "rule": one.rule_id,
                "clause": one.policy_clause,
                "collected_at": one.collected_at,
                "anchor_on": one.anchor_on,
                "due_on": one.due_on,
                "status": one.status,
            }
            for one in holding.records
        ],
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def _csv(holding: Holding) -> bytes:
    """With a byte order mark and semicolons, as a spreadsheet in Norwegian expects them."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(holding.columns)
    for _, row in holding.rows:
        writer.writerow([_cell(row.get(name)) for name in holding.columns])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    # In JSON the value stands as it is.
    return f"'{text}" if isinstance(value, str) and _FORMULA.match(text) else text


def _folder(system: str) -> str:
    return re.sub(r"[^\w.-]+", "_", system) or "other"
