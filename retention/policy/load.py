"""Reads one policy file and says, in one line, what is wrong with it.

Belongs here: from file to `Policy`, and from a problem to a file, a line and words. Does not belong
here: what a valid policy is (`model`, `checks`) and which of several is in force (`versions`).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from retention.errors import UsageError
from retention.policy.checks import problems_of
from retention.policy.model import Policy
from retention.policy.yaml_lines import Lines, Problem, Step, YamlProblem, read_yaml_bytes


def load_policy(path: Path) -> Policy:
    """The policy version in `path`.

    Raises UsageError, one line with file and line number, for a file that cannot be read, an
    unknown or missing key, rules that overlap, a missing approval, a period that is no period.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read policy {path}: {error.strerror}") from None
    return _policy(path, content)


# A job asks for the policy dozens of times, and reading it takes longer than most of its questions.
@lru_cache(maxsize=16)
def _policy(path: Path, content: bytes) -> Policy:
    try:
        data, lines = read_yaml_bytes(content)
    except YamlProblem as error:
        raise policy_error(path, error.problem) from None
    if not isinstance(data, dict):
        raise policy_error(path, Problem(1, "no policy here: the file is no mapping of keys"))
    try:
        # Through JSON, strictly: a date is text in both, and "30" is no number in either.
        policy = Policy.model_validate_json(json.dumps(data))
    except ValidationError as error:
        found = [_problem(details, data, lines) for details in error.errors()]
        raise policy_error(path, *found) from None
    found = [Problem(lines.nearest(at), text) for at, text in problems_of(policy, lines)]
    if found:
        raise policy_error(path, *found)
    policy._path = path
    return policy


def policy_error(path: Path, *problems: Problem) -> UsageError:
    """The error for the first problem in the file, and how many more there are."""
    first = min(problems, key=lambda problem: problem.line)
    more = len(problems) - 1
    rest = f" (and {more} more {'problem' if more == 1 else 'problems'})" if more else ""
    return UsageError(f"{path.parent.name}/{path.name}:{first.line}: {first.message}{rest}")


def _problem(details: ErrorDetails, data: Any, lines: Lines) -> Problem:
    at = tuple(step for step in details["loc"] if step != "[key]")
    return Problem(lines.nearest(at), _words(details, at, data))


def _words(details: ErrorDetails, at: tuple[Step, ...], data: Any) -> str:
    place = _name(at, data)
    kind = details["type"]
    if kind == "missing":
        return f"{_name(at[:-1], data) or 'the policy'} lacks the key '{at[-1]}'"
    if kind == "extra_forbidden":
        return f"unknown key '{at[-1]}' in {_name(at[:-1], data) or 'the policy'}"
    if kind == "literal_error":
        return f"{place} must be {details['ctx']['expected']}"
    message = details["msg"].removeprefix("Value error, ")
    return f"{place}: {message[:1].lower()}{message[1:]}"


def _name(at: tuple[Step, ...], data: Any) -> str:
    """The path in words a person finds again: list items by their id where they have one."""
    names: list[str] = []
    for step in at:
        data = _inside(data, step)
        identity = data.get("id") if isinstance(data, dict) and isinstance(step, int) else None
        names.append(identity if isinstance(identity, str) else str(step))
    return ".".join(names)


def _inside(data: Any, step: Step) -> Any:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None
