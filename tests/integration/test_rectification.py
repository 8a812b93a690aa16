"""Corrections that are traced: what must not be kept or shown, and where an old value is found again.

Belongs here: recording, tracing and ending a correction on the small warehouse. Does not belong here:
following columns downstream (test_copies.py).
"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import sql

from retention.errors import Refused, UsageError
from retention.keys import key_path
from retention.purge import execute
from retention.rights import recipients, rectification
from retention.rights.rectification import Rectification
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import LONG_AGO, Shop
from tests.rights import request_of, verified_request

pytestmark = pytest.mark.integration

OLD = "Ødegård-Kanari 4711"
OLD_MAIL = "person41@shop.example"


@pytest.fixture
def request_41(shop: Shop) -> UUID:
    """Person 41, whose name is wrong, asked for a correction; person 42 really has that name."""
    shop.customer(41, overdue=False)
    shop.customer(42, overdue=False)
    shop.conn.execute("update shop.person set name = %s", (OLD,))
    shop.conn.execute("update shop.lead set name = %s where id = 42", (OLD,))
    shop.conn.commit()
    shop.classify()
    return verified_request(shop, 41, right="rectification")


def record(shop: Shop, request: UUID, column: str = "name", **options: Any) -> UUID:
    values = {"table": "shop.person", "record_key": "41", **options}
    return rectification.record(shop.settings, request, column=column, **values)


def correct(shop: Shop, column: str = "name", value: str = "Ny") -> None:
    """As the source does, and the connector loads it."""
    shop.conn.execute(f"update shop.person set {column} = %s where id = 41".encode(), (value,))
    shop.conn.commit()


def trace(shop: Shop, request: UUID) -> Rectification:
    (found,) = rectification.trace(shop.settings, request)
    return found


def kept(shop: Shop) -> str:
    """All that the ledger holds, as text."""
    tables = shop.conn.execute(
        "select quote_ident(relname) from pg_class where relnamespace = 'ledger'::regnamespace"
        " and relkind = 'r' order by 1"
    ).fetchall()
    text = ""
    for (table,) in tables:
        row = shop.conn.execute(
            f"select coalesce(string_agg(t::text, ' '), '') from ledger.{table} as t".encode()
        ).fetchone()
        text += row[0] if row else ""
    shop.conn.commit()
    return text


# What must not be.


def test_the_value_is_neither_kept_nor_shown(shop: Shop, request_41: UUID) -> None:
    record(shop, request_41)
    shop.conn.execute("update shop.lead set name = %s where id = 41", (OLD,))
    correct(shop)
    found = trace(shop, request_41)
    assert found.left_over == {"shop.lead.name": 1}
    for text in (kept(shop), repr(found)):
        assert OLD not in text
        assert OLD.encode().hex() not in text


def test_a_correction_that_has_ended_keeps_no_key_and_no_fingerprint(
    shop: Shop, request_41: UUID
) -> None:
    record(shop, request_41)
    correct(shop)
    assert trace(shop, request_41).ended_at is not None
    assert shop.one("select num_nonnulls(record_key, fingerprint) from ledger.rectifications") == 0


def test_a_fingerprint_says_nothing_without_the_key(shop: Shop, request_41: UUID) -> None:
    """Not a plain hash, and not the tombstones' or the suppressions' either."""
    record(shop, request_41)
    plain = shop.one("select sha256(convert_to('name:' || %s::text, 'UTF8'))", OLD)
    first = shop.one("select fingerprint from ledger.rectifications")
    assert first != plain
    key_path(shop.settings).unlink()
    with pytest.raises(Refused, match="HMAC key"):
        rectification.trace(shop.settings, request_41)


def test_nothing_is_bound_where_the_server_logs_values(shop: Shop, request_41: UUID) -> None:
    record(shop, request_41)
    for name, value in {"log_statement": "all", "log_parameter_max_length": "-1"}.items():
        shop.conn.execute(
            sql.SQL("alter database {} set {} = {}").format(
                sql.Identifier(shop.conn.info.dbname), sql.Identifier(name), sql.Literal(value)
            )
        )
    shop.conn.commit()
    with pytest.raises(Refused, match="to its log"):
        record(shop, request_41, column="email")
    with pytest.raises(Refused, match="to its log"):
        rectification.trace(shop.settings, request_41)


def test_only_the_persons_own_values_are_looked_at(shop: Shop, request_41: UUID) -> None:
    with pytest.raises(Refused, match="not one of the person"):
        record(shop, request_41, record_key="42")
    for options, match in (
        ({"table": "shop.nothing"}, "no governed table"),
        ({"table": "shop.partner"}, "no governed table"),
        ({"column": "created_at"}, "no personal column"),
        ({"record_key": "999"}, "no row"),
    ):
        with pytest.raises(UsageError, match=match):
            record(shop, request_41, **options)
    with pytest.raises(UsageError, match="no such request"):
        record(shop, uuid4())
    with pytest.raises(UsageError, match="no such request"):
        record(shop, request_of(shop, 41, "erasure"))
    unverified = verified_request(shop, 41, right="rectification", verified=False)
    with pytest.raises(Refused, match="not verified"):
        record(shop, unverified)
    shop.conn.execute("update shop.person set name = null where id = 41")
    shop.conn.commit()
    with pytest.raises(UsageError, match="holds no value"):
        record(shop, request_41)
    assert rectification.list_(shop.settings) == []


def test_nothing_is_told_or_ended_while_the_source_holds_the_old_value(
    shop: Shop, request_41: UUID
) -> None:
    record(shop, request_41)
    with pytest.raises(Refused, match="already"):
        record(shop, request_41)
    found = trace(shop, request_41)
    assert (found.corrected_on, found.ended_at, found.left_over) == (None, None, {})
    with pytest.raises(Refused, match="correct it there"):
        rectification.accept(shop.settings, request_41, reason="it is right")
    assert recipients.list_(shop.settings) == []


def test_recipients_are_told_once_all_is_corrected(shop: Shop, request_41: UUID) -> None:
    record(shop, request_41)
    record(shop, request_41, column="email")
    correct(shop)
    rectification.trace(shop.settings, request_41)
    assert recipients.list_(shop.settings) == []
    correct(shop, "email", "ny@shop.example")
    rectification.trace(shop.settings, request_41)
    rectification.trace(shop.settings, request_41)
    assert [one.recipient_id for one in recipients.of_occasion(shop.conn, request_41)] == [
        "hosting",
        "shop_system",
    ]


def test_a_copy_that_cannot_be_searched_is_not_called_clean(shop: Shop, request_41: UUID) -> None:
    people = Model("letters", "select upper(name) as name from shop.person", reads=("shop.person",))
    build(shop.conn, [people])
    write_manifest(shop.settings, [people])
    record(shop, request_41)
    correct(shop)
    found = trace(shop, request_41)
    assert found.not_searched == ["analytics.letters"]
    assert found.ended_at is None


# What is found.


def test_every_column_of_the_kind_is_looked_through(shop: Shop, request_41: UUID) -> None:
    """A lead has the name; the party of a document is another person, and has it by right."""
    record(shop, request_41)
    shop.conn.execute("update shop.lead set name = %s where id = 41", (OLD,))
    shop.conn.execute("update shop.person set _fivetran_deleted = true where id = 41")
    shop.conn.commit()
    correct(shop)
    found = trace(shop, request_41)
    assert (found.corrected_on, found.left_over, found.ended_at) == (
        shop.one("select ledger.today()"),
        {"shop.lead.name": 1},
        None,
    )
    shop.conn.execute("update shop.lead set name = 'Ny' where id = 41")
    shop.conn.commit()
    found = trace(shop, request_41)
    assert (found.left_over, found.not_searched) == ({}, [])
    assert found.ended_at is not None
    traced = shop.conn.execute(
        "select body::jsonb ->> 'clean' from ledger.entries where kind = 'rectification_traced'"
        " order by entry_id"
    ).fetchall()
    assert traced == [("false",), ("true",)]


def test_an_address_is_known_in_any_spelling(shop: Shop, request_41: UUID) -> None:
    record(shop, request_41, column="email")
    correct(shop, "email", "ny@shop.example")
    # The mail was sent from the old address, which is a fact about it; the letters are others.
    found = trace(shop, request_41)
    assert found.left_over == {"shop.mail.from_address": 1}
    with pytest.raises(UsageError, match="reason"):
        rectification.accept(shop.settings, request_41, reason=" ")
    assert rectification.accept(shop.settings, request_41, reason="it was sent from there") == 1
    (ended,) = rectification.list_(shop.settings, request_41)
    assert ended.ended_at is not None
    assert ended.accepted_reason == "it was sent from there"
    assert shop.one("select count(*) from ledger.rectifications where fingerprint is null") == 1


def test_versions_that_are_over_are_listed_apart(shop: Shop, request_41: UUID) -> None:
    """The wrong title stays in the version that was in force then; the source wrote a new one."""
    shop.conn.execute("update shop.assignment set title = %s where id = 41", (OLD,))
    shop.conn.commit()
    current = f'["41","{(LONG_AGO + timedelta(days=9)):%Y-%m-%dT%H:%M:%S.000000Z}"]'
    record(shop, request_41, column="title", table="shop.assignment", record_key=current)
    assert trace(shop, request_41).corrected_on is None
    shop.conn.execute("update shop.assignment set _fivetran_active = false where id = 41")
    shop.add(
        "assignment",
        id=41,
        person_id=41,
        title="Rettet",
        _fivetran_start=LONG_AGO + timedelta(days=20),
    )
    shop.classify()
    found = trace(shop, request_41)
    assert found.old_versions == {"shop.assignment.title": 2}
    assert found.left_over == {}
    assert found.ended_at is not None


def test_copies_downstream_are_looked_through(shop: Shop, request_41: UUID) -> None:
    """By the keys that lineage traced: of another person with that name nothing is said."""
    models = (
        Model("people", "select id as person_no, name as full_name from shop.person"),
        Model("ids", "select id as person_no, created_at from shop.person"),
    )
    build(shop.conn, models)
    write_manifest(shop.settings, models)
    record(shop, request_41)
    correct(shop)
    found = trace(shop, request_41)
    assert found.left_over == {"analytics.people.full_name": 1}
    shop.conn.execute("update analytics.people set full_name = 'Ny' where person_no = 41")
    shop.conn.commit()
    assert trace(shop, request_41).ended_at is not None


def test_a_record_that_was_purged_meanwhile_is_corrected_by_that(shop: Shop) -> None:
    shop.person(41)
    shop.classify()
    request = verified_request(shop, 41, right="rectification")
    record(shop, request)
    execute(shop.settings, shop.approve(shop.plan()).plan_id)
    assert shop.keys("person") == set()
    assert trace(shop, request).ended_at is not None


def test_a_key_that_a_correction_needs_is_needed(shop: Shop, request_41: UUID) -> None:
    record(shop, request_41)
    key = shop.one("select key_id from ledger.rectifications")
    assert shop.one("select rectifications from ledger.hmac_key_needs where key_id = %s", key) == 1
    assert shop.one("select exists (select ledger.hmac_keys_needed())")
    correct(shop)
    trace(shop, request_41)
    assert not shop.one("select exists (select ledger.hmac_keys_needed())")
