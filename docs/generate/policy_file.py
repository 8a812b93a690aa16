"""`policy-file.md`: every key of a policy file, from the models that read it.

Belongs here: walking the models and laying their keys out. Does not belong here: what a key means, which
its field says, and what a value means for another (`retention.policy.checks`).
"""

from collections.abc import Iterator
from datetime import date
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from docs.generate.markdown import code, page_of, prose, sentence, table
from retention.policy.coverage import FindingRules
from retention.policy.model import Policy
from retention.policy.rules import Reading, Rule, RuleId
from retention.policy.values import Marked, Part

_RULE_ID: Any = RuleId
_WORDS = {str: "text", int: "whole number", bool: "true or false", date: "date"}


def page() -> str:
    """The policy itself, then every part in the order in which a reader of the file meets it."""
    parts: list[type[Part]] = [Marked, Reading, Policy, *parts_below(Policy)]
    return page_of(
        "The policy file",
        "`retention/policy/`",
        prose(
            """
            One YAML file a version, in `policy/` ([the shipped
            one](../../policy/lexly-2023-01-12.yaml)). Periods, clauses and severities stand there
            and nowhere else. A key that is not listed here is an error with its line (exit 2).
            Editors complete the keys by `policy/policy.schema.json`, made from the same models.

            **Periods** are ISO 8601 durations of whole days and longer: `P6M`, `P3Y6M`, `P30D`.
            **Numbers** of days, hours and the like are written `{value: 14, reason: "why so
            many"}`.
            """
        ),
        *(_section(part) for part in parts),
    )


def keys(model: type[Part]) -> dict[str, FieldInfo]:
    """The keys of a part as the file writes them, without those that its kind says of all."""
    shared = {key for kind in _kinds(model) for key in kind.model_fields}
    return {
        field.alias or name: field
        for name, field in model.model_fields.items()
        if name not in shared
    }


def parts_below(model: type[Part]) -> tuple[type[Part], ...]:
    """Every part that stands somewhere below, each once."""
    return tuple(_parts_below(model))


def _parts_below(model: type[Part]) -> Iterator[type[Part]]:
    seen: set[type[Part]] = set()
    waiting = list(_parts_of(model))
    while waiting:
        part = waiting.pop(0)
        if part not in seen:
            seen.add(part)
            yield part
            waiting = [*_parts_of(part), *waiting]


def _parts_of(model: type[Part]) -> Iterator[type[Part]]:
    for field in model.model_fields.values():
        yield from _inside(field.annotation)


def _inside(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for one in get_args(annotation):
        yield from _inside(one)


def _section(model: type[Part]) -> str:
    kinds = ", ".join(f"[{kind.__name__}](#{kind.__name__.lower()})" for kind in _kinds(model)[:1])
    marked = f" It is {kinds}, and has those keys too." if kinds else ""
    about = " ".join((model.__dict__.get("__doc__") or "").split("\n\n")[0].split())
    if model is FindingRules:
        findings = ", ".join(code(name) for name in keys(model))
        return f"## {model.__name__}\n\n{about} Each is a [FindingRule](#findingrule): {findings}."
    rows = [
        (
            code(name),
            sentence(field.description or ""),
            _written_as(model, field),
            _needed(field),
        )
        for name, field in keys(model).items()
    ]
    return f"## {model.__name__}\n\n{about}{marked}\n\n".replace("\n\n It", "\n\nIt") + table(
        ("key", "what it says", "written as", "needed"), rows
    )


def _kinds(model: type[Part]) -> list[type[Part]]:
    """The kinds whose keys a part has beside its own, the nearest first."""
    return [kind for kind in (Reading, Marked) if issubclass(model, kind) and model is not kind]


def _needed(field: FieldInfo) -> str:
    return "yes" if field.is_required() else ""


def _written_as(model: type[Part], field: FieldInfo) -> str:
    """The ids of rules are listed where a rule is, and nowhere else."""
    if model is Rule and field.annotation == _RULE_ID:
        return ", ".join(code(one) for one in get_args(_RULE_ID))
    return _type(field.annotation)


def _type(annotation: Any) -> str:
    """How a value is written, in words; a part by a link to it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return "period" if any(_is_period(one) for one in arguments[1:]) else _type(arguments[0])
    if origin is Literal:
        if annotation == _RULE_ID:
            return "[a rule's id](#rule)"
        return ", ".join(code(str(one)) for one in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"by name: {_type(arguments[1])}"
    if arguments:
        return " or ".join(_type(one) for one in arguments if one is not NoneType)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return _WORDS.get(annotation, str(annotation))


def _is_period(metadata: Any) -> bool:
    return "pattern" in (getattr(metadata, "json_schema", None) or {})
