"""Every mutation of a GraphQL schema as a call that the server would carry out, made by introspection.

Belongs here: from the schema to documents with arguments. Does not belong here: sending them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    build_client_schema,
    get_named_type,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
)
from graphql.type import GraphQLArgument, GraphQLInputField

_SCALARS: Mapping[str, Any] = {"String": "x", "ID": "x", "Int": 1, "Float": 1.0, "Boolean": True}


@dataclass(frozen=True)
class Call:
    """One mutation. `field` is the selection with its variables in place, `declared` their types."""

    name: str
    field: str
    declared: str
    variables: Mapping[str, Any]

    @property
    def document(self) -> str:
        head = f"mutation M({self.declared})" if self.declared else "mutation M"
        return f"{head} {{ {self.field} }}"


def calls(introspected: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Call]:
    """A call of every mutation. `known` gives values that the server knows, by the name of the argument
    or of the input's field, or as `mutation.argument` where one means something else; an argument that
    is neither known nor required is left out."""
    schema = build_client_schema(introspected)  # type: ignore[arg-type]
    assert schema.mutation_type is not None
    for name, mutation in schema.mutation_type.fields.items():
        variables = {
            argument: _value(kind.type, f"{name}.{argument}", known)
            for argument, kind in mutation.args.items()
            if _is_given(kind, f"{name}.{argument}", known)
        }
        declared = ", ".join(f"${one}: {mutation.args[one].type}" for one in variables)
        given = ", ".join(f"{one}: ${one}" for one in variables)
        selection = _selection(get_named_type(mutation.type))
        yield Call(name, f"{name}{f'({given})' if given else ''}{selection}", declared, variables)


def _is_given(
    kind: GraphQLArgument | GraphQLInputField, path: str, known: Mapping[str, Any]
) -> bool:
    required = (
        is_required_argument(kind)
        if isinstance(kind, GraphQLArgument)
        else is_required_input_field(kind)
    )
    return required or path in known or path.rpartition(".")[2] in known


def _value(kind: GraphQLInputType, path: str, known: Mapping[str, Any]) -> Any:
    for name in (path, path.rpartition(".")[2]):
        if name in known:
            return known[name]
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return [_value(kind.of_type, path, known)]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: _value(field.type, f"{path}.{name}", known)
            for name, field in kind.fields.items()
            if _is_given(field, f"{path}.{name}", known)
        }
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return _SCALARS.get(str(kind), "{}")


def _selection(kind: Any) -> str:
    """What to ask of the answer: its type, and of an error what it says."""
    if not isinstance(kind, GraphQLObjectType | GraphQLUnionType):
        return ""
    return " { __typename }"
