"""Who objected to marketing is in no marketing model, however the objection came.

Belongs here: the contact points that are looked at, objections by request, and declared marketing models.
Does not belong here: objections that land (test_returns.py) and withdrawn consent
(test_consent_withdrawn.py).
"""

from collections.abc import Iterator
from uuid import UUID

import pytest
from psycopg import sql

from retention import returns, suppressions
from retention.errors import Refused, UsageError
from retention.keys import key_path
from retention.purge import execute
from retention.rights.consent import marketing
from retention.rights.consent.requests import object_to_marketing
from retention.rights.model import RequestState
from retention.settings import Settings
from tests.consents import officer_of, run
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop
from tests.rights import verified_request

pytestmark = pytest.mark.integration

NEWSLETTER = "select id as person_id, email from shop.person"
CHECKED = NEWSLETTER + (
    " where exists (select from ledger.contact_points_checked as checked where not checked.suppressed"
    " and checked.link_hash = sletteplikt.link_hash('email', email))"
)


@pytest.fixture
def officer(shop: Shop) -> Iterator[Settings]:
    with officer_of(shop) as settings:
        yield settings


def recognise(shop: Shop) -> None:
    returns.recognise(shop.settings, shop.declarations)


def persons(shop: Shop) -> None:
    for number in (50, 51):
        shop.person(number, overdue=False)


def checked(shop: Shop) -> dict[str, bool]:
    """Each address of landing that was looked at, and whether it is suppressed."""
    rows = shop.conn.execute(
        "select p.email, c.suppressed from shop.person as p join ledger.contact_points_checked as c"
        " on c.link_hash = sletteplikt.link_hash('email', p.email)"
    ).fetchall()
    shop.conn.commit()
    return dict(rows)


def objection(shop: Shop, officer: Settings, number: int) -> UUID:
    request = verified_request(shop, number, right="objection")
    assert object_to_marketing(officer, request).state is RequestState.CARRIED_OUT
    return request


def newsletter(shop: Shop, text: str = NEWSLETTER, **marketing: str) -> None:
    """The data team's model, built and in the manifest."""
    model = Model("newsletter", text, reads=("shop.person",), marketing=marketing)
    run(shop, "drop schema if exists analytics cascade")
    build(shop.conn, [model])
    write_manifest(shop.settings, [model])


def shown(shop: Shop) -> list[tuple[str, int | None]]:
    return [(one.model, one.points) for one in marketing.check(shop.settings).shown]


# --- what must not happen ----------------------------------------------------------------------


def test_an_objection_suppresses_nobody_else(shop: Shop, officer: Settings) -> None:
    """Neither another person, nor whoever shares a case or wrote a mail from another address."""
    shop.customer(50, overdue=False)
    shop.buyer(52, overdue=False)
    shop.person(51, overdue=False)
    run(shop, "update shop.account set email = 'person50@shop.example'")
    # A receipt that went to somebody else: found through the account, it is not a row of the person's own.
    run(shop, "update shop.charge set receipt_email = 'regnskap@shop.example'")
    shop.add("mail", id=60, from_address="helt.annen@shop.example")
    shop.classify()
    objection(shop, officer, 50)
    asked = ("person50", "person51", "helt.annen", "regnskap")
    found = [
        suppressions.is_suppressed(shop.settings, email=f"{name}@shop.example") for name in asked
    ]
    assert found == [True, False, False, False]


def test_nothing_of_the_person_is_erased_by_an_objection(shop: Shop, officer: Settings) -> None:
    persons(shop)
    shop.classify()
    before = shop.rows()
    objection(shop, officer, 50)
    shop.classify()
    assert shop.rows() == before
    assert shop.plan().state == "empty"


def test_what_was_not_looked_at_is_not_allowed(shop: Shop) -> None:
    """A table that is set aside, an address that is nobody's, and all of them before the first look."""
    persons(shop)
    shop.classify()
    assert checked(shop) == {}
    recognise(shop)
    assert checked(shop) == {"person50@shop.example": False, "person51@shop.example": False}
    run(shop, "alter table shop.person drop column created_at")
    recognise(shop)
    assert (
        shop.one(
            "select count(*) from ledger.contact_points_checked"
            " where link_hash = sletteplikt.link_hash('email', 'p1@shop.example')"
        )
        == 0
    )


def test_only_points_that_lie_in_landing_are_listed(shop: Shop) -> None:
    persons(shop)
    recognise(shop)
    for table in ("person", "mail"):
        run(shop, f"delete from shop.{table} where id = 50")
    recognise(shop)
    assert shop.one("select count(*) from ledger.contact_points_checked") == 1


def test_of_what_is_purged_no_hash_stays_on_the_list(shop: Shop) -> None:
    """Nor of an address that became null in a row that stays; those of others stay."""
    shop.buyer(50)
    run(shop, "update shop.charge set receipt_email = 'kvittering@shop.example'")
    shop.person(51, overdue=False)
    recognise(shop)
    assert shop.one("select count(*) from ledger.contact_points_checked") == 3
    execute(shop.settings, shop.approved_plan().plan_id)
    left = shop.one("select array_agg(link_hash) from ledger.contact_points_checked")
    assert left == [shop.one("select sletteplikt.link_hash('email', 'person51@shop.example')")]


