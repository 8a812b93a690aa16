"""Who can read landing besides the engine's services, and which person is such a service too.

Belongs here: asking the catalogue. Does not belong here: changing anybody's rights, which an
administrator does (docs/runbooks/locks.md), and the server's owner and whoever loads landing, whom
no right keeps out.
"""

from collections.abc import Iterator
from typing import Any

import psycopg

from retention.declarations import Declarations
from retention.findings import Finding
from retention.warehouse.roles import CLASSIFIER, EXAMINER, OWNER, PLANNER, PURGER, READER

Connection = psycopg.Connection[Any]

#: What people are granted. Who holds one of these is a person, or acts for one.
PEOPLE = (
    "retention_approver",
    "retention_auditor",
    "retention_rights_officer",
    "retention_custodian",
)
#: What reads landing or changes it, and is granted to jobs.
SERVICES = (CLASSIFIER, PURGER, EXAMINER, OWNER)

# A member from PostgreSQL 16 on may hold a role without a way to use it; a superuser holds every role.
_CAN_USE = """
    holders as (
        select roles.oid, roles.rolname, roles.rolcanlogin, groups.name
        from pg_catalog.pg_roles as roles
        cross join unnest(%(groups)s::text[]) as groups (name)
        where not roles.rolsuper and roles.rolname <> groups.name and (
            pg_has_role(roles.oid, groups.name::regrole, 'usage')
            or pg_has_role(roles.oid, groups.name::regrole, %(become)s)
        )
    )
"""


def readable_landing(conn: Connection, declarations: Declarations) -> Iterator[Finding]:
    """A finding per role of people, and per person's login, that can read governed landing tables."""
    rows = conn.execute(
        f"""
        with {_CAN_USE},
        asked as (
            select oid, rolname from pg_catalog.pg_roles
            where rolname = any(%(groups)s) or rolname = any(%(ordinary)s)
            union
            select oid, rolname from holders where rolcanlogin
        )
        select asked.rolname, count(*), min(declared.schema || '.' || declared.name)
        from unnest(%(schemas)s::text[], %(names)s::text[]) as declared (schema, name)
        join pg_catalog.pg_namespace as n on n.nspname = declared.schema
        join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = declared.name
        cross join asked
        where has_schema_privilege(asked.oid, n.oid, 'usage')
        and has_any_column_privilege(asked.oid, c.oid, 'select')
        group by asked.rolname order by asked.rolname
        """.encode(),  # noqa: S608
        {
            **_groups(conn, PEOPLE),
            "ordinary": [READER, PLANNER],
            "schemas": [table.schema_ for table in declarations.governed],
            "names": [table.name for table in declarations.governed],
        },
    ).fetchall()
    for role, number, first in rows:
        others = f" and {number - 1} others" if number > 1 else ""
        yield Finding(
            "landing_readable",
            f"role {role} can read landing table {first}{others}, and with it what is locked or"
            " restricted: revoke that; only the engine's services read landing",
            table=first,
        )


def closed_landing(conn: Connection) -> Iterator[Finding]:
    """The services cannot read everything that lands: then nothing is classified."""
    row = conn.execute(
        "select pg_has_role(%s, 'pg_read_all_data', 'usage')", (EXAMINER,)
    ).fetchone()
    if row is not None and not row[0]:
        yield Finding(
            "landing_closed",
            f"{EXAMINER} may not read what landed but where it was granted: have an administrator run:"
            f" grant pg_read_all_data to {EXAMINER}",
        )


def people_in_services(conn: Connection) -> Iterator[Finding]:
    """A finding per login that holds a role of people and one of the services that read landing."""
    rows = conn.execute(
        f"""
        with {_CAN_USE}
        select rolname,
            string_agg(name, ', ' order by name) filter (where name = any(%(people)s)),
            string_agg(name, ', ' order by name) filter (where name = any(%(services)s))
        from holders where rolcanlogin group by rolname
        having bool_or(name = any(%(people)s)) and bool_or(name = any(%(services)s))
        order by rolname
        """.encode(),  # noqa: S608
        {
            **_groups(conn, (*PEOPLE, *SERVICES)),
            "people": list(PEOPLE),
            "services": list(SERVICES),
        },
    ).fetchall()
    for login, people, services in rows:
        yield Finding(
            "person_in_service_role",
            f"login {login} is a person's ({people}) and may act as {services}, which read what is locked"
            " without a trace: give the job a login of its own",
        )


def _groups(conn: Connection, groups: tuple[str, ...]) -> dict[str, Any]:
    has_set = conn.info.server_version >= 160000
    return {"groups": list(groups), "become": "set" if has_set else "member"}
