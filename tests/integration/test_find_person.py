"""Finding a person: every record, whatever its status, and those that may be theirs, apart.

Belongs here: what is found, and what is said of the rest. Does not belong here: showing values
(test_disclosures.py).
"""

from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from retention.errors import Refused, UsageError
from retention.rights.find import decide_ambiguity, find_by_contact, find_person
from tests.factories import LONG_AGO, Shop, today
from tests.rights import token_of

pytestmark = pytest.mark.integration


def found(shop: Shop, target: UUID | str) -> set[tuple[str, str]]:
    person = find_person(shop.conn, shop.settings, target)
    return {(one.source_table, one.record_key) for one in person.records}


def test_every_record_is_found_and_nobody_elses(shop: Shop) -> None:
    shop.customer(1)
    shop.customer(2)
    shop.add("account", id="acc_1", email=" PERSON1@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1")
    shop.add("request", id=1, person_id=1)
    shop.classify()
    keys = found(shop, "shop.person:1")
    assert {table for table, _ in keys} == {
        *("person", "lead", "contact", "mail", "recording", "visit"),
        *("assignment", "document", "account", "charge", "request"),
    }
    # Both versions of the assignment; the third person in its document is somebody else.
    assert sum(table == "assignment" for table, _ in keys) == 2
    assert not keys & found(shop, "shop.person:2")
    assert keys == found(shop, token_of(shop, 1)) == found(shop, "shop.contact:1")


def test_locked_restricted_and_soft_deleted_records_are_found(shop: Shop) -> None:
    shop.add("person", id=1, email="p1@shop.example", _fivetran_deleted=True)
    shop.add("contact", id=1, person_id=1)
    shop.add("contact", id=2, person_id=1)
    shop.judge("contact", 1, "locked")
    shop.judge("contact", 2, "restricted")
    shop.classify()
    person = find_person(shop.conn, shop.settings, "shop.person:1")
    assert {(one.source_table, one.record_key, one.status) for one in person.records} == {
        ("person", "1", "retained"),
        ("contact", "1", "locked"),
        ("contact", "2", "restricted"),
    }
    assert person.subjects == ("shop.person:1",)
    assert person.as_of == today(shop.conn)
    assert all(one.rule_id and one.category and one.due_on for one in person.records)


def test_an_ambiguous_record_stands_apart_until_a_person_decides(shop: Shop) -> None:
    for number in (1, 2):
        shop.add("person", id=number, email="family@shop.example")
    shop.add("mail", id=7, from_address="family@shop.example")
    shop.classify()
    one, other = token_of(shop, 1), token_of(shop, 2)
    assert found(shop, one) == {("person", "1")}
    (candidate,) = find_person(shop.conn, shop.settings, one).undecided
    assert (candidate.table, candidate.record_key, candidate.candidates) == ("shop.mail", "7", 2)
    with pytest.raises(UsageError, match="needs a reason"):
        decide_ambiguity(shop.conn, one, "shop.mail", "7", is_theirs=True, reason=" ")
    shop.conn.rollback()
    decide_ambiguity(shop.conn, one, "shop.mail", "7", is_theirs=True, reason="signed by her")
    shop.conn.commit()
    assert found(shop, one) == {("person", "1"), ("mail", "7")}
    assert not find_person(shop.conn, shop.settings, one).undecided
    # Nobody else's from then on, unless the first word is taken back.
    assert found(shop, other) == {("person", "2")}
    with pytest.raises(Refused, match="another person's"):
        decide_ambiguity(shop.conn, other, "shop.mail", "7", is_theirs=True, reason="or by him")
    shop.conn.rollback()
    decide_ambiguity(shop.conn, one, "shop.mail", "7", is_theirs=False, reason="a mistake")
    decide_ambiguity(shop.conn, other, "shop.mail", "7", is_theirs=True, reason="by him")
    shop.conn.commit()
    assert found(shop, one) == {("person", "1")}
    assert found(shop, other) == {("person", "2"), ("mail", "7")}
    body = shop.one("select max(body) from ledger.entries where kind = 'ambiguity_decided'")
    assert "is_theirs" in body
    assert '"7"' not in body


def test_a_decision_holds_while_the_record_says_the_same(shop: Shop) -> None:
    for number in (1, 2):
        shop.add("person", id=number, email="family@shop.example")
    shop.add("person", id=3, email="other@shop.example")
    shop.add("person", id=4, email="other@shop.example")
    shop.add("mail", id=7, from_address="family@shop.example")
    shop.classify()
    one = token_of(shop, 1)
    decide_ambiguity(shop.conn, one, "shop.mail", "7", is_theirs=True, reason="signed by her")
    shop.conn.execute("update shop.mail set from_address = 'other@shop.example'")
    shop.conn.commit()
    shop.classify()
    assert found(shop, one) == {("person", "1")}


