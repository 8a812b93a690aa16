"""What `retention report --compare` prints: the report of a day made again beside the one kept then.

Belongs here: the comparison as tables and lines, and the exit code. Does not belong here: the comparison
itself (`retention.report.history`).
"""

from datetime import date
from typing import Any

import typer

from cli.console import progress, say, show_json, show_table
from cli.status import FINDINGS
from retention.classify import today
from retention.report.history import compare
from retention.settings import Settings


def compare_report(settings: Settings, day: date | None, *, as_json: bool) -> None:
    """Compare and print. Ends with 1 where no evidence explains a difference."""
    with progress("making the report again"):
        found = compare(settings, day or today())
    if as_json:
        show_json(found)
    else:
        _show(found)
    if found["unexplained"]:
        raise typer.Exit(FINDINGS)


def _show(found: dict[str, Any]) -> None:
    kept = found["kept"]
    say(
        f"the report of {found['as_of']} as kept at {kept['kept_at']} by {kept['kept_by']},"
        f" sha256 {kept['document_sha256']}"
    )
    if not kept["is_as_evidenced"]:
        say("what is kept of it is not what its entry in the ledger says: do not trust it")
    if found["tables"]:
        show_table(
            ("table", "then", "purged", "loaded", "unaccounted", "now", "because"),
            [
                [
                    *(one["table"], one["then"], one["purged"], one["loaded"]),
                    *(one["unaccounted"], one["now"], one["because"]),
                ]
                for one in found["tables"]
            ],
            title="then - purged + loaded + unaccounted = now",
        )
    if found["differences"]:
        show_table(
            ("figure", "row", "then", "now", "causes", "unexplained"),
            [
                [
                    one["figure"],
                    " ".join(str(value) for value in one["row"].values() if value is not None),
                    _said(one["then"], one["now"]),
                    _said(one["now"], one["then"]),
                    ", ".join(f"{name} {count}" for name, count in one["causes"].items()),
                    one["unexplained"] or None,
                ]
                for one in found["differences"]
            ],
            title="what differs",
        )
    for part in found["parts"]:
        say(f"{part['part']} differs: {', '.join(part['causes']) or 'unexplained'}")
    for name, words in found["causes"].items():
        say(f"{name}: {words}")
    for reason in found["cannot"]:
        say(f"cannot be compared: {reason}")
    if found["agrees"]:
        say("it agrees: every figure is what it was")
    elif found["unexplained"]:
        say(f"unexplained: {found['unexplained']}; no evidence accounts for it, look into it")
    else:
        say("it differs, and the evidence explains all of it")


def _said(one: dict[str, Any] | None, other: dict[str, Any] | None) -> str:
    """What a row says where the other says something else."""
    if one is None:
        return "-"
    return " ".join(
        f"{name} {value}" for name, value in one.items() if value != (other or {}).get(name)
    )
