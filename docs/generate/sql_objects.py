"""`sql.md`: every relation and function that people's roles may use, with its columns.

Belongs here: reading grants and comments from a migrated database, and dbt's YAML. Does
not belong here: the comments themselves, which stand with the SQL.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import yaml

from docs.generate.markdown import code, page_of, prose, sentence, table
from retention.rights.out_of_use.access import PEOPLE
from retention.settings import load_settings
from retention.warehouse.migrate import FUNCTIONS
from retention.warehouse.roles import READER

Connection = psycopg.Connection[Any]

ROLES = (READER, *PEOPLE)
SCHEMAS = ("ledger", "sletteplikt")

_OF_VIEWS = """
    select
        c.oid::regclass::text, obj_description(c.oid, 'pg_class'), granted.roles,
        array(
            select array[
                a.attname::text, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
            ]
            from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            order by a.attnum
        )
    from pg_class as c
    cross join lateral (
        select array_agg(distinct g.grantee::regrole::text order by g.grantee::regrole::text)
        from aclexplode(c.relacl) as g
        where g.privilege_type = 'SELECT' and g.grantee::regrole::text = any(%s)
    ) as granted (roles)
    where c.relnamespace::regnamespace::text = any(%s) and c.relkind = any(%s) and granted.roles is not null
    order by c.oid::regclass::text
"""
_OF_FUNCTIONS = """
    select p.oid::regproc::text, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid),
        obj_description(p.oid, 'pg_proc'), granted.roles
    from pg_proc as p
    cross join lateral (
        select array_agg(distinct g.grantee::regrole::text order by g.grantee::regrole::text)
        from aclexplode(p.proacl) as g
        where g.privilege_type = 'EXECUTE' and g.grantee::regrole::text = any(%s)
    ) as granted (roles)
    where p.pronamespace::regnamespace::text = any(%s) and granted.roles is not null
    order by p.oid::regproc::text, pg_get_function_identity_arguments(p.oid)
