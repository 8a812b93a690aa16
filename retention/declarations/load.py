"""Reads the declarations from the dbt source files, with the line of what is wrong.

Belongs here: finding the YAML, positions, cross-table checks. Does not belong here: the meaning of a
single declaration (`model`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from retention.declarations.model import Declarations, TableDeclaration
from retention.errors import UsageError

# The same safe loader in C where PyYAML has it: several times faster, and every command waits for it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_declarations(directory: Path) -> Declarations:
    """All declarations below `directory` (`**/_*__sources.yml`), checked one by one and together.

    Raises UsageError, one line with file and line number, for the first that does not hold.
    """
    tables: dict[str, TableDeclaration] = {}
    for path in sorted(directory.glob("**/_*__sources.yml")):
        for table in _tables_of(path):
            if table.qualified in tables:
                raise UsageError(f"{_place(path, None)}: {table.qualified} is declared twice")
            tables[table.qualified] = table
    for table in tables.values():
        _check_links(table, tables)
    return Declarations(tables=tuple(tables[name] for name in sorted(tables)))


def _tables_of(path: Path) -> Iterator[TableDeclaration]:
    text = path.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text, Loader=_LOADER)
        content = yaml.load(text, Loader=_LOADER) or {}  # noqa: S506 - a safe loader, see above
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise UsageError(f"{path.name}:{line}: not valid YAML") from error
    for s, source in enumerate(content.get("sources", [])):
        shared = _meta(source)
        for t, table in enumerate(source.get("tables", [])):
            line = _line(root, ("sources", s, "tables", t))
            meta = _meta(table)
            if not meta:
                raise UsageError(
                    f"{_place(path, line)}: {source['name']}.{table['name']} has no "
                    "config.meta.retention; declare it or exempt it with a reason"
                )
            try:
                yield TableDeclaration.model_validate(
                    {
                        **meta,
                        "schema_": source.get("schema", source["name"]),
                        "name": table["name"],
                        "description": (table.get("description") or "").strip(),
                        "system": shared.get("system", source["name"]),
                        "owner": meta.get("owner", shared.get("owner", "")),
                        "schema_optional": bool(shared.get("optional", False)),
                    }
                )
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"]) or "retention"
                raise UsageError(
                    f"{_place(path, line)}: {source['name']}.{table['name']}: {where}: "
                    f"{first['msg'].removeprefix('Value error, ')}"
                ) from None


def _check_links(table: TableDeclaration, tables: dict[str, TableDeclaration]) -> None:
    for to in (table.subject and table.subject.to, table.assignment and table.assignment.to):
        if not to:
            continue
        target = tables.get(to)
        if target is None or target.exempt:
            raise UsageError(f"{table.qualified}: links to {to}, which is not a governed table")
    for to in _linked_by_key(table):
        if tables[to].key_is_personal:
            raise UsageError(
                f"{table.qualified}: links by key to {to}, whose key is personal and stays out of the"
                " models; link by `email` or `phone`"
            )
    if table.subject and table.subject.link in ("foreign_key", "contact_point"):
        target = tables[str(table.subject.to)]
        if not (target.subject and target.subject.self_):
            raise UsageError(
                f"{table.qualified}: {target.qualified} holds no data subjects; use `through`"
            )
    if (
        table.assignment
        and table.assignment.foreign_key
        and not tables[table.assignment.to].assignment_fact
    ):
        raise UsageError(f"{table.qualified}: {table.assignment.to} holds no assignments")


def _linked_by_key(table: TableDeclaration) -> list[str]:
    named = [table.subject.to] if table.subject and table.subject.link != "contact_point" else []
    return [to for to in (*named, table.assignment and table.assignment.to) if to]


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    return dict(((node.get("config") or {}).get("meta") or {}).get("retention") or {})


def _place(path: Path, line: int | None) -> str:
    return f"{path.name}:{line}" if line else path.name


def _line(root: yaml.Node | None, steps: tuple[str | int, ...]) -> int:
    node = root
    for step in steps:
        if isinstance(step, int) and isinstance(node, yaml.SequenceNode):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            node = next(value for key, value in node.value if key.value == step)
    return node.start_mark.line + 1 if node else 1
