"""Reading the SQL of a query: whose column each name means, and every star written out.

Belongs here: what the parser needs to be told of PostgreSQL, and where it reads it otherwise than
PostgreSQL does. Does not belong here: what follows from a query (`columns`).
"""

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from retention.lineage.origins import SYSTEM_COLUMNS, CannotFollow
from retention.lineage.values import Types

_DIALECT = "postgres"


class SqlReader:
    """Reads queries over relations with the columns in `types`."""

    def __init__(self, types: Types) -> None:
        nested: dict[str, Any] = {}
        visible: dict[str, Any] = {}
        for (schema, name), columns in types.items():
            known = dict.fromkeys((*columns, *SYSTEM_COLUMNS), "text")
            nested.setdefault(schema, {})[name] = known
            visible.setdefault(schema, {})[name] = list(columns)
        self._schema = MappingSchema(nested, visible, dialect=_DIALECT, normalize=False)

    def scope(self, query: str) -> Scope:
        """The query with every column given to its table. Raises CannotFollow."""
        try:
            tree = sqlglot.parse_one(query, dialect=_DIALECT)
            for table in tree.find_all(exp.Table):
                table.set("catalog", None)
            for arrow in list(tree.find_all(exp.Lambda)):
                arrow.replace(_as_operator(arrow))
            tree = qualify(
                tree,
                dialect=_DIALECT,
                schema=self._schema,
                validate_qualify_columns=False,
                quote_identifiers=False,
            )
            scope = build_scope(tree)
        except (SqlglotError, RecursionError) as error:
            # The message would quote the query, and a query may quote a value.
            raise CannotFollow(f"its SQL cannot be read ({type(error).__name__})") from None
        if scope is None:
            raise CannotFollow("its SQL is no query")
        return scope


def _as_operator(arrow: exp.Lambda) -> exp.Expr:
    """`f(payload -> 'a')` is read as a function of `payload`; PostgreSQL has none, and takes a field."""
    named = [exp.Column(this=name.copy()) for name in arrow.expressions]
    return exp.Tuple(expressions=[*named, arrow.this.copy()])