"""
_FUNCTION = re.compile(r"((?:--[^\n]*\n)*)create or replace function (\w+\.\w+)", re.MULTILINE)


def page(conn: Connection) -> str:
    """What dbt builds, then views, tables and functions of the ledger."""
    functions = list(conn.execute(_OF_FUNCTIONS, (list(ROLES), list(SCHEMAS))))
    return page_of(
        "SQL for auditors and other tools",
        "the database's own comments and dbt's YAML",
        prose(
            """
            Names without `retention_` say which role may read or call it; a login is granted
            roles ([how](../how-to/run-on-your-warehouse.md)), and without one sees nothing. No
            relation here holds a personal value; the few functions that show one leave a
            disclosure on record first.

            ## Schema `retention`

            Built by dbt with enforced contracts, anew at each run; read by `reader`. A replay of
            a past day stands beside it with a suffix (`retention_as_of_20260301`).
            """
        ),
        *_built(),
        prose(
            """
            ## Schema `policy`

            The policy that was applied, as tables; read by `reader`.
            """
        ),
        _policy_tables(),
        prose(
            """
            ## Views of the evidence

            `audit_*` are an auditor's: what there is, what was decided and by whom; no key, no
            token, no word that a person wrote.
            """
        ),
        *(_relation(*row) for row in _relations(conn, "v")),
        prose(
            """
            ## Tables

            Read, never written: rows change through functions alone, and evidence never does.
            """
        ),
        _tables(conn),
        prose(
            """
            ## Functions

            What the commands call. Each checks for itself who asks, and writes its evidence in
            the same transaction.
            """
        ),
        _functions(row for row in functions if row[0].startswith("ledger.")),
        prose(
            """
            ## Schema `sletteplikt`

            How models read keys, dates, numbers and contact points, whatever type they landed in;
            called by `reader`.
            """
        ),
        _readings(row for row in functions if row[0].startswith("sletteplikt.")),
    )


def undescribed(conn: Connection) -> list[str]:
    """What people may use and nothing is said of."""
    missing = [
        f"{name}.{column}"
        for name, _, _, columns in _relations(conn, "v")
        for column, _, said in columns
        if not said
    ]
    for name, said, _, _ in _relations(conn, "v", "r"):
        missing += [] if said else [name]
    said_of = _written()
    functions = list(conn.execute(_OF_FUNCTIONS, (list(ROLES), list(SCHEMAS))))
    for name, _, _, said, _ in functions:
        said_of[name] = said_of.get(name) or said or ""
    missing += [f"{name}()" for name, *_ in functions if not said_of[name]]
    return sorted(set(missing))


def _relation(name: str, said: str | None, roles: Sequence[str], columns: Any) -> str:
    rows = [(code(column), code(kind), sentence(about or "")) for column, kind, about in columns]
    return (
        f"### `{name}`\n\n{sentence(said or '')} Read by {_short(roles)}.\n\n"
        f"{table(('column', 'type', 'what it says'), rows)}"
    )


def _relations(conn: Connection, *kinds: str) -> list[Any]:
    return list(conn.execute(_OF_VIEWS, (list(ROLES), list(SCHEMAS), list(kinds))))


def _tables(conn: Connection) -> str:
    return table(
        ("table", "what it holds", "read by"),
        [
            (code(name), sentence(said or ""), _short(roles))
            for name, said, roles, _ in _relations(conn, "r")
        ],
    )


def _functions(functions: Iterable[Any]) -> str:
    written = _written()
    rows = []
    for name, arguments, result, said, roles in functions:
        returns = "table" if result.startswith("TABLE") else result
        about = _first_sentence(said or written.get(name, ""))
        rows.append((code(f"{name}({arguments})"), code(returns), about, _short(roles)))
    return table(("function", "returns", "what it does", "called by"), rows)


def _readings(functions: Iterable[Any]) -> str:
    """One that reads a value in several types is one function to its reader."""
    written = _written()
    said: dict[str, str] = {}
    for name, _, _, comment, _ in functions:
        said[name] = said.get(name) or comment or written.get(name, "")
    rows = [(code(f"{name}(…)"), _first_sentence(about)) for name, about in said.items()]
    return table(("function", "what it does"), rows)


def _policy_tables() -> str:
    described = yaml.safe_load(
        (load_settings({}).dbt_dir / "seeds" / "_seeds.yml").read_text("utf-8")
    )
    return table(
        ("table", "what it holds"),
        [
            (code(f"policy.{one['name']}"), sentence(one["description"]))
            for one in described["seeds"]
        ],
    )


def _written() -> dict[str, str]:
    """What the SQL files say of a function, in the comment right above it."""
    found: dict[str, str] = {}
    for path in sorted(FUNCTIONS.glob("*.sql")):
        for comment, name in _FUNCTION.findall(path.read_text(encoding="utf-8")):
            text = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
            found[name] = found.get(name) or text
    return found


def _first_sentence(text: str) -> str:
    return sentence(
        re.split(r"(?<=[a-z)0-9`]\.) (?=[A-Z`])", " ".join(text.split()), maxsplit=1)[0]
    )


def _short(roles: Sequence[str]) -> str:
    return ", ".join(code(role.removeprefix("retention_")) for role in roles)


def _built() -> Iterator[str]:
    """The models with a contract that a person may read, from the YAML beside them."""
    marts = load_settings({}).dbt_dir / "models" / "marts"
    for folder in ("retention", "audit"):
        described = yaml.safe_load(
            (marts / folder / f"_{folder}__models.yml").read_text(encoding="utf-8")
        )
        for model in described["models"]:
            if folder == "retention" or _is_readable(marts / folder / f"{model['name']}.sql"):
                columns = [
                    (one["name"], one["data_type"], one["description"]) for one in model["columns"]
                ]
                yield _relation(
                    f"retention.{model['name']}", model["description"], [READER], columns
                )


def _is_readable(path: Path) -> bool:
    return "readable_to_people()" in path.read_text(encoding="utf-8")
