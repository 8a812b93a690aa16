"""Reads the declarations from the dbt source files, with the line of what is wrong.

Belongs here: finding the YAML, cross-table checks. Does not belong here: the meaning of a single
declaration (`model`), and what one inherits (`inheritance`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from retention.declarations.inheritance import Inherited, Project, level_of, merge
from retention.declarations.model import Declarations, TableDeclaration
from retention.declarations.parts import first_problem
from retention.declarations.yaml_places import read_yaml
from retention.errors import UsageError

# Where a proposal asks a person.
_TODO = "TODO"


@dataclass(frozen=True)
class Declared:
    """A table's declaration, and where each key of it is written."""

    table: TableDeclaration
    inherited: Inherited

    def as_dict(self) -> dict[str, Any]:
        """Table, description, and per key its value, where it is written and for what it holds there."""
        return {
            "table": self.table.qualified,
            "description": self.table.description,
            "declared": {
                name: {"value": value, "place": giver.place, "scope": giver.scope}
                for name, value in self.inherited.keys.items()
                for giver in [self.inherited.givers[name]]
            },
        }


def load_declarations(directory: Path, *, proposed_for: str | None = None) -> Declarations:
    """All declarations below `directory` (`**/_*__sources.yml`), checked one by one and together.

    A source that says `proposal: true` is not in force: it is left out, unless it is of the schema
    `proposed_for`. Raises UsageError, one line with file and line number, for the first that does not
    hold, or is in force with something left to decide.
    """
    declared = _load(directory, proposed_for)
    return Declarations(tables=tuple(declared[name].table for name in sorted(declared)))


def find_declared(directory: Path, qualified: str) -> Declared:
    """One table's declaration with where it is written. Raises as `load_declarations` does, and for a
    table that is not declared."""
    declared = _load(directory)
    if qualified in declared:
        return declared[qualified]
    from difflib import get_close_matches

    near = get_close_matches(qualified, declared, n=1)
    hint = f"did you mean {near[0]}?" if near else "`retention coverage` lists what is not"
    raise UsageError(f"{qualified} is not declared: {hint}")


def _load(directory: Path, proposed_for: str | None = None) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    project = Project(directory)
    for path in sorted(directory.glob("**/_*__sources.yml")):
        for one in _tables_of(path, project, proposed_for):
            if one.table.qualified in found:
                raise UsageError(f"{path.name}: {one.table.qualified} is declared twice")
            found[one.table.qualified] = one
    tables = {name: one.table for name, one in found.items()}
    for table in tables.values():
        _check_links(table, tables)
    return found


def _tables_of(path: Path, project: Project, proposed_for: str | None) -> Iterator[Declared]:
    file = read_yaml(path)
    for s, source in enumerate(file.content.get("sources", [])):
        name = source["name"]
        of_source = level_of(source, file.place("sources", s), f"source {name}")
        if of_source.says.pop("proposal", False):
            if source.get("schema", name) != proposed_for:
                continue
        elif steps := _undecided(source, ("sources", s)):
            raise UsageError(
                f"{file.place(*steps)}: {name}: TODO is no value: decide it, or say `proposal: true` again"
            )
        for t, table in enumerate(source.get("tables", [])):
            place = file.place("sources", s, "tables", t)
            of_table = level_of(table, place, f"{name}.{table['name']}")
            above = [*project.levels(path, name, table["name"]), of_source]
            inherited = merge([*above, of_table])
            # Only what it shares with its whole source: of itself it says nothing.
            if not inherited.keys.keys() - {"system", "owner", "optional"}:
                raise UsageError(
                    f"{place}: {name}.{table['name']} has no config.meta.retention; declare it or"
                    " exempt it with a reason"
                )
            # Above a table the word speaks of the connector: it may be absent as a whole.
            connector_is_optional = merge(above).keys.get("optional", False)
            try:
                yield Declared(
                    TableDeclaration.model_validate(
                        {
                            "system": name,
                            **inherited.keys,
                            "optional": bool(of_table.says.get("optional", False)),
                            "schema_": source.get("schema", name),
                            "name": table["name"],
                            "description": (table.get("description") or "").strip(),
                            "schema_optional": connector_is_optional,
                        }
                    ),
                    inherited,
                )
            except ValidationError as error:
                key = next(iter(error.errors()[0]["loc"]), None)
                giver = inherited.givers.get(str(key))
                raise UsageError(
                    f"{giver.place if giver else place}: {name}.{table['name']}: {first_problem(error)}"
                ) from None


def _undecided(node: Any, steps: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """The way to the first value, or name of one, that is still to be decided."""
    if node == _TODO:
        return steps
    if not isinstance(node, dict | list):
        return None
    if isinstance(node, dict) and _TODO in node:
        return (*steps, _TODO)
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    return next((found for key, one in inside if (found := _undecided(one, (*steps, key)))), None)


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
    if table.subject and table.subject.same_as:
        _check_same_as(table, tables.get(table.subject.same_as.to))
    if (
        table.assignment
        and table.assignment.foreign_key
        and not tables[table.assignment.to].assignment_fact
    ):
        raise UsageError(f"{table.qualified}: {table.assignment.to} holds no assignments")


def _check_same_as(table: TableDeclaration, other: TableDeclaration | None) -> None:
    """One step only: of persons who are the same as others, one table leads."""
    subject = other.subject if other and not other.exempt and other is not table else None
    if subject is None or not subject.self_ or subject.same_as:
        raise UsageError(
            f"{table.qualified}: `same_as` names a governed table of persons that has none itself"
        )


def _linked_by_key(table: TableDeclaration) -> list[str]:
    named = [table.subject.to] if table.subject and table.subject.link != "contact_point" else []
    if table.subject and table.subject.same_as and table.subject.same_as.foreign_key:
        named.append(table.subject.same_as.to)
    return [to for to in (*named, table.assignment and table.assignment.to) if to]