def test_a_record_that_is_nobodys_candidate_cannot_be_given_away(shop: Shop) -> None:
    shop.person(1)
    shop.person(2)
    shop.classify()
    with pytest.raises(UsageError, match="not among those"):
        decide_ambiguity(
            shop.conn, token_of(shop, 1), "shop.contact", "2", is_theirs=True, reason="why not"
        )


def test_an_objection_with_the_persons_address_may_be_theirs(shop: Shop) -> None:
    shop.add("person", id=1, email="p1@shop.example")
    shop.add("person", id=2, email="p2@shop.example")
    shop.add("objection", email=" P1@shop.example")
    shop.classify()
    (candidate,) = find_person(shop.conn, shop.settings, "shop.person:1").candidates
    assert candidate.table == "shop.objection"
    assert candidate.candidates == 1
    assert not find_person(shop.conn, shop.settings, "shop.person:2").candidates


def test_a_contact_point_finds_all_who_have_it(shop: Shop) -> None:
    for number, email in ((1, "a@shop.example"), (2, "a@shop.example"), (3, "c@shop.example")):
        shop.add("person", id=number, email=email)
    shop.classify()
    both = sorted([token_of(shop, 1), token_of(shop, 2)])
    assert find_by_contact(shop.conn, "email", "A@shop.example ") == both
    assert find_by_contact(shop.conn, "email", "nobody@shop.example") == []


def test_a_contact_point_is_not_bound_where_the_server_logs_it(shop: Shop) -> None:
    shop.add("person", id=1, email="kanari@shop.example")
    shop.classify()
    shop.conn.execute("set log_statement = 'all'")
    shop.conn.execute("set log_parameter_max_length = -1")
    with pytest.raises(Refused, match="log_parameter_max_length") as refused:
        find_by_contact(shop.conn, "email", "kanari@shop.example")
    assert "kanari" not in str(refused.value)


def test_what_cannot_be_searched_is_said(shop: Shop) -> None:
    shop.person(1)
    shop.conn.execute("create table shop.stray (id int, email text)")
    shop.conn.commit()
    shop.classify()
    not_searched = find_person(shop.conn, shop.settings, "shop.person:1").not_searched
    assert set(not_searched) == {"shop.partner", "shop.stray"}
    assert not_searched["shop.partner"].endswith("Companies and no persons")


def test_nobody_is_found_by_a_name_that_is_none(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    for target in (uuid4(), "shop.person:99", "kari@shop.example", ""):
        with pytest.raises(UsageError, match="knows no such person") as error:
            find_person(shop.conn, shop.settings, target)
        assert "kari" not in str(error.value)


def test_finding_reads_by_index_alone(shop: Shop) -> None:
    """At a size at which a scan would be cheaper it is not seen; so the planner is told that scans cost."""
    for number in range(1, 40):
        shop.add("person", id=number, email=f"p{number}@shop.example")
        shop.add(
            "contact", id=number, person_id=number, occurred_at=LONG_AGO + timedelta(days=number)
        )
    shop.classify()
    token = token_of(shop, 7)
    shop.conn.execute(
        "create index on intermediate.int_record_cases (subject_token);"
        "create index on intermediate.int_records_decided (source_schema, source_table, record_key);"
        "create index on intermediate.int_record_candidates (subject_id);"
        "create index on intermediate.int_record_candidates (row_id);"
        "create index on intermediate.int_record_mentions (subject_id);"
        "create index on intermediate.int_record_mentions (row_id);"
        "create index on intermediate.int_record_cases (row_id);"
    )
    shop.conn.commit()
    before = scans(shop.conn)
    shop.conn.execute("set enable_seqscan = off")
    shop.conn.execute("select count(*) from ledger.person_records(%s)", (token,))
    shop.conn.execute("select count(*) from ledger.person_candidates(%s)", (token,))
    shop.conn.commit()
    assert scans(shop.conn) == before


def scans(conn: psycopg.Connection[object]) -> dict[object, object]:
    conn.execute("select pg_stat_force_next_flush()")
    conn.commit()
    return dict(
        conn.execute(
            "select relname, seq_scan from pg_stat_user_tables where schemaname = 'intermediate'"
        ).fetchall()  # type: ignore[arg-type]
    )
