"""What one policy file says otherwise than another, in words, with the lines.

Belongs here: comparing two policies part by part. Does not belong here: what that does to records
(`compare`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retention.policy import Policy
from retention.policy.yaml_lines import Lines, Step, read_yaml_bytes

# A sentence is not repeated: the lines say where it stands.
_LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """One value that differs: what it was and is, and on which line of either file. A part that only one of
    them has is None in the other, and so is its line; a long text is cut short."""

    what: str
    before: str | None
    after: str | None
    line_before: int | None
    line_after: int | None


def differences(before: Policy, after: Policy) -> list[Difference]:
    """Every difference in meaning, in the order of the new file; layout and comments are none."""
    old, new = _leaves_of(before), _leaves_of(after)
    old_lines, new_lines = _lines(before), _lines(after)
    return [
        Difference(
            what=" ".join(names),
            before=_word(old[names][1]) if names in old else None,
            after=_word(new[names][1]) if names in new else None,
            line_before=old_lines.nearest(old[names][0]) if names in old else None,
            line_after=new_lines.nearest(new[names][0]) if names in new else None,
        )
        for names in [*new, *(names for names in old if names not in new)]
        if names not in old or names not in new or old[names][1] != new[names][1]
    ]


def _leaves_of(policy: Policy) -> dict[tuple[str, ...], tuple[tuple[Step, ...], Any]]:
    """Every value that is no list or mapping, by names that stay when others are put before it."""
    content = policy.model_dump(mode="json", by_alias=True)
    return {names: (at, value) for names, at, value in _leaves(content, (), ())}


def _leaves(
    data: Any, names: tuple[str, ...], at: tuple[Step, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[Step, ...], Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, (*names, key), (*at, key))
    elif isinstance(data, list):
        for number, item in enumerate(data):
            identity = item.get("id") if isinstance(item, dict) else None
            # A list of words is told by its words: their place means nothing.
            name = str(identity or (number if isinstance(item, dict | list) else item))
            yield from _leaves(item, (*names, name), (*at, number))
    else:
        yield names, at, data


def _lines(policy: Policy) -> Lines:
    assert policy.path is not None, "a policy that is compared was read from a file"
    return read_yaml_bytes(policy.path.read_bytes())[1]


def _word(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
