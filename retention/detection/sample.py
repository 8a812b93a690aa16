"""The statements that look at a sample of one table: they return marks and counts, never a value.

Belongs here: the SQL and its reading. Does not belong here: which tables and columns, and what follows.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from retention.detection.catalogue import Relation
from retention.detection.judge import Looks
from retention.detection.names import OTHERS_NAME
from retention.detection.vocabulary import ABOUT, NEVERTHELESS, RULES, NameRule

Connection = psycopg.Connection[Any]

# The same blocks each time, so that two scans of an unchanged table say the same.
SEED = 20180720
# Of a longer value its beginning is looked at.
LONGEST = 2000
# Where the number of rows is not known, no page is taken to hold fewer.
_ROWS_A_PAGE = 10
# Blocks are not equally full: somewhat more are drawn than the rows would need on average.
_MARGIN = 1.3


def look_at_values(
    conn: Connection,
    relation: Relation,
    columns: Sequence[str],
    rows: int,
    *,
    filled: bool = False,
) -> dict[str, Looks]:
    """What the sampled values of `columns` look like, each different value judged once. `filled` reads the
    table until so many rows have a value in one of them."""
    found = conn.execute(
        sql.SQL("with sampled as materialized {sample} {looked}").format(
            sample=_sample(relation, columns, rows, filled=filled),
            # Column by column: the server remembers only so many compiled expressions, and like values
            # need the same ones.
            looked=sql.SQL(" union all ").join(_looked(place) for place, _ in enumerate(columns)),
        )
    ).fetchall()
    values: dict[int, dict[str, int]] = defaultdict(dict)
    different: dict[int, dict[str, int]] = defaultdict(dict)
    for place, mark, times, number in found:
        values[place][mark] = times
        different[place][mark] = number
    return {column: Looks(values[place], different[place]) for place, column in enumerate(columns)}


def look_into_documents(
    conn: Connection, relation: Relation, columns: Sequence[str], rows: int
) -> dict[str, Looks]:
    """What the fields of the sampled JSON documents in `columns` look like; a field's name counts as a
    value too, and is judged here by the same words as a column's name."""
    found = conn.execute(
        sql.SQL(
            """
            with documents as materialized (
                select spread.place, sletteplikt.as_json(spread.value) as document
                from {sample} as sampled
                cross join lateral (values {values}) as spread (place, value)
                where spread.value <> ''
            ),
            fields as materialized (
                select place, field ->> 'key' as name, left(btrim(field ->> 'value'), {longest}) as value,
                    count(*) as times
                from documents
                cross join lateral jsonb_path_query(
                    document, 'strict $.** ? (@.type() == "object").keyvalue()'
                ) as field
                where jsonb_typeof(field -> 'value') not in ('object', 'null')
                and jsonb_typeof(field -> 'value' -> 0) is distinct from 'object'
                group by 1, 2, 3
            ),
            named as (
                select name, sletteplikt.words_of(name) as words
                from (select distinct name from fields) as names
            ),
            rules as materialized (
                select name, case
                    when words ~ {others} or (words ~ {about} and words !~ {nevertheless}) then null
                    else (
                        select min(number)
                        from unnest(%s::text[]) with ordinality as of_names (expression, number)
                        where words ~ expression
                    ) end as rule
                from named
            )
            select place, 'document', null::bigint, count(*)
            from documents group by 1
            union all
            select place, sletteplikt.value_mark(value), rule, sum(times)::bigint
            from fields join rules using (name) where value <> '' group by 1, 2, 3
            union all
            select place, sletteplikt.value_mark(name), null, count(*)
            from fields where name <> '' group by 1, 2
            union all
            select place, sletteplikt.value_mark(left(document::text, {longest})), null, count(*)
            from documents
            where jsonb_typeof(document) = 'array' and jsonb_typeof(document -> 0) <> 'object'
            group by 1, 2
            """
        ).format(
            longest=sql.Literal(LONGEST),
            sample=_sample(relation, columns, rows),
            values=_values(columns),
            others=sql.Literal(OTHERS_NAME.pattern),
            about=sql.Literal(ABOUT.pattern),
            nevertheless=sql.Literal(NEVERTHELESS.pattern),
        ),
        ([rule.expression for rule in RULES],),
    ).fetchall()
    documents: dict[int, dict[str, int]] = defaultdict(dict)
    fields: dict[int, dict[tuple[NameRule | None, str], int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for place, mark, rule, times in found:
        if mark == "document":
            documents[place]["json"] = times
        else:
            fields[place][(RULES[rule - 1] if rule else None, mark)] += times
    return {
        column: Looks(documents[place], {}, fields[place]) for place, column in enumerate(columns)
    }


def is_read_whole(relation: Relation, rows: int) -> bool:
    """True where a sample of so many rows holds every row, as far as that is known."""
    return relation.can_be_sampled and 0 < relation.rows <= rows


def _sample(
    relation: Relation, columns: Sequence[str], rows: int, *, filled: bool = False
) -> sql.Composable:
    """A sub-select of the columns as text: blocks drawn from a large table, otherwise its first rows."""
    share = _share(relation, rows)
    drawn: sql.Composable = sql.SQL("")
    if filled:
        drawn = sql.SQL("where {}").format(
            sql.SQL(" or ").join(
                sql.SQL("{} is not null").format(sql.Identifier(c)) for c in columns
            )
        )
    elif share is not None:
        drawn = sql.SQL("tablesample system ({}) repeatable ({})").format(
            sql.Literal(share), sql.Literal(SEED)
        )
    return sql.SQL("(select {} from {} {} limit {})").format(
        sql.SQL(", ").join(
            sql.SQL("{}::text as {}").format(sql.Identifier(column), sql.Identifier(f"c{place}"))
            for place, column in enumerate(columns)
        ),
        sql.Identifier(relation.schema, relation.name),
        drawn,
        sql.Literal(rows),
    )


def _share(relation: Relation, rows: int) -> float | None:
    """The percentage of blocks to draw, None where the table is read from its beginning."""
    known = relation.rows or relation.pages * _ROWS_A_PAGE
    if not relation.can_be_sampled or known <= 2 * rows:
        return None
    return round(100 * rows * _MARGIN / known, 6)


def _looked(place: int) -> sql.Composable:
    return sql.SQL(
        """
        select {place}, sletteplikt.value_mark(value), sum(times)::bigint, count(*)
        from (
            select left(btrim({column}), {longest}) as value, count(*) as times
            from sampled where {column} <> '' group by 1
        ) as different
        where value <> ''
        group by 2
        """
    ).format(
        place=sql.Literal(place),
        column=sql.Identifier(f"c{place}"),
        longest=sql.Literal(LONGEST),
    )


def _values(columns: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("({}, sampled.{})").format(sql.Literal(place), sql.Identifier(f"c{place}"))
        for place, _ in enumerate(columns)
    )
