"""The documents tell the truth about commands, and point at what is there.

Belongs here: what can be seen without running anything. Does not belong here: the tutorial and the README,
whose commands tests/integration/test_tutorial.py runs.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from cli.main import COMMANDS, load_command
from tests.documents import (
    GENERATED,
    PAGES,
    ROOT,
    Block,
    anchors,
    blocks,
    commands,
    links,
    retention_calls,
)

#: Words in capitals that a reader replaces, each by what it stands for here.
PLACEHOLDERS = {
    **dict.fromkeys(
        ("PLAN", "REQUEST", "RESTRICTION", "ORDER", "ID"), "00000000-0000-4000-8000-000000000000"
    ),
    **dict.fromkeys(("DATE",), "2026-01-31"),
    "DIGEST": "0" * 64,
    "TABLE": "crm.person",
    "KEY": "10",
    "KEY_ID": "12345678",
    "SCHEMA": "crm",
    "STORE": "archive",
    "REASON": "why",
    "WHY": "why",
    "VERSION": "lexly-2023-01-12",
    "TOKEN": "00000000-0000-4000-8000-000000000000",
    "FILE": "README.md",
    "DIR": "docs",
    "CHECKPOINT": "README.md",
    "K": "README.md",
    "…": "why",
}
#: A page that tells how to leave them out would be a page that nobody can follow.
MOST_NOT_RUN = 6

#: Where nobody types: what was decided, and what changed, speak of their own day.
OF_THEIR_DAY = ("docs/decisions/", "CHANGELOG.md")


def written_by_hand() -> list[Path]:
    return [
        page
        for page in PAGES
        if GENERATED not in page.parents
        and not page.relative_to(ROOT).as_posix().startswith(OF_THEIR_DAY)
    ]


TYPED = [block for page in written_by_hand() for block in blocks(page) if block.is_typed]


def parse(words: list[str]) -> None:
    """Let the command line itself read the words of one call, without running it. Raises what it raises."""
    assert words, "no command"
    name, *rest = words
    assert name in COMMANDS, f"there is no command {name!r}"
    command: Any = load_command(name)
    while getattr(command, "commands", {}) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"there is no command {name!r} below {command.name}"
        command = command.commands[name]
    command.make_context(name, rest)


def bound(word: str) -> str:
    """A word without what says that it may be left out, and with something in place of its placeholders."""
    word = word.strip("[]")
    return re.sub(r"\b[A-Z_]+\b|…", lambda found: PLACEHOLDERS.get(found[0], found[0]), word)


@pytest.mark.parametrize("block", TYPED, ids=str)
def test_every_command_exists_with_its_options(block: Block) -> None:
    for command in commands(block):
        for words in retention_calls(command.line):
            try:
                parse([bound(word) for word in words])
            except Exception as error:
                pytest.fail(f"{block}: {command.line}: {error}")


def test_what_is_written_wrong_is_noticed() -> None:
    for wrong in ("no-such", "plan no-such", "purge", "purge PLAN PLAN", "status --no-such"):
        with pytest.raises(Exception, match=r"."):
            parse([bound(word) for word in wrong.split()])


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    left_out = [block for block in TYPED if block.why_not]
    assert len(left_out) <= MOST_NOT_RUN
    assert all(len(block.why_not or "") > 10 for block in left_out)


@pytest.mark.parametrize("page", written_by_hand(), ids=lambda page: page.name)
def test_commands_in_prose_exist(page: Path) -> None:
    for said in re.findall(
        r"`retention ([a-z][a-z-]*)(?: ([a-z][a-z-]*)(?![.:/]))?", page.read_text()
    ):
        check_said(*said)


def test_commands_that_our_own_messages_name_exist() -> None:
    packages = ("retention", "landing", "expectations", "orchestration", "cli")
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
            for name, below in re.findall(
                r"`retention ([a-z][a-z-]*)(?: ([a-z][a-z-]*)(?![.:/]))?", text
            ):
                check_said(name, below)


def check_said(name: str, below: str) -> None:
    assert name in COMMANDS, f"retention {name}"
    known = getattr(load_command(name), "commands", None)
    assert not (known and below) or below in known, f"retention {name} {below}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target}: no such file"
        if anchor:
            assert anchor in anchors(there), f"{target}: no such heading"


def test_every_document_that_our_own_code_names_is_there() -> None:
    for package in (
        "retention",
        "landing",
        "expectations",
        "orchestration",
        "cli",
        "verifier",
        "dbt_project",
        "policy",
    ):
        for path in sorted((ROOT / package).rglob("*.*")):
            if path.suffix not in (".py", ".sql", ".yaml", ".yml") or "/target/" in path.as_posix():
                continue
            for named in re.findall(r"\bdocs/[\w./-]+\.md", path.read_text(encoding="utf-8")):
                assert (ROOT / named).is_file(), f"{path.relative_to(ROOT)}: {named}"


def test_every_document_is_in_the_map() -> None:
    """From docs/README.md, every page that people write can be reached."""
    seen: set[Path] = set()
    waiting = [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in links(page):
            there = (page.parent / target.partition("#")[0]).resolve()
            if there.is_dir():
                seen |= set(there.glob("*.md"))
            elif there.suffix == ".md":
                waiting.append(there)
    docs = {page for page in PAGES if (ROOT / "docs") in page.parents}
    assert {page.relative_to(ROOT).as_posix() for page in docs - seen} == set()