def test_a_request_of_another_right_suppresses_nothing(shop: Shop, officer: Settings) -> None:
    persons(shop)
    shop.classify()
    request = verified_request(shop, 50, right="access")
    with pytest.raises(UsageError, match="no objection"):
        object_to_marketing(officer, request)
    assert shop.one("select count(*) from ledger.suppressions") == 0


def test_a_request_whose_person_is_not_verified_suppresses_nothing(
    shop: Shop, officer: Settings
) -> None:
    persons(shop)
    shop.classify()
    request = verified_request(shop, 50, right="objection", verified=False)
    with pytest.raises(Refused):
        object_to_marketing(officer, request)
    recognise(shop)
    assert shop.one("select count(*) from ledger.suppressions") == 0


def test_nothing_is_bound_where_the_server_would_log_it(shop: Shop, officer: Settings) -> None:
    """The request stays decided, and the next classification carries it out."""
    persons(shop)
    shop.classify()
    request = verified_request(shop, 50, right="objection")
    login = sql.Identifier(f"{shop.conn.info.dbname}_officer")
    for setting in ("log_min_duration_statement = 0", "log_parameter_max_length = -1"):
        shop.conn.execute(
            sql.SQL("alter role {} set {}").format(login, sql.SQL(setting))  # type: ignore[arg-type]
        )
    shop.conn.commit()
    with pytest.raises(Refused, match="write the key to its log"):
        object_to_marketing(officer, request)
    assert shop.one("select state from ledger.requests") == "decided"
    assert shop.one("select count(*) from ledger.suppressions") == 0
    recognise(shop)
    assert shop.one("select state from ledger.requests") == "carried_out"
    assert checked(shop)["person50@shop.example"] is True


# --- the straight path -------------------------------------------------------------------------


def test_every_contact_point_of_the_person_is_suppressed_and_survives_the_purge(
    shop: Shop, officer: Settings
) -> None:
    """Also one that stands in another table, under another spelling, and after everything was purged."""
    shop.redeclare(
        "personal: {name: name, partner_id", "personal: {name: name, mail: email, partner_id"
    )
    run(shop, "alter table shop.lead add column mail text")
    shop.person(50)
    run(shop, "update shop.lead set mail = ' Privat@Shop.example '")
    shop.classify()
    objection(shop, officer, 50)
    execute(shop.settings, shop.approved_plan().plan_id)
    assert shop.keys("person") == set()
    for email in ("person50@shop.example", "privat@shop.example"):
        assert suppressions.is_suppressed(shop.settings, email=email)
    shop.add("person", id=77, email="PRIVAT@shop.example")
    recognise(shop)
    assert checked(shop) == {"PRIVAT@shop.example": True}


def test_what_is_kept_of_an_objection_holds_no_address(shop: Shop, officer: Settings) -> None:
    persons(shop)
    shop.classify()
    objection(shop, officer, 50)
    for table in ("suppressions", "entries", "requests"):
        text = shop.one(f"select string_agg(t::text, ' ') from ledger.{table} as t")
        assert "shop.example" not in text


def test_a_model_that_forgot_the_macro_is_caught(shop: Shop, officer: Settings) -> None:
    persons(shop)
    shop.classify()
    objection(shop, officer, 50)
    recognise(shop)
    newsletter(shop, email="email")
    (found,) = marketing.check(shop.settings).shown
    assert (found.model, found.points) == ("analytics.newsletter", 1)
    assert "person50" not in found.message
    entry = shop.one(
        "select body::jsonb - 'at' - 'by' from ledger.entries where kind = 'check'"
        " order by entry_id desc limit 1"
    )
    assert entry == {
        "check": "nobody_objected_in_marketing",
        "entry": "check",
        "found": [{"model": "analytics.newsletter", "points": 1}],
        "models": 1,
    }


def test_a_model_that_asks_the_list_is_clean(shop: Shop, officer: Settings) -> None:
    persons(shop)
    shop.classify()
    objection(shop, officer, 50)
    recognise(shop)
    newsletter(shop, CHECKED, email="email")
    assert shop.one("select array_agg(email) from analytics.newsletter") == [
        "person51@shop.example"
    ]
    assert shown(shop) == []


def test_a_model_that_cannot_be_compared_fails(shop: Shop, officer: Settings) -> None:
    persons(shop)
    shop.classify()
    objection(shop, officer, 50)
    newsletter(shop, email="address")
    assert shown(shop) == [("analytics.newsletter", None)]
    newsletter(shop, letter="email")
    assert shown(shop) == [("analytics.newsletter", None)]
    newsletter(shop, email="email")
    key_path(shop.settings).unlink()
    with pytest.raises(Refused, match="HMAC key"):
        marketing.check(shop.settings)


def test_a_model_that_does_not_say_it_is_for_marketing_is_not_compared(
    shop: Shop, officer: Settings
) -> None:
    persons(shop)
    shop.classify()
    objection(shop, officer, 50)
    newsletter(shop)
    assert marketing.check(shop.settings) == marketing.Checked(0, ())
