"""The sample's marker: a comment on each schema that was made up, and what counts as landing at
all.

Belongs here: reading and writing the marker, listing landing schemas. Does not belong here:
deciding what may be done where it stands or is missing; each command does that by asking here.
"""

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

PREFIX = "sletteplikt-sample "
_OURS = ("policy", "staging", "intermediate", "retention", "ledger", "sletteplikt")
_AS_OF = re.compile(r"_as_of_")

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Marker:
    """What a sample was made from; the same three values make the same rows again."""

    seed: int
    people: int
    as_of: date

    def comment(self) -> str:
        """The schema comment that says so."""
        values = {"seed": self.seed, "people": self.people, "as_of": self.as_of.isoformat()}
        return PREFIX + json.dumps(values)


def landing_schemas(conn: Connection) -> set[str]:
    """Every schema that data lands in: not ours, not PostgreSQL's own, not an empty `public`."""
    rows = conn.execute(
        "select nspname from pg_catalog.pg_namespace"
        " where nspname <> 'information_schema' and nspname !~ '^pg_'"
        " and (nspname <> 'public' or exists (select from pg_catalog.pg_class"
        " where relnamespace = pg_namespace.oid and relkind in ('r', 'p', 'v', 'm', 'f')))"
    ).fetchall()
    names = {row[0] for row in rows}
    return {name for name in names if name not in _OURS and not _AS_OF.search(name)}


def marked_schemas(conn: Connection) -> set[str]:
    """The schemas that bear the sample's marker."""
    rows = conn.execute(
        "select nspname from pg_catalog.pg_namespace"
        " where starts_with(obj_description(oid, 'pg_namespace'), %s)",
        (PREFIX,),
    ).fetchall()
    return {row[0] for row in rows}


def read_marker(conn: Connection, schema: str) -> Marker | None:
    """The marker of `schema`; None where it bears none, or one that says nothing readable."""
    row = conn.execute(
        "select obj_description(oid, 'pg_namespace') from pg_catalog.pg_namespace"
        " where nspname = %s",
        (schema,),
    ).fetchone()
    if row is None or row[0] is None or not row[0].startswith(PREFIX):
        return None
    try:
        values = json.loads(row[0].removeprefix(PREFIX))
        return Marker(
            seed=int(values["seed"]),
            people=int(values["people"]),
            as_of=date.fromisoformat(values["as_of"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def write_marker(conn: Connection, schema: str, marker: Marker) -> None:
    """Mark `schema`, in the caller's transaction."""
    conn.execute(
        sql.SQL("comment on schema {} is {}").format(
            sql.Identifier(schema), sql.Literal(marker.comment())
        )
    )
