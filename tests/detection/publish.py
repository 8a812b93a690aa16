"""Writes the measured tables into docs/detection.md: `python -m tests.detection.publish [--final]`.

Without `--final` the columns of the part held out are counted and not named: whoever tunes the scan may
run it.

Belongs here: a server of the tool's own, and how figures and misses are shown. Does not belong
here: what is counted (`scoring`). It shows names of columns and counts, never a value.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from retention import state
from retention.settings import load_settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate
from retention.warehouse.session import open_session
from tests.detection import measuring
from tests.detection.scoring import (
    CLASSES,
    Judged,
    false_alarms,
    missed,
    name_is_new,
    part,
    precision,
    recall,
)

DOCUMENT = measuring.ROOT / "docs" / "detection.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
_SHOWN = {
    "identifier": "identifiers",
    "name_or_address": "names and addresses",
    "other": "other kinds",
}
_PARTS = {"tune": "tuned on", "held_out": "held out"}


def tables(labelled: Sequence[Judged], generated: Sequence[Judged], *, final: bool) -> str:
    """The measured part of the document; `final` names what was missed of the part held out."""
    by_part = {name: part(labelled, name) for name in _PARTS}
    shown = [*by_part.values(), list(labelled)]
    lines = ["| | tuned on | held out | both |", "|---|---|---|---|"]

    def row(title: str, cells: Sequence[object]) -> None:
        lines.append(f"| {title} | {' | '.join(map(str, cells))} |")

    row("columns", [len(judged) for judged in shown])
    row("of these personal", [sum(x.label.personal for x in judged) for judged in shown])
    for class_ in CLASSES:
        row(f"recall, {_SHOWN[class_]}", [recall(judged, class_) for judged in shown])
    new = name_is_new(labelled)
    for class_ in CLASSES:
        cell = recall(by_part["held_out"], class_, among=new)
        row(f"… under a name that the first part lacks, {_SHOWN[class_]}", ["", cell, ""])
    row("**precision**", [precision(judged) for judged in shown])
    row("precision, right kind said first", [precision(x, exact=True) for x in shown])
    for form in ("masked", "empty"):
        for class_ in CLASSES:
            cells = [recall(judged, class_, form=form) for judged in shown]
            row(f"{form} columns found by name, {_SHOWN[class_]}", cells)
    for name, title in _PARTS.items():
        if name == "held_out" and not final:
            continue
        lines += ["", f"Missed, {title}: {_names(missed(by_part[name]))}."]
        lines += ["", f"Reported and not personal, {title}: {_names(false_alarms(by_part[name]))}."]
    lines += ["", "Made-up columns whose names say nothing, beside the two parts:", ""]
    lines += ["| | made up |", "|---|---|", f"| columns | {len(generated)} |"]
    for class_ in CLASSES:
        row(f"recall, {_SHOWN[class_]}", [recall(generated, class_)])
    row("precision", [precision(generated)])
    lines += ["", f"Missed: {_things(missed(generated))}.", ""]
    lines += [f"Reported and not personal: {_things(false_alarms(generated))}."]
    return "\n".join(lines) + "\n"


def _names(judged: Sequence[Judged]) -> str:
    return (
        ", ".join(sorted({f"`{'.'.join(x.label.name)}` ({x.label.kind})" for x in judged}))
        or "none"
    )


def _things(judged: Sequence[Judged]) -> str:
    return "; ".join(x.label.source for x in judged) or "none"


def published() -> str:
    """The measured part as it stands in the document."""
    return DOCUMENT.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="retention-detection-"))
    folder.chmod(state.STATE_MODE)
    settings = load_settings({"RETENTION_STATE_DIR": str(folder)})
    try:
        embedded.start(settings, extra={"fsync": "off"})
        with connect(settings) as conn:
            migrate(conn)
            with open_session(embedded.url(settings), autocommit=True) as admin:
                admin.execute("create database files template template0")
            labelled = measuring.judge_sample(conn)
            generated = measuring.judge_generated(conn)
        with open_session(_beside(embedded.url(settings), "files")) as conn:
            migrate(conn)
            labelled += measuring.judge_files(conn)
    finally:
        embedded.stop(settings)
        shutil.rmtree(folder)
    text = DOCUMENT.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    measured = tables(labelled, generated, final="--final" in sys.argv[1:])
    DOCUMENT.write_text(f"{head}{BEGIN}{measured}{END}{tail}", encoding="utf-8")


def _beside(url: str, database: str) -> str:
    return url.rpartition("/")[0] + f"/{database}"


if __name__ == "__main__":
    main()
