"""The tutorial and the README are run, command by command, as a reader would: each must end as it says, and
the tutorial's must print what it shows.

Belongs here: their commands, in order, in one throwaway warehouse. Does not belong here: what a command
does, and the other documents, whose commands are checked without running them (test_documents.py).
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from retention.ports import free_port
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.documents import PAGES, ROOT, Command, blocks, commands

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: What changes from day to day and from run to run, and is not what a document promises.
_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{16,}\b|\d[\d:TZ.-]*")
_PATIENCE_SECONDS = 900


@dataclass
class Reader:
    """Somebody who types commands in a folder of their own, below which all state lies."""

    folder: Path
    environment: Mapping[str, str]
    known: dict[str, str] = field(default_factory=dict)

    def types(self, line: str) -> subprocess.CompletedProcess[str]:
        for word in re.findall(r"\b[A-Z]{3,}\b(?!=)", line):
            if word in MEANINGS and word not in self.known:
                self.known[word] = MEANINGS[word](self)
            line = re.sub(
                rf"\b{word}\b(?!=)", lambda found: self.known.get(found[0], found[0]), line
            )
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )

    def asks(self, line: str) -> Any:
        return json.loads(self.types(f"{line} --json").stdout)


def ordinary_plan(reader: Reader) -> str:
    (plan,) = (
        one
        for one in reader.asks("retention plan list")
        if (one["scope"], one["state"]) == ("ordinary", "proposed")
    )
    return str(plan["plan_id"])


#: What a reader puts in place of a word in capitals, and knows from then on.
MEANINGS: Mapping[str, Callable[[Reader], str]] = {
    "PLAN": ordinary_plan,
    "DIGEST": lambda reader: reader.asks(f"retention plan show {reader.known['PLAN']}")["digest"],
    "KEY": lambda reader: next(
        one["vkey"] for one in reader.asks("retention keys list") if one["kind"] == "signing"
    ),
}


@pytest.fixture
def reader(own_server: Settings, clean_environment: Mapping[str, str]) -> Reader:
    # The reader's clone has its state in `.retention`; here nothing but the state is the reader's own.
    folder = own_server.state.parent
    programs = folder / "programs"
    programs.mkdir()
    for name, program in (
        ("retention", f'exec "{sys.executable}" -m cli.main "$@"'),
        # What is installed is what runs this test.
        (
            "make",
            f'exec /usr/bin/env -u MAKEFLAGS PATH="$REAL_PATH" make -C "{ROOT}" VENV="{sys.prefix}"'
            f' -o "{sys.prefix}/.installed" "$@"',
        ),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    (folder / ".retention").symlink_to(own_server.state)
    return Reader(
        folder,
        {
            **clean_environment,
            "PATH": f"{programs}:{clean_environment['PATH']}",
            "REAL_PATH": clean_environment["PATH"],
            "PYTHONPATH": str(ROOT),
            "RETENTION_PROJECT_DIR": str(ROOT),
            "RETENTION_STATE_DIR": str(own_server.state),
            "RETENTION_UI_PORT": str(free_port()),
            "NO_COLOR": "1",
        },
    )


def plain(text: str) -> str:
    """Text without what changes, on one line."""
    return " ".join(_CHANGING.sub("#", text).split())


def check(reader: Reader, command: Command) -> None:
    done = reader.types(command.line)
    printed = done.stdout + done.stderr
    assert done.returncode == command.exit_code, f"{command.line}: {printed[-2000:]}"
    for line in command.shows:
        # What stands between the gaps must be printed, in that order.
        parts = [re.escape(plain(part)) for part in line.split("…") if part.strip()]
        assert re.search(".*".join(parts), plain(printed)), (
            f"{command.line} prints no {line!r}:\n{printed}"
        )


def test_a_reader_gets_from_a_fresh_clone_to_a_deletion_report_and_on(
    reader: Reader, own_server: Settings
) -> None:
    for page in (ROOT / "docs" / "tutorial.md", ROOT / "README.md"):
        for block in blocks(page):
            if block.why_not is None:
                for command in commands(block):
                    check(reader, command)
    with connect(own_server, read_only=True) as conn:
        every_query_of_the_documents_runs(conn)


def every_query_of_the_documents_runs(conn: psycopg.Connection[Any]) -> None:
    """Each `select` in a document finds its relations and columns, in a warehouse that holds something."""
    found = 0
    for page in PAGES:
        for block in blocks(page):
            # A model of dbt is no query before dbt has read it.
            if (
                block.language == "sql"
                and block.body.startswith("select")
                and "{{" not in block.body
            ):
                assert conn.execute(block.body.encode()).fetchall() is not None
                found += 1
    assert found
