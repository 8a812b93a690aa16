"""Columns are followed down to landing, whatever construct stands between, and what cannot be is named.

Belongs here: SQL in, landing columns out, and which columns are left. Does not belong here: telling rows
apart (test_lineage_columns.py), and what is declared (tests/integration/test_models_declared.py).
"""

import pytest

from retention.lineage.catalogue import Entry
from retention.lineage.landing import Followed, LandingColumns, ModelColumns
from retention.lineage.manifest import Manifest, Node
from retention.lineage.model import Relation

pytestmark = pytest.mark.unit

LANDED: dict[Relation, dict[str, str]] = {
    ("shop", "person"): {"id": "bigint", "name": "text", "email": "text"},
    ("shop", "contact"): {"id": "bigint", "person_id": "bigint", "notes": "text"},
    ("shop", "event"): {"id": "bigint", "payload": "jsonb", "tags": "text[]"},
    ("policy", "rules"): {"rule_id": "text"},
}


def columns(
    *models: tuple[str, str | None, tuple[str, ...]], functions: frozenset[str] = frozenset()
) -> LandingColumns:
    """Models by name, SQL and columns."""
    nodes = tuple(
        Node(f"model.{name}", ("a", name), f"models/{name}.sql", sql, "" if sql else "no SQL")
        for name, sql, _ in models
    )
    made = {
        ("a", name): Entry("r", dict.fromkeys(names, "text"), None) for name, _, names in models
    }
    landed = {relation: Entry("r", names, None) for relation, names in LANDED.items()}
    return LandingColumns({**landed, **made}, functions, Manifest(nodes, {}, {}))


def told(one: Followed) -> str:
    assert one.why is None, one.why
    return " ".join(f"{table}.{column}" for _, table, column in sorted(one.sources)) or "-"


FOLLOWED: dict[str, dict[str, str]] = {
    "select id, name from shop.person union all select id, notes from shop.contact": {
        "id": "contact.id person.id",
        "name": "contact.notes person.name",
    },
    "select p.id, 'x' as kind, count(*) as n from shop.person p group by 1, 2": {
        "id": "person.id",
        "kind": "-",
        "n": "-",
    },
    "with u (a, b) as (select id, id from shop.person union select id, person_id from shop.contact)"
    " select a, b from u": {"a": "contact.id person.id", "b": "contact.person_id person.id"},
    "with u as (select name, 'x' as x from shop.person union select notes, notes from shop.contact)"
    " select x from u": {"x": "contact.notes"},
    "with recursive r as (select id, name, email from shop.person"
    " union all select r.id + 1, r.email, r.name from r) select name from r": {
        "name": "person.email person.name"
    },
    "select j.mail from shop.event e, jsonb_to_record(e.payload) as j (mail text)": {
        "mail": "event.payload"
    },
    "select i ->> 'mail' as mail from shop.event, jsonb_array_elements(payload -> 'items') as i": {
        "mail": "event.payload"
    },
    "select jsonb_array_elements(payload -> 'items') ->> 'mail' as mail from shop.event": {
        "mail": "event.payload"
    },
    "select k.key, k.value from shop.event e cross join lateral jsonb_each_text(e.payload) as k": {
        "key": "event.payload",
        "value": "event.payload",
    },
    "select t.tag from shop.event, unnest(tags) with ordinality as t (tag, place)": {
        "tag": "event.tags"
    },
    "select last.notes from shop.person p left join lateral"
    " (select * from shop.contact c where c.person_id = p.id limit 1) as last on true": {
        "notes": "contact.notes"
    },
    "select d, name from generate_series(1, 3) as g (d), shop.person": {
        "d": "-",
        "name": "person.name",
    },
    "select p.b from shop.person as p (a, b)": {"b": "person.name"},
    "select ctid::text as place, xmin::text as tx from shop.person": {"place": "-", "tx": "-"},
    "select * from shop.person": {
        "id": "person.id",
        "name": "person.name",
        "email": "person.email",
    },
    "select rule_id from policy.rules": {"rule_id": "-"},
}


@pytest.mark.parametrize("query", FOLLOWED)
def test_a_column_is_followed_down_to_landing(query: str) -> None:
    wanted = FOLLOWED[query]
    found = columns(("m", query, tuple(wanted))).of(("a", "m"))
    assert {name: told(one) for name, one in found.items()} == wanted


def test_a_star_through_several_models_is_followed() -> None:
    found = columns(
        ("first", "select * from shop.person", ("id", "name", "email")),
        ("second", "select * from a.first", ("id", "name", "email")),
        ("third", "select upper(email) as mail from a.second", ("mail",)),
    ).of(("a", "third"))
    assert told(found["mail"]) == "person.email"


def test_what_cannot_be_followed_is_named_with_what_is_made_from_it() -> None:
    found = columns(
        ("good", "select id, name from shop.person", ("id", "name")),
        ("python", None, ("score",)),
        ("after", "select id, score, now() as at from a.good, a.python", ("id", "score", "at")),
        ("old", "select id from shop.person", ("id", "gone")),
    ).of_models()
    assert found.unresolved == {
        ("a", "python", "score"): "no SQL",
        ("a", "after", "score"): "made from a.python.score: no SQL",
        ("a", "old", "gone"): "its SQL does not make it",
    }
    assert found.resolved_share == pytest.approx(1 - 3 / 8)


def test_one_column_that_cannot_be_followed_leaves_the_others() -> None:
    found = columns(
        ("m", "select id, somebodys(1) as x from shop.person", ("id", "x")),
        functions=frozenset({"somebodys"}),
    ).of_models()
    assert found.followed["a", "m", "id"] == Followed(frozenset({("shop", "person", "id")}))
    assert found.unresolved == {
        ("a", "m", "x"): "it calls somebodys, which may read tables by itself"
    }


def test_a_function_in_the_from_clause_that_may_read_tables_is_not_followed() -> None:
    found = columns(
        ("m", "select p.name from somebodys() as p", ("name",)), functions=frozenset({"somebodys"})
    ).of_models()
    assert list(found.unresolved) == [("a", "m", "name")]


def test_what_a_snapshot_adds_comes_from_none() -> None:
    found = columns(("s", "select id from shop.person", ("id", "dbt_scd_id", "dbt_valid_to")))
    assert found.of_models().unresolved == {}


def test_no_models_are_all_resolved() -> None:
    assert ModelColumns({}).resolved_share == 1
