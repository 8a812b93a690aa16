"""YAML as plain data, with the line that every value stands on.

Belongs here: reading YAML so that nothing is guessed (no `on` as true, no key twice, no alias) and
every value can be pointed at. Does not belong here: what the data means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Step = str | int


@dataclass(frozen=True)
class Problem:
    """What is wrong, and on which line."""

    line: int
    message: str


class YamlProblem(Exception):
    """The text is not the YAML we read; carries its Problem."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(line, message)


@dataclass(frozen=True)
class Lines:
    """The line of every key and list item, by its path from the root."""

    by_path: dict[tuple[Step, ...], int]

    def nearest(self, path: tuple[Step, ...]) -> int:
        """The line of `path`, or, where nothing stands there, of the nearest part around it."""
        while path and path not in self.by_path:
            path = path[:-1]
        return self.by_path.get(path, 1)


# The compiled parser, where PyYAML was built with it: a policy takes 10 ms instead of 200.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _PlainLoader(_Parser):  # type: ignore[misc]
    """YAML 1.2's core types, without floats and dates: `on`, `no` and 2023-01-12 stay text."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:null")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> tuple[Any, Lines]:
    """The data in `text` and its lines.

    Raises YamlProblem for a syntax error, a key that stands twice, an anchor or alias (a value
    written elsewhere has no line of its own), a key that is no text.
    """
    try:
        for event in yaml.parse(text, Loader=_Parser):
            if anchor := getattr(event, "anchor", None):
                no_anchors = f"no anchors or aliases here: write '{anchor}' out"
                raise YamlProblem(_line(event.start_mark), no_anchors)
        root = yaml.compose(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "it cannot be read"
        line = _line(error.problem_mark or error.context_mark)
        raise YamlProblem(line, f"not valid YAML: {problem}") from None
    except yaml.YAMLError:
        # A character that YAML does not allow: the reader knows a position, but no line.
        raise YamlProblem(1, "not valid YAML: a character that YAML does not allow") from None
    by_path: dict[tuple[Step, ...], int] = {}
    data = _plain(root, (), by_path) if root is not None else None
    return data, Lines(by_path)


def read_yaml_bytes(content: bytes) -> tuple[Any, Lines]:
    """As `read_yaml`, for what a file in UTF-8 holds."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise YamlProblem(1, "not UTF-8: save the file as UTF-8") from None
    return read_yaml(text)


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 1


def _plain(node: yaml.Node, path: tuple[Step, ...], by_path: dict[tuple[Step, ...], int]) -> Any:
    by_path.setdefault(path, _line(node.start_mark))
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, by_path))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, at), by_path) for at, item in enumerate(node.value)]
    return _scalar(node)


def _pairs(
    node: yaml.MappingNode, path: tuple[Step, ...], by_path: dict[tuple[Step, ...], int]
) -> Iterator[tuple[str, Any]]:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = _line(key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode) or not key_node.tag.endswith(":str"):
            raise YamlProblem(line, "a key must be plain text")
        key = key_node.value
        if key in seen:
            raise YamlProblem(line, f"'{key}' stands twice; the first is on line {seen[key]}")
        seen[key] = line
        by_path[(*path, key)] = line
        yield key, _plain(value_node, (*path, key), by_path)


def _scalar(node: Any) -> str | int | bool | None:
    if node.tag.endswith(":null"):
        return None
    if node.tag.endswith(":int"):
        return int(node.value, 10) if node.value.isdecimal() else str(node.value)
    # Unquoted true and false alone are booleans; yes, no, on and off are words.
    if not node.style and node.value in ("true", "false"):
        return bool(node.value == "true")
    return str(node.value)
