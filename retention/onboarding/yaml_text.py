"""A proposal as YAML, laid out as the declarations are by hand.

Belongs here: lines, comments, and what stands as a comment until a person decides. Does not belong here:
what is proposed. Short maps and lists stand in one line, long ones a line an entry.

Three marks: a comment says how sure each line is and why; `TODO` asks a person; lines that begin with `#| `
are the answer proposed, to be taken in place of those of the same name.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from retention.onboarding.model import TODO, Columns, Decision, Proposal, SchemaProposal

_WIDTH = 100
ANSWER = "#| "
_AT = " " * 14  # where the keys of a table's declaration stand


def file_text(proposal: SchemaProposal) -> str:
    """The whole file: a source with all its proposed tables, not in force."""
    lines = [
        "version: 2",
        "",
        *_comment(
            f"Proposed by `retention onboard {proposal.schema}`, and not in force: delete the line"
            " `proposal: true` when every question is answered (docs/runbooks/onboard-a-source.md).",
            "",
        ),
        "sources:",
        f"  - name: {_flow(proposal.schema)}",
        f"    schema: {_flow(proposal.schema)}",
        "    config:",
        "      meta:",
        "        retention:",
        "          proposal: true",
        f"          system: {_flow(proposal.system)}  # {proposal.recognised}",
        f"          owner: {TODO}  # who answers for these tables: an address that is read",
        "    tables:",
    ]
    for table in proposal.tables:
        lines += [*table_lines(table), ""]
    return "\n".join(lines).rstrip() + "\n"


def table_lines(table: Proposal) -> list[str]:
    """One table of the source."""
    lines = [
        f"      - name: {_flow(table.table)}",
        f"        description: {_line(table.description)}",
        "        config:",
        "          meta:",
        "            retention:",
    ]
    lines += _key(table)
    for name, value in table.system_keys.items():
        lines += _entry(name, value)
    answer = dict(table.decision.answer)
    # A link that is sure stands by itself, as do the persons that other tables link to; the rest waits
    # with the answer.
    link = table.link
    is_sure = link and (link.because.confidence == "high" or link.way == "self")
    if link and is_sure and "exempt" not in answer:
        lines += _entry("subject", link.as_subject(), str(link.because))
        if answer.get("subject") == link.as_subject():
            del answer["subject"]
    lines += _decision(table, answer)
    return lines + columns_lines(table.columns, is_asked="exempt" not in answer)


def columns_lines(columns: Columns, at: str = _AT, *, is_asked: bool = True) -> list[str]:
    """`personal` and `harmless`; where `is_asked`, a person must look at those in doubt."""
    lines = []
    if columns.personal or columns.doubtful:
        lines.append(f"{at}personal:")
        lines += [
            f"{at}  {_flow(name)}: {kind}  # {because}"
            for name, (kind, because) in sorted(columns.personal.items())
        ]
    if columns.doubtful:
        asked = (
            f"{TODO} Neither name nor values tell. They count as personal until somebody looks: name the"
            " kind, or move them to `harmless`."
        )
        unasked = "In doubt; an exemption of the table settles them."
        lines += _comment(asked if is_asked else unasked, f"{at}  ")
        lines += [f"{at}  {_flow(name)}: other" for name in sorted(columns.doubtful)]
    if columns.harmless:
        lines += _entry("harmless", sorted(columns.harmless), at=at)
    return lines


def fragment_text(columns: Columns) -> str:
    """Lines to add to a declaration that lacks these columns, where it lists its own."""
    return "\n".join(columns_lines(columns))


def open_todos(text: str) -> int:
    """How many decisions `text` still asks for. Those inside an answer that nobody took do not count."""
    return sum(
        TODO in line and not line.lstrip().startswith(ANSWER.rstrip()) for line in text.splitlines()
    )


def _key(table: Proposal) -> list[str]:
    key = table.key
    if not key.columns:
        return _comment(
            f"{TODO} No key: {key.because.why}. Name one, or its rows stay under review.", _AT
        )
    columns: Any = key.columns[0] if len(key.columns) == 1 else list(key.columns)
    is_doubtful = key.because.confidence == "low" and "exempt" not in table.decision.answer
    asked = f"{TODO} is it unique by design? " if is_doubtful else ""
    lines = _entry("key", columns, f"{asked}{key.because}")
    if key.is_personal:
        lines += _entry("key_is_personal", True)
    if key.entity:
        lines += _entry("entity", key.entity[0] if len(key.entity) == 1 else list(key.entity))
    return lines


def _decision(table: Proposal, answer: Mapping[str, Any]) -> list[str]:
    decision: Decision = table.decision
    doubt = ""
    if table.link and "subject" in answer and table.link.because.confidence != "high":
        doubt = f" The link to a person is {table.link.because}."
    lines = _comment(f"{TODO} {decision.question} ({decision.because}){doubt}", _AT)
    lines += _entry("follows", "review")
    for name, value in answer.items():
        lines += [f"{_AT}{ANSWER}{line}" for line in _entry(name, value, at="")]
    return lines


def _entry(name: str, value: Any, note: str = "", at: str = _AT) -> list[str]:
    """`name: value` in one line where it fits, else a line an entry; the note goes with its first line."""
    said = f"  # {note}" if note else ""
    one = f"{at}{_flow(name)}: {_line(value)}"
    if len(one) <= _WIDTH - len(_AT) + len(at) or not isinstance(value, list | tuple | Mapping):
        return [one + said]
    return [f"{at}{_flow(name)}:{said}", *_block(value, f"{at}  ")]


def _block(value: Any, at: str) -> list[str]:
    if isinstance(value, Mapping):
        return [line for name, one in value.items() for line in _entry(name, one, at=at)]
    lines: list[str] = []
    for one in value:
        if isinstance(one, Mapping) and len(at) + len(_flow(one)) > _WIDTH - len(_AT):
            first, *rest = _block(one, f"{at}  ")
            lines += [f"{at}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{at}- {_flow(one)}")
    return lines


def _line(value: Any) -> str:
    """A value that stands alone behind its key."""
    if not isinstance(value, str):
        return _flow(value)
    text = yaml.safe_dump(value, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _flow(value: Any) -> str:
    """A value as it stands inside a list or map of one line."""
    listed = yaml.safe_dump(
        [_plain(value)],
        default_flow_style=True,
        sort_keys=False,
        width=10_000,
        allow_unicode=True,
    )
    return listed.strip()[1:-1]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return (
        [_plain(one) for one in value]
        if isinstance(value, Sequence) and not isinstance(value, str)
        else value
    )


def _comment(text: str, at: str) -> list[str]:
    return [
        f"{at}# {line}"
        for line in textwrap.wrap(text, _WIDTH - len(at) - 2, break_long_words=False)
    ]
