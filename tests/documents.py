"""What the documents tell their readers to type, and where they point.

Belongs here: reading Markdown into blocks of commands, and links. Does not belong here: checking either.

A block of `sh` or `console` is meant to be typed; in `console` the lines with `$ ` are commands and the
others what they print. `# exit 1` behind a command says how it ends, where that is not with 0. A block that
no test runs says why, on the line before it: `<!-- not run: the reason -->`.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retention.settings import load_settings

ROOT = load_settings({}).project
GENERATED = ROOT / "docs" / "reference"
PAGES = tuple(
    sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "verifier" / "README.md"))
)

_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<why>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_EXIT = re.compile(r"#.*\bexit (\d)\b")


@dataclass(frozen=True)
class Command:
    """One line to type, how it ends, and the lines that the document shows of what it prints."""

    line: str
    exit_code: int
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A fenced block: `why_not` is the reason for not running it."""

    page: Path
    language: str
    body: str
    why_not: str | None

    @property
    def is_typed(self) -> bool:
        return self.language in ("sh", "console")

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.body.splitlines()[0][:50]}"


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, found["language"], found["body"], found["why"])
        for found in _FENCE.finditer(text)
    ]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block in their order, without remarks."""
    lines: list[tuple[str, list[str]]] = []
    for line in block.body.splitlines():
        if block.language == "sh" and line.strip() and not line.startswith("#"):
            lines.append((line, []))
        elif line.startswith("$ "):
            lines.append((line.removeprefix("$ "), []))
        elif block.language == "console" and lines and line.strip():
            lines[-1][1].append(line)
    for line, shows in lines:
        ends = _EXIT.search(line)
        yield Command(_without_remark(line), int(ends[1]) if ends else 0, tuple(shows))


def _without_remark(line: str) -> str:
    return re.split(r"\s+#\s", line)[0].strip()


def retention_calls(line: str) -> Iterator[list[str]]:
    """The arguments of each call of `retention` in a line, also where another command takes its output."""
    for inner in re.findall(r"\$\((retention [^)]*)\)", line):
        yield shlex.split(inner)[1:]
    words = shlex.split(re.sub(r"\$\([^)]*\)", "value", line))
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    if words[:1] == ["retention"]:
        yield words[1:]


def links(page: Path) -> Iterator[str]:
    """Every target that a page points to, without those outside."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """What a page can be entered at, as GitHub writes a heading's name."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
