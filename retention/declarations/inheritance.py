"""What a table's declaration inherits: from its folder in `dbt_project.yml`, and from its source.

Belongs here: the levels, and which of them wins. Does not belong here: what a key means (`parts`), and
reading the tables (`load`).

Levels, the nearest last: `+meta` of each folder under `sources:` in dbt_project.yml, `config.meta` of the
source, `config.meta` of the table. A key of a nearer level replaces that of a farther one as a whole; null
takes it away. (dbt merges `meta` by its first keys only, so that its own manifest shows the nearest level's
`retention` alone.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention.declarations.yaml_places import PlacedYaml, read_yaml
from retention.errors import UsageError

PROJECT_FILE = "dbt_project.yml"

# What the parts of one declaration stand under, wherever they are written.
_META = "retention"
# These say that rows are records: with them a table cannot be exempt by inheritance.
_GOVERNING = frozenset(
    {
        "accounting",
        "assignment",
        "assignment_fact",
        "consent",
        "consented",
        "contact_event",
        "follows",
        "handover",
        "lead",
        "period",
        "person",
        "personal",
        "request",
        "subject",
    }
)


@dataclass(frozen=True)
class Level:
    """What one place says. `place` is `file:line`, `scope` in words what it holds for."""

    place: str
    scope: str
    says: dict[str, Any]


@dataclass(frozen=True)
class Inherited:
    """The keys in force for one table, and for each the level that gives it."""

    keys: dict[str, Any]
    givers: dict[str, Level]


def level_of(node: dict[str, Any], place: str, scope: str) -> Level:
    """The level that `config.meta.retention` of a source or a table makes; it may say nothing."""
    meta = (node.get("config") or {}).get("meta") or {}
    return Level(place, scope, _says(meta, place))


def merge(levels: Sequence[Level]) -> Inherited:
    """The nearest level's word on each key. Raises UsageError where a table that declares what its
    rows are would be exempt by inheritance: nobody may be let go by a folder without being asked."""
    keys: dict[str, Any] = {}
    givers: dict[str, Level] = {}
    for level in levels:
        for name, value in level.says.items():
            keys[name] = value
            givers[name] = level
    keys = {name: value for name, value in keys.items() if value is not None}
    nearest = levels[-1]
    governing = sorted(_GOVERNING & nearest.says.keys())
    if "exempt" in keys and givers["exempt"] is not nearest and governing:
        raise UsageError(
            f"{nearest.place}: {nearest.scope} declares {', '.join(governing)} and is exempt by"
            f" {givers['exempt'].place}: say `exempt: null`, or leave these out"
        )
    return Inherited(keys, {name: givers[name] for name in keys})


class Project:
    """The folders of the dbt project around a folder of declarations; none where there is none."""

    def __init__(self, directory: Path) -> None:
        found = next(
            (
                folder / PROJECT_FILE
                for folder in (directory, *directory.parents)
                if (folder / PROJECT_FILE).is_file()
            ),
            None,
        )
        self._file: PlacedYaml | None = read_yaml(found) if found else None

    def levels(self, path: Path, source: str, table: str) -> Iterator[Level]:
        """The levels above a table that is declared in the file `path`, the farthest first: dbt's own
        path of a source is the project, the folders of its file, its source, its name."""
        if self._file is None:
            return
        content = self._file.content
        models = [self._file.path.parent / name for name in content.get("model-paths", ["models"])]
        folders = next(
            (path.parent.relative_to(root).parts for root in models if path.is_relative_to(root)),
            None,
        )
        if folders is None:
            return
        steps = ["sources"]
        node = content.get("sources")
        below = [str(content.get("name", "")), *folders, source, table]
        while isinstance(node, dict):
            if "+meta" in node:
                place = self._file.place(*steps, "+meta")
                yield Level(place, "/".join(steps), _says(node["+meta"], place))
            if not below:
                return
            steps.append(below.pop(0))
            node = node.get(steps[-1])


def _says(meta: Any, place: str) -> dict[str, Any]:
    says = (meta.get(_META) if isinstance(meta, dict) else meta) or {}
    if not isinstance(says, dict):
        raise UsageError(f"{place}: meta.{_META} holds no keys with values")
    return says
