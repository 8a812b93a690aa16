"""YAML with the line of each of its parts.

Belongs here: reading a file and finding a line in it. Does not belong here: what the content means.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from retention.errors import UsageError

# The same safe loader in C where PyYAML has it: several times faster, and every command waits for it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class PlacedYaml:
    """A file's content, and where in the file a part of it stands."""

    path: Path
    content: dict[str, Any]
    root: yaml.Node | None

    def place(self, *steps: str | int) -> str:
        """`file:line` of the part that `steps` (keys and positions) lead to."""
        node = self.root
        for step in steps:
            if isinstance(step, int) and isinstance(node, yaml.SequenceNode):
                node = node.value[step]
            elif isinstance(node, yaml.MappingNode):
                node = next(value for key, value in node.value if key.value == step)
        return f"{self.path.name}:{node.start_mark.line + 1 if node else 1}"


def read_yaml(path: Path) -> PlacedYaml:
    """Read a file. Raises UsageError, with the line, for what is no YAML or no mapping."""
    text = path.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text, Loader=_LOADER)
        content = yaml.load(text, Loader=_LOADER) or {}  # noqa: S506 - a safe loader, see above
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise UsageError(f"{path.name}:{line}: not valid YAML") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path.name}:1: holds no keys with values")
    return PlacedYaml(path, content, root)
