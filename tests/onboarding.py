"""Answering a proposal as docs/runbooks/onboard-a-source.md tells a person to: edits of text, nothing else.

Belongs here: those edits, the command between them, and reading the answers that the runbook gives as its
example. Does not belong
here: what is proposed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from retention.settings import Settings

RUNBOOK = Path(__file__).resolve().parents[1] / "docs" / "runbooks" / "onboard-a-source.md"
OWNER = "data-platform@lexly.no"
REVIEW_ON = "2027-06-30"


def example_answers() -> dict[tuple[str, str], str]:
    """The runbook's table of answers: by schema and table `take` or `leave`."""
    found = {}
    for line in RUNBOOK.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"\| (take|leave) \| `(\w+)` \| (.+) \|", line)
        if match:
            for table in re.findall(r"`(\w+)`", match[3]):
                found[match[2], table] = match[1]
    return found


def todos_said(schema: str) -> int:
    """How many decisions the runbook says that a schema needs at most."""
    match = re.search(rf"`{schema}`: at most (\d+) decisions", RUNBOOK.read_text(encoding="utf-8"))
    assert match, f"the runbook says no number of decisions for {schema}"
    return int(match[1])


def answered(text: str, answers: dict[str, str]) -> str:
    """`text` with every decision made: an owner, and for each table the answer proposed or none."""
    head, *tables = re.split(r"(?m)^(?=      - name: )", text)
    done = [head.replace("owner: TODO", f"owner: {OWNER}")]
    for table in tables:
        name = re.match(r"      - name: (\S+)", table)
        assert name
        done.append(take(table) if answers[name[1]] == "take" else leave(table))
    return "".join(done)


def take(table: str) -> str:
    """The answer that stands behind `#| ` in place of the lines of the same name."""
    lines = table.splitlines(keepends=True)
    answer = [line for line in lines if line.lstrip().startswith("#| ")]
    assert answer, "there is no answer to take"
    keys = {re.match(r"\s*#\| (\w+):", line)[1] for line in answer if _is_key(line)} | {"follows"}
    kept = [
        line for line in lines if not ((key := re.match(r" {14}(\w+):", line)) and key[1] in keys)
    ]
    text = "".join(kept).replace("#| ", "")
    return _without_questions(text.replace("owner: TODO", f"owner: {OWNER}")).replace(
        "review_on: TODO", f"review_on: {REVIEW_ON}"
    )


def leave(table: str) -> str:
    """The table as it is, under review: the question and the answer nobody took are gone."""
    lines = table.splitlines(keepends=True)
    return _without_questions("".join(ln for ln in lines if not ln.lstrip().startswith("#| ")))


def in_force(text: str) -> str:
    """The last edit."""
    return text.replace("          proposal: true\n", "")


def _is_key(line: str) -> bool:
    return re.match(r"\s*#\| \w+:", line) is not None


def _without_questions(text: str) -> str:
    """Without the comments that begin with TODO, and without the word where it stands behind a line."""
    kept, is_question = [], False
    for line in text.splitlines(keepends=True):
        is_comment = line.lstrip().startswith("# ")
        is_question = is_comment and (is_question or line.lstrip().startswith("# TODO"))
        if not is_question:
            kept.append(line)
    return re.sub(r"  # TODO .*", "", "".join(kept))


def retention(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a person calls it."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        # A pipe has no width, whatever the caller's terminal has.
        env={
            **{name: value for name, value in os.environ.items() if name != "COLUMNS"},
            **settings.as_environment(),
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
