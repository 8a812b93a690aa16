"""Columns are followed to where their values come from, and nothing is taken for a key that is none.

Belongs here: SQL in, origins out, one construct each. Does not belong here: what follows for a plan or a
purge (tests/integration/test_copies.py).
"""

import pytest

from retention.lineage.columns import Columns
from retention.lineage.model import Relation
from retention.lineage.origins import CannotFollow, Field, Shape

pytestmark = pytest.mark.unit

TYPES: dict[Relation, dict[str, str]] = {
    ("shop", "person"): {"id": "bigint", "name": "text", "email": "text"},
    ("shop", "contact"): {"id": "bigint", "person_id": "bigint", "notes": "text"},
    ("shop", "odd"): {"Id": "bigint", "from": "text"},
    ("policy", "rules"): {"rule_id": "text"},
    ("a", "q"): {"id": "bigint", "name": "text"},
    ("a", "v"): {"nr": "bigint", "navn": "text"},
}
ROOTS = frozenset({("shop", "person"), ("shop", "contact"), ("shop", "odd")})
VIEW = "select id as nr, name as navn from shop.person"


def shapes(query: str) -> list[Shape]:
    return Columns(ROOTS, {("a", "q"): query, ("a", "v"): VIEW}, TYPES).shapes(("a", "q"))


def told(one: Field) -> str:
    """A field in short: `=` unchanged, `~` joined on equality, `<` made from."""
    parts = [
        f"{sign}{origin.relation[1]}.{origin.column}"
        for sign, origins in (("=", one.exact), ("~", one.equal), ("<", one.derived))
        for origin in sorted(origins, key=lambda o: (o.relation, o.column))
    ]
    return " ".join(parts) or (f"'{one.constant}'" if one.is_constant else "-")


FOLLOWED: dict[str, list[dict[str, str]]] = {
    'with p as (select * from "db"."shop"."person") select id as nr, md5(email) as h from p': [
        {"nr": "=person.id", "h": "<person.email"}
    ],
    "select nr, navn from a.v": [{"nr": "=person.id", "navn": "=person.name"}],
    'select "Id", "from" from shop.odd': [{"Id": "=odd.Id", "from": "=odd.from"}],
    "select c.person_id, p.name from shop.contact c join shop.person p on p.id = c.person_id": [
        {"person_id": "=contact.person_id ~person.id", "name": "=person.name"}
    ],
    "select c.person_id from shop.contact c right join shop.person p on p.id = c.person_id": [
        {"person_id": "=contact.person_id"}
    ],
    "select p.id from shop.contact c left join shop.person p on p.id = c.person_id": [
        {"id": "=person.id"}
    ],
    "select c.person_id from shop.contact c full join shop.person p on p.id = c.person_id": [
        {"person_id": "=contact.person_id"}
    ],
    "select c.person_id from shop.contact c join shop.person p on p.id = c.person_id or true": [
        {"person_id": "=contact.person_id"}
    ],
    "select id from shop.person join shop.contact using (id)": [{"id": "=person.id ~contact.id"}],
    "select coalesce(p.id, c.id) as id from shop.person p cross join shop.contact c": [
        {"id": "<contact.id <person.id"}
    ],
    "select id, 'p' as kind from shop.person union all select id, 'c' from shop.contact": [
        {"id": "=person.id", "kind": "'p'"},
        {"id": "=contact.id", "kind": "'c'"},
    ],
    "select id from shop.person except select id from shop.contact": [{"id": "=person.id"}],
    "select id from shop.person union all select id from a.q": [{"id": "=person.id"}, {"id": "-"}],
    "select to_jsonb(p) as j from shop.person p": [{"j": "<person.email <person.id <person.name"}],
    "select (p).email from shop.person p": [{"email": "<person.email <person.id <person.name"}],
    "select count(*) as n, sum(id) as s, max(email) as m from shop.person": [
        {"n": "-", "s": "-", "m": "<person.email"}
    ],
    "select string_agg(name, ',' order by email) as s from shop.person": [
        {"s": "<person.email <person.name"}
    ],
    "select row_number() over (partition by email) as n, first_value(name) over () as f"
    " from shop.person": [{"n": "-", "f": "<person.name"}],
    "select case when email is null then 'no' else name end as c, email is null as b"
    " from shop.person": [{"c": "<person.name", "b": "-"}],
    "select id::text as a, id::varchar(2) as b, name::bigint as c, id::date as d from shop.person": [
        {"a": "=person.id", "b": "<person.id", "c": "<person.name", "d": "<person.id"}
    ],
    "select (select max(notes) from shop.contact c where c.person_id = p.id) as n"
    " from shop.person p": [{"n": "<contact.notes"}],
    "select l.n from shop.person p, lateral (select p.name as n) l": [{"n": "=person.name"}],
    "select u.word from shop.person p, unnest(string_to_array(p.name, ' ')) as u (word)": [
        {"word": "<person.name"}
    ],
    "select jsonb_array_elements(p.name -> 'x') as j from shop.person p": [{"j": "<person.name"}],
    "select jsonb_array_elements(name -> 'x') as j from shop.person": [{"j": "<person.name"}],
    "select k.key from shop.person, jsonb_each(name -> 'x') as k": [{"key": "<person.name"}],
    "select p.b from shop.person as p (a, b)": [{"b": "=person.name"}],
    "select b from (select id, id from shop.person union select id, id from shop.contact) as u (a, b)": [
        {"b": "=person.id"},
        {"b": "=contact.id"},
    ],
    "select rule_id from policy.rules where exists (select from shop.person)": [{"rule_id": "-"}],
}


@pytest.mark.parametrize("query", FOLLOWED)
def test_a_value_is_followed_to_its_columns(query: str) -> None:
    found = [{name: told(one) for name, one in shape.items()} for shape in shapes(query)]
    assert found == FOLLOWED[query]


def test_two_readings_of_one_table_are_two() -> None:
    (shape,) = shapes("select a.name, b.email from shop.person a, shop.person b")
    readings = {origin.reading for one in shape.values() for origin in one.exact}
    assert len(readings) == 2


@pytest.mark.parametrize(
    "query",
    [
        "select broken from from where",
        "insert into shop.person values (1)",
        "select nowhere from shop.person",
        "select * from shop.unknown",
        "select * from unqualified",
        "with recursive r as (select id from shop.person union all select id + 1 from r)"
        " select id from r",
    ],
)
def test_what_cannot_be_followed_is_said_so(query: str) -> None:
    with pytest.raises(CannotFollow):
        shapes(query)


def test_the_reason_holds_nothing_of_the_query() -> None:
    with pytest.raises(CannotFollow) as caught:
        shapes("select from 'kari@example.no' from where")
    assert "kari" not in str(caught.value)
