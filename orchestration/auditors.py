"""The auditors' webserver: `python -m orchestration.auditors --host … --port … --workspace …`.

Belongs here: what it leaves out of Dagster's own webserver. Does not belong here: starting it
(`services`), and who may reach it (the proxy with the login, `deploy/nginx`).

`--read-only` withholds permissions, and it is for each mutation to ask whether it has one: two ask for
none. So three things stand in a row here, each enough by itself: no permission is given; a document with
a mutation in it is not valid, asked for or not; and of the routes only those are there that the pages
need, none of which takes events in or hands files out. The database session, which can only read, is
the fourth (`instance.reading_environment`).
"""

import sys
from collections.abc import Collection
from typing import Any

from dagster_webserver import app
from dagster_webserver.cli import cli
from dagster_webserver.webserver import DagsterWebserver
from graphql import (
    ASTValidationRule,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
)
from starlette.routing import BaseRoute

REFUSAL = "auditors read: a mutation is refused"

_PATHS = ("/server_info", "/graphql", "/{path:path}", "/")


class NoMutation(ASTValidationRule):
    """Makes a document with any mutation in it invalid, so that no part of it is executed."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        if node.operation is OperationType.MUTATION:
            self.report_error(GraphQLError(REFUSAL, node))


class AuditorWebserver(DagsterWebserver[Any, Any]):
    """Dagster's webserver without what changes something."""

    def build_graphql_validation_rules(self) -> Collection[type[ASTValidationRule]]:
        return [*super().build_graphql_validation_rules(), NoMutation]

    def build_routes(self) -> list[BaseRoute]:
        routes: list[BaseRoute] = super().build_routes()  # type: ignore[no-untyped-call]
        return [route for route in routes if _is_needed(route)]


def _is_needed(route: BaseRoute) -> bool:
    name = getattr(route, "name", None) or ""
    return getattr(route, "path", None) in _PATHS or name.endswith("_static")


def main() -> None:
    """Serve with this process's arguments; ends the process."""
    # The command line makes its webserver in one place, by this name, and has no option for another.
    setattr(app, "DagsterWebserver", AuditorWebserver)  # noqa: B010
    cli(args=[*sys.argv[1:], "--read-only"], prog_name="auditors")


if __name__ == "__main__":
    main()
