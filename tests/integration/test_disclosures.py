"""Nothing is shown before it was written down, and committed, that it is shown.

Belongs here: who may see a person's rows, when, and which. Does not belong here: what is made of them
(test_person_package.py), and finding them (test_find_person.py).
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors, sql

from retention.plan import landing_rights
from retention.warehouse.session import open_session
from tests.factories import LONG_AGO, Shop
from tests.rights import token_of, verified_request

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[Any]

DISCLOSE = "select ledger.disclose('package', %s, 'a copy for the person', 5)"
SHOW = "select * from ledger.show_person_rows(%s, 'shop', %s)"


@pytest.fixture
def ready(shop: Shop) -> Shop:
    """Two persons, classified, whose landing the owner of the functions may read."""
    shop.customer(1)
    shop.customer(2)
    shop.classify()
    landing_rights.grant(shop.settings, shop.declarations)
    return shop


@pytest.fixture
def officer(ready: Shop) -> Iterator[Connection]:
    """A rights officer's own session: no right but that role's."""
    with login(ready, "retention_rights_officer") as conn:
        yield conn


@pytest.fixture
def colleague(ready: Shop) -> Iterator[Connection]:
    with login(ready, "retention_rights_officer") as conn:
        yield conn


class login:
    """A login of its own for the block, a member of these roles and of nothing else."""

    def __init__(self, shop: Shop, *roles: str) -> None:
        self.shop, self.roles = shop, roles
        self.name = f"login_{uuid4().hex[:12]}"

    def __enter__(self) -> Connection:
        self.shop.conn.execute(
            sql.SQL("create role {} login password 'secret' in role {}").format(
                sql.Identifier(self.name), sql.SQL(", ").join(map(sql.Identifier, self.roles))
            )
        )
        self.shop.conn.commit()
        parts = urlsplit(self.shop.settings.database_url or "")
        host = parts.netloc.rpartition("@")[2]
        url = urlunsplit(parts._replace(netloc=f"{self.name}:secret@{host}"))
        self.conn = open_session(url, autocommit=True)
        return self.conn

    def __exit__(self, *_: object) -> None:
        self.conn.close()
        self.shop.conn.rollback()
        self.shop.conn.execute(
            sql.SQL(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = {}"
            ).format(sql.Literal(self.name))
        )
        self.shop.conn.execute(
            sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(self.name))
        )
        self.shop.conn.commit()


def disclosed(conn: Connection, request: UUID) -> UUID:
    row = conn.execute(DISCLOSE, (request,)).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def refusal(conn: Connection, statement: str, *values: Any) -> str:
    with pytest.raises(errors.Error) as refused:
        conn.execute(statement, values)
    assert refused.value.sqlstate == "SL003"
    return refused.value.diag.message_primary or ""


def test_the_rows_of_the_person_and_of_nobody_else(ready: Shop, officer: Connection) -> None:
    disclosure = disclosed(officer, verified_request(ready, 1))
    for table in ready.declarations.governed:
        rows = officer.execute(SHOW, (disclosure, table.name)).fetchall()
        expected = {
            "assignment": 2,
            **dict.fromkeys(
                ("person", "lead", "contact", "mail", "recording", "visit", "document"), 1
            ),
        }
        assert len(rows) == expected.get(table.name, 0), table.name
        for _, landed in rows:
            assert landed.get("person_id", 1) == 1
            assert set(landed) > set(table.columns_used) or set(landed) == set(table.columns_used)
    (person,) = officer.execute(SHOW, (disclosure, "person")).fetchall()
    assert person[0] == "1"
    assert person[1]["name"].startswith("Navn")


def test_read_and_roll_back_shows_nothing(ready: Shop, officer: Connection) -> None:
    request = verified_request(ready, 1)
    with officer.transaction(force_rollback=True):
        disclosure = disclosed(officer, request)
        with pytest.raises(errors.Error, match="not committed"):
            officer.execute(SHOW, (disclosure, "person"))
    assert "no such disclosure" in refusal(officer, SHOW, disclosure, "person")


@pytest.mark.parametrize(
    "way",
    [
        # Written inside a savepoint that was released, read in the same transaction.
        ["savepoint a", "DISCLOSE", "release savepoint a", "SHOW"],
        # Written outside, read inside a savepoint.
        ["DISCLOSE", "savepoint a", "SHOW"],
        # Both inside one, deep.
        ["savepoint a", "savepoint b", "DISCLOSE", "SHOW"],
        # The transaction had a number of its own before, and the savepoint got another.
        ["select pg_current_xact_id()", "savepoint a", "DISCLOSE", "savepoint b", "SHOW"],
    ],
)
def test_no_savepoint_gets_round_it(ready: Shop, officer: Connection, way: list[str]) -> None:
    request = verified_request(ready, 1)
    disclosure = None
    officer.execute("begin")
    for step in way:
        if step == "DISCLOSE":
            disclosure = disclosed(officer, request)
        elif step == "SHOW":
            with pytest.raises(errors.Error, match="not committed"):
                officer.execute(SHOW, (disclosure, "person"))
        else:
            officer.execute(step)  # type: ignore[call-overload]
    officer.execute("rollback")
    assert ready.one("select count(*) from ledger.disclosures") == 0


def test_a_prepared_transaction_shows_nothing_either(ready: Shop, officer: Connection) -> None:
    """What is not committed is not seen from elsewhere: the other session finds no such disclosure."""
    request = verified_request(ready, 1)
    officer.execute("begin")
    disclosure = disclosed(officer, request)
    with login(ready, "retention_rights_officer") as other:
        assert "no such disclosure" in refusal(other, SHOW, disclosure, "person")
    officer.execute("rollback")


def test_another_login_sees_nothing(
    ready: Shop, officer: Connection, colleague: Connection
) -> None:
    disclosure = disclosed(officer, verified_request(ready, 1))
    assert "another login" in refusal(colleague, SHOW, disclosure, "person")


def test_an_expired_disclosure_shows_nothing(ready: Shop, officer: Connection) -> None:
    disclosure = disclosed(officer, verified_request(ready, 1))
    officer.execute("begin")
    assert officer.execute(SHOW, (disclosure, "person")).fetchall()
    ready.conn.execute("update ledger.disclosures set expires_at = clock_timestamp()")
    ready.conn.commit()
    # The transaction began before it expired, and is not asked.
    assert "has expired" in refusal(officer, SHOW, disclosure, "person")
    officer.execute("rollback")


def test_no_request_whose_identity_is_not_verified(ready: Shop, officer: Connection) -> None:
    unverified = verified_request(ready, 1, verified=False)
    assert "before the identity is verified" in refusal(officer, DISCLOSE, unverified)
    request = verified_request(ready, 1)
    disclosure = disclosed(officer, request)
    ready.conn.execute(
        "update ledger.requests set state = 'closed', closed_at = now(), closed_by = 'x',"
        " closed_as = 'taken_back' where request_id = %s",
        (request,),
    )
    ready.conn.commit()
    assert "nothing more is shown" in refusal(officer, SHOW, disclosure, "person")


def test_only_a_rights_officer_discloses_a_person(ready: Shop) -> None:
    request = verified_request(ready, 1)
    with login(ready, "retention_custodian") as custodian:
        assert "retention_rights_officer" in refusal(custodian, DISCLOSE, request)
    for role in (
        "retention_reader",
        "retention_approver",
        "retention_planner",
        "retention_auditor",
    ):
        with login(ready, role) as conn, pytest.raises(errors.InsufficientPrivilege):
            conn.execute(DISCLOSE, (request,))


def test_a_right_that_was_taken_away_shows_nothing(ready: Shop) -> None:
    request = verified_request(ready, 1)
    with login(ready, "retention_rights_officer") as conn:
        disclosure = disclosed(conn, request)
        name = conn.info.user
        ready.conn.execute(
            sql.SQL("revoke retention_rights_officer from {}").format(sql.Identifier(name))
        )
        ready.conn.commit()
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(SHOW, (disclosure, "person"))


def test_what_we_process_for_a_partner_stays_out(ready: Shop, officer: Connection) -> None:
    ready.conn.execute(
        "update intermediate.int_records_decided set controller_role = 'processor',"
        " rule_id = case source_table when 'contact' then 'PROCESSOR' else rule_id end"
        " where source_table in ('contact', 'lead') and record_key = '1'"
    )
    ready.conn.commit()
    disclosure = disclosed(officer, verified_request(ready, 1))
    assert officer.execute(SHOW, (disclosure, "contact")).fetchall() == []
    # Collected after a referral too, and yet a duty of our own, as accounting and requests are.
    assert len(officer.execute(SHOW, (disclosure, "lead")).fetchall()) == 1


def test_the_evidence_counts_and_tells_no_value(ready: Shop, officer: Connection) -> None:
    request = verified_request(ready, 1)
    disclosure = disclosed(officer, request)
    body = json.loads(ready.one("select body from ledger.entries where kind = 'disclosure'"))
    assert body["records"] == 9
    assert body["disclosure_id"] == str(disclosure)
    assert set(body) == {
        *("at", "entry", "kind", "disclosure_id", "request_id", "records", "minutes", "made_by")
    }


def test_only_governed_landing_tables_are_shown(ready: Shop, officer: Connection) -> None:
    disclosure = disclosed(officer, verified_request(ready, 1))
    assert "no governed table" in refusal(officer, SHOW, disclosure, "partner")
    show = "select * from ledger.show_person_rows(%s, %s, %s)"
    for schema, table in (("ledger", "subject_tokens"), ("intermediate", "int_subjects")):
        assert "no landing table" in refusal(officer, show, disclosure, schema, table)


def test_a_type_of_somebodys_own_making_is_not_written_as_json(
    ready: Shop, officer: Connection
) -> None:
    ready.conn.execute(
        "create type shop.pair as (a int); alter table shop.contact add column own shop.pair;"
        "alter table shop.lead add column many shop.pair[]"
    )
    ready.conn.commit()
    disclosure = disclosed(officer, verified_request(ready, 1))
    assert "own" in refusal(officer, SHOW, disclosure, "contact")
    assert "many" in refusal(officer, SHOW, disclosure, "lead")


def test_personal_keys_composite_keys_and_tables_without_one(shop: Shop) -> None:
    shop.redeclare(
        "objection: {email: [email]},",
        "subject: {email: [email], to: shop.person}, objection: {email: [email]},",
    )
    shop.redeclare("key: [person_id, visited_at, page], subject", "subject")
    shop.person(1)
    shop.person(2)
    shop.add("objection", email="person1@shop.example")
    shop.add("visit", person_id=1, visited_at=LONG_AGO, page="a", browser=None)
    shop.conn.execute("alter table shop.visit drop constraint visit_pkey")
    # Twice the very same row: two records.
    shop.add(
        "visit", person_id=1, visited_at=LONG_AGO, page="a", browser=None, _fivetran_synced=LONG_AGO
    )
    shop.add(
        "visit", person_id=1, visited_at=LONG_AGO, page="a", browser=None, _fivetran_synced=LONG_AGO
    )
    shop.classify()
    landing_rights.grant(shop.settings, shop.declarations)
    with login(shop, "retention_rights_officer") as conn:
        disclosure = disclosed(conn, verified_request(shop, 1))
        (objection,) = conn.execute(SHOW, (disclosure, "objection")).fetchall()
        assert objection[1]["email"] == "person1@shop.example"
        visits = conn.execute(SHOW, (disclosure, "visit")).fetchall()
        assert len(visits) == 4
        assert {landed["person_id"] for _, landed in visits} == {1}
        assert len({key for key, _ in visits}) == 4


def test_an_ambiguous_record_is_shown_once_it_is_decided(shop: Shop) -> None:
    for number in (1, 2):
        shop.add("person", id=number, email="family@shop.example")
    shop.add("mail", id=7, from_address="family@shop.example")
    shop.classify()
    landing_rights.grant(shop.settings, shop.declarations)
    with login(shop, "retention_rights_officer") as conn:
        disclosure = disclosed(conn, verified_request(shop, 1))
        assert conn.execute(SHOW, (disclosure, "mail")).fetchall() == []
        conn.execute(
            "select ledger.decide_ambiguity(%s, 'shop', 'mail', '7', true, 'signed by her')",
            (token_of(shop, 1),),
        )
        assert len(conn.execute(SHOW, (disclosure, "mail")).fetchall()) == 1


def test_a_locked_read_names_its_record(ready: Shop) -> None:
    with login(ready, "retention_custodian") as conn:
        with pytest.raises(errors.Error, match="names the one record"):
            conn.execute("select ledger.disclose('locked_read', null, 'the court asks', 5)")
        conn.execute(
            "select ledger.disclose('locked_read', null, 'the court asks', 5, 'shop', 'person', '1')"
        )
        # A disclosure of one kind shows nothing of the other.
        row = conn.execute(
            "select ledger.disclose('locked_read', null, 'x', 5, 'shop', 'person', '1')"
        ).fetchone()
        assert row is not None
    with login(ready, "retention_custodian", "retention_rights_officer") as both:
        row = both.execute(
            "select ledger.disclose('locked_read', null, 'x', 5, 'shop', 'person', '1')"
        ).fetchone()
        assert row is not None
        assert "is a locked_read" in refusal(both, SHOW, row[0], "person")


def test_a_disclosure_is_bounded_and_says_why(ready: Shop, officer: Connection) -> None:
    request = verified_request(ready, 1)
    for reason, minutes in (("", 5), ("why", 0), ("why", 24 * 60 + 1), ("why", None)):
        with pytest.raises(errors.Error) as error:
            officer.execute(
                "select ledger.disclose('package', %s, %s, %s)", (request, reason, minutes)
            )
        assert error.value.sqlstate == "SL002"
    assert ready.one("select count(*) from ledger.disclosures") == 0


def test_nobody_writes_or_takes_away_a_disclosure(ready: Shop, officer: Connection) -> None:
    disclosed(officer, verified_request(ready, 1))
    for statement in (
        "update ledger.disclosures set expires_at = now() + interval '1 day'",
        "delete from ledger.disclosures",
        "update ledger.disclosures set made_in = '1'",
        "insert into ledger.disclosures (kind, reason, expires_at) values ('locked_read', 'x', now())",
        "select * from shop.person",
        "select * from ledger.landing_rows('shop', 'person', '{1,2}')",
        "select ledger.valid_disclosure(null, 'package')",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            officer.execute(statement)  # type: ignore[call-overload]
    assert (
        timedelta(minutes=4)
        < ready.one("select expires_at - clock_timestamp() from ledger.disclosures")
        <= timedelta(minutes=5)
    )
