"""What becomes of each record of a person who asks for erasure: first what is not erased, then what is.

Belongs here: the decision, its locks and its evidence. Does not belong here: the plan and the purge that
carry it out (test_erasure_decisions_carried_out.py), and the models (their own tests).
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from retention.errors import Refused, UsageError
from retention.rights.erasure import decide, decide_record, propose
from retention.rights.model import Outcome
from retention.warehouse.connection import connect
from tests.erasures import Officer, outcomes, statuses
from tests.factories import Shop, today

pytestmark = pytest.mark.integration


def by_table(shop: Shop, request: UUID) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for (table, _), outcome in outcomes(shop, request).items():
        found.setdefault(table, set()).add(outcome)
    return found


def in_years(shop: Shop, years: int) -> date:
    return today(shop.conn) + timedelta(days=365 * years)


# --- what is not decided, or not erased ---------------------------------------------------------


def test_only_a_rights_officer_decides(shop: Shop, officer: Officer) -> None:
    """The job's own login may not, a superuser as it is."""
    shop.person(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    with pytest.raises(Refused, match="retention_rights_officer"):
        decide(shop.settings, [request])
    assert outcomes(shop, request) == {}
    assert shop.one("select state from ledger.requests") == "identity_verified"


def test_an_unverified_request_and_another_right_are_not_decided(
    shop: Shop, officer: Officer
) -> None:
    shop.person(1, overdue=False)
    shop.classify()
    good = officer.request(1)
    for bad in (officer.request(1, verified=False), officer.request(1, "access")):
        with pytest.raises(Refused, match="only requests for erasure"):
            decide(officer.settings, [good, bad])
    with pytest.raises(UsageError):
        decide(officer.settings, [])
    assert outcomes(shop, good) == {}


def test_nothing_is_decided_on_a_classification_that_is_not_todays(
    shop: Shop, officer: Officer
) -> None:
    shop.person(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    shop.conn.execute("update ledger.classifications set as_of = as_of - 1")
    shop.conn.commit()
    with pytest.raises(Refused, match="not today"):
        decide(officer.settings, [request])
    shop.conn.execute("update ledger.classifications set as_of = as_of + 1, finished_at = null")
    shop.conn.commit()
    with pytest.raises(Refused, match="classification is going on"):
        decide(officer.settings, [request])


def test_other_persons_records_are_not_touched(shop: Shop, officer: Officer) -> None:
    for number in (1, 2):
        shop.customer(number, overdue=False)
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    assert {key for _, key in outcomes(shop, request)} & {"2", "party-2"} == set()
    assert ("party", "party-1") in outcomes(shop, request)
    shop.classify()
    assert {status for (_, key), status in statuses(shop).items() if key == "2"} == {"retained"}


def test_accounting_and_claims_are_locked_until_their_last_day(
    shop: Shop, officer: Officer
) -> None:
    shop.customer(1, overdue=False)
    shop.add("account", id="acc_1", email="person1@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1")
    shop.classify()
    request = officer.request(1)
    done = decide(officer.settings, [request])
    found = by_table(shop, request)
    for table in ("assignment", "document", "party", "charge"):
        assert found[table] == {"lock"}
    assert {"erase"} == found["contact"] == found["lead"] == found["account"]
    assert done.of(Outcome.LOCK) == 5
    locks = shop.conn.execute(
        "select target, until_on, authority from ledger.blockers where kind = 'lock'"
        " and released_at is null order by target"
    ).fetchall()
    shop.conn.commit()
    assert len(locks) == 5
    assert {lock[1] for lock in locks} == {today(shop.conn) + timedelta(days=299)}
    assert {law for _, _, law in locks if law.startswith("bok")} == {
        "bokføringsloven § 13, GDPR art. 17(3)(b)"
    }
    guarded = shop.one("select records from ledger.guards where guard_key = 'table:shop.charge'")
    assert guarded == ["ch_1"]
    assert shop.one("select outcome from ledger.requests") == "partly"
    shop.classify()
    assert statuses(shop)[("charge", "ch_1")] == "locked"


def test_a_hindrance_whose_last_day_has_passed_hinders_nothing(
    shop: Shop, officer: Officer
) -> None:
    shop.customer(1)  # overdue: its periods have ended
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    assert set(outcomes(shop, request).values()) == {"erase"}
    assert shop.one("select outcome from ledger.requests") == "granted"


def test_the_strictest_ground_decides_and_the_latest_lock(shop: Shop, officer: Officer) -> None:
    """An open contract keeps the row in use; two assignments lock it until the later of their days."""
    shop.person(1, overdue=False)
    shop.person(2, overdue=False)
    shop.person(3, overdue=False)
    for key, rule, until, review in (
        (1, "R4", in_years(shop, 5), None),
        (1, "ACTIVE", None, None),
        (2, "R4", in_years(shop, 5), None),
        (2, "R4", in_years(shop, 9), None),
        (3, "R4", in_years(shop, 9), None),
        (3, "R4", None, "assignment: its type has no period"),
    ):
        shop.stand("person", key, rule, until, review)
    shop.classify()
    requests = [officer.request(number) for number in (1, 2, 3)]
    decide(officer.settings, requests)
    assert [outcomes(shop, r)[("person", str(n))] for n, r in enumerate(requests, 1)] == [
        *("refuse", "lock", "person"),
    ]
    assert shop.one("select until_on from ledger.blockers where kind = 'lock'") == in_years(shop, 9)


def test_a_hindrance_that_nobody_approved_leaves_it_to_a_person(
    shop: Shop, officer: Officer
) -> None:
    shop.customer(1, overdue=False)
    shop.classify()
    shop.conn.execute("update policy.policy_hindrances set approval = 'example'")
    shop.conn.commit()
    request = officer.request(1)
    decide(officer.settings, [request])
    found = by_table(shop, request)
    assert {"person"} == found["assignment"] == found["document"]
    assert shop.one("select count(*) from ledger.blockers where kind = 'lock'") == 0


def test_an_ambiguous_record_waits_for_whoever_says_whose_it_is(
    shop: Shop, officer: Officer
) -> None:
    for number in (1, 2):
        shop.person(number, overdue=False)
        shop.add("person", id=number + 10, email="felles@shop.example")
    shop.add("mail", id=99, from_address="felles@shop.example")
    shop.classify()
    request = officer.request(11)
    decide(officer.settings, [request])
    assert outcomes(shop, request) == {("person", "11"): "erase", ("mail", "99"): "person"}
    assert decide(officer.settings, [request]).records == 0
    shop.conn.execute(
        "insert into ledger.ambiguity_decisions (source_schema, source_table, record_key, inputs_hash,"
        " subject_token, is_theirs, reason)"
        " select 'shop', 'mail', '99', cases.inputs_hash, requests.subject_token, true, 'she wrote it'"
        " from intermediate.int_record_cases as cases, ledger.requests as requests"
        " where cases.source_table = 'mail' and cases.record_key = '99'"
    )
    shop.conn.commit()
    assert decide(officer.settings, [request]).records == 1
    assert outcomes(shop, request)[("mail", "99")] == "erase"


def test_a_record_that_landed_after_the_decision_is_not_covered(
    shop: Shop, officer: Officer
) -> None:
    shop.person(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    shop.add("contact", id=77, person_id=1)
    shop.classify()
    assert decide(officer.settings, [request]).records == 0
    assert ("contact", "77") not in outcomes(shop, request)
    assert statuses(shop)[("contact", "77")] == "retained"
    assert statuses(shop)[("contact", "1")] == "overdue"


def test_what_the_law_keeps_nobody_erases_record_by_record(shop: Shop, officer: Officer) -> None:
    shop.customer(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    with pytest.raises(Refused, match="a person decides what was left to one"):
        decide_record(
            officer.settings, request, "shop.document:1", Outcome.ERASE, reason="she insists"
        )
    with pytest.raises(UsageError, match="no such record"):
        decide_record(
            officer.settings, request, "shop.document:2", Outcome.ERASE, reason="she insists"
        )
    with pytest.raises(Refused):
        decide_record(
            shop.settings, request, "shop.contact:1", Outcome.REFUSE, reason="x", law="a law"
        )


def test_an_ambiguous_record_that_accounting_keeps_is_not_erased_by_a_person(
    shop: Shop, officer: Officer
) -> None:
    """Whose it is is in doubt, and not whether the law keeps it."""
    for number in (1, 2):
        shop.add("person", id=number, email="felles@shop.example")
    shop.add("account", id="acc_1", email="felles@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1")
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    assert by_table(shop, request)["charge"] == {"person"}
    with pytest.raises(Refused, match="the law keeps it, bokføringsloven"):
        decide_record(officer.settings, request, "shop.charge:ch_1", Outcome.ERASE, reason="hers")
    decide_record(officer.settings, request, "shop.account:acc_1", Outcome.ERASE, reason="hers")
    assert outcomes(shop, request)[("account", "acc_1")] == "erase"


def test_a_dry_run_writes_nothing(shop: Shop, officer: Officer) -> None:
    shop.customer(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    before = shop.one("select count(*) from ledger.entries")
    seen = propose(officer.settings, [request])
    assert shop.one("select count(*) from ledger.entries") == before
    assert outcomes(shop, request) == {}
    with pytest.raises(Refused):
        propose(shop.settings, [request])
    done = decide(officer.settings, [request])
    assert {(c.table, c.outcome, c.records) for c in seen.counts} == {
        (c.table, c.outcome, c.records) for c in done.counts
    }


# --- what is decided ----------------------------------------------------------------------------


def test_an_erasure_overrides_review_and_ends_the_hold(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    shop.judge("contact", 1, "review")
    shop.classify()
    request = officer.request(1)
    assert shop.one("select blockers from ledger.guards where guard_key like 'subject:%%'") == 1
    decide(officer.settings, [request])
    assert set(outcomes(shop, request).values()) == {"erase"}
    assert shop.one("select blockers from ledger.guards where guard_key like 'subject:%%'") == 0
    assert shop.one("select state || ' ' || decided_by from ledger.requests") == (
        f"decided {officer.name}"
    )


def test_columns_that_accounting_does_not_need_are_minimised_and_the_row_locked(
    shop: Shop, officer: Officer
) -> None:
    shop.buyer(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    assert outcomes(shop, request)[("charge", "ch_1")] == "minimise"
    rows_only, whole = (
        shop.one(f"select {column} from ledger.guards where guard_key = 'table:shop.charge'")
        for column in ("row_only", "records")
    )
    assert (rows_only, whole) == (["ch_1"], [])


def test_columns_whose_own_ground_hinders_stay_with_the_row(shop: Shop, officer: Officer) -> None:
    shop.buyer(1, overdue=False)
    shop.classify()
    shop.conn.execute(
        "update intermediate.int_record_grounds set basis_rule_id = 'R4' where column_group = 'person'"
    )
    shop.conn.commit()
    request = officer.request(1)
    decide(officer.settings, [request])
    assert outcomes(shop, request)[("charge", "ch_1")] == "lock"


def test_a_partners_records_are_relayed(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    shop.classify()
    shop.conn.execute(
        "update intermediate.int_record_grounds as g set rule_id = 'PROCESSOR',"
        " basis_rule_id = 'PROCESSOR' from intermediate.int_record_cases as c"
        " where c.row_id = g.row_id and c.source_table = 'visit'"
    )
    shop.conn.commit()
    request = officer.request(1)
    decide(officer.settings, [request])
    assert by_table(shop, request)["visit"] == {"relay"}
    assert by_table(shop, request)["person"] == {"erase"}


def test_asked_twice_is_locked_once(shop: Shop, officer: Officer) -> None:
    shop.customer(1, overdue=False)
    shop.classify()
    first = officer.request(1)
    decide(officer.settings, [first])
    locks = "select count(*) from ledger.blockers where kind = 'lock' and released_at is null"
    before = shop.one(locks)
    shop.classify()
    second, third = officer.request(1), officer.request(1)
    decide(officer.settings, [second, third])
    assert shop.one(locks) == before
    assert outcomes(shop, second) == outcomes(shop, first)
    assert (
        shop.one(
            "select cardinality(records) from ledger.guards where guard_key = %s",
            "table:shop.document",
        )
        == 1
    )


def test_a_later_decision_replaces_the_lock_of_an_earlier_one(shop: Shop, officer: Officer) -> None:
    shop.customer(1, overdue=False)
    shop.classify()
    decide(officer.settings, [officer.request(1)])
    shop.stand("document", 1, "R4", in_years(shop, 3))
    shop.classify()
    second = officer.request(1)
    decide(officer.settings, [second])
    ends = shop.conn.execute(
        "select until_on from ledger.blockers where target = 'shop.document:1' and released_at is null"
    ).fetchall()
    assert ends == [(in_years(shop, 3),)]
    shop.conn.commit()
    guarded = shop.one("select records from ledger.guards where guard_key = 'table:shop.document'")
    assert guarded == ["1"]


def test_a_person_decides_what_was_left_to_one(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    for table in ("person", "contact", "lead"):
        shop.stand(table, 1, "R4", None, "assignment: its type has no period")
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    told: dict[str, Any] = {"reason": "seen by counsel"}
    ask = (officer.settings, request)
    decide_record(*ask, "shop.person:1", Outcome.ERASE, **told)
    decide_record(*ask, "shop.lead:1", Outcome.REFUSE, law="art. 17(3)(e)", **told)
    until = in_years(shop, 1)
    decide_record(*ask, "shop.contact:1", Outcome.LOCK, law="art. 17(3)(e)", until_on=until, **told)
    found = outcomes(shop, request)
    assert (found[("person", "1")], found[("lead", "1")], found[("contact", "1")]) == (
        *("erase", "refuse", "lock"),
    )
    assert shop.one("select until_on from ledger.blockers where kind = 'lock'") == until
    with pytest.raises(UsageError, match="names its law"):
        decide_record(*ask, "shop.mail:1", Outcome.REFUSE, **told)
    with pytest.raises(UsageError, match="last day"):
        decide_record(*ask, "shop.mail:1", Outcome.LOCK, law="art. 17(3)(e)", **told)
    with pytest.raises(UsageError, match="reason"):
        decide_record(*ask, "shop.mail:1", Outcome.ERASE, reason=" ")


def test_the_evidence_holds_counts_and_no_key(shop: Shop, officer: Officer) -> None:
    shop.customer(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    body = shop.one("select body from ledger.entries where kind = 'erasure_decided'")
    assert {str(request), '"outcome":"lock"'} == {
        part for part in (str(request), '"outcome":"lock"', "party-1", "record_key") if part in body
    }


def test_only_the_functions_write_decisions(shop: Shop, officer: Officer) -> None:
    """Not even the officer's own login writes a row of it."""
    with connect(officer.settings) as conn:
        for statement in (
            "insert into ledger.erasure_decisions (basis, request_id, source_schema, source_table,"
            " outcome) values ('request', gen_random_uuid(), 'shop', 'person', 'erase')",
            "update ledger.erasure_decisions set outcome = 'erase'",
            "delete from ledger.erasure_decisions",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
            conn.rollback()
