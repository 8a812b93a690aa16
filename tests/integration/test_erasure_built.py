"""Erasures of the sample's persons through the models, from the decision to what is left.

Belongs here: one warehouse that goes the whole way with dbt, checked against what the grounds said before.
Does not belong here: single rules of the decision (test_erasure_decisions.py) and the decision table
(docs/rights-decisions.md and its own test).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from landing.sample import land_sample
from retention import classify, verify
from retention.code_hash import code_hash
from retention.ledger import classifications
from retention.plan import Plan, create_decided
from retention.purge import execute
from retention.purge.external import UNCONFIRMED
from retention.rights.erasure import Decided, decide, settle
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.erasures import drop_officer, make_officer
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Key = tuple[str, str]

#: What the rules of requirements § 2 make of a record by its deciding ground, told apart from the engine.
EXPECTED = """
    select g.source_schema || '.' || g.source_table, g.record_key, case
        when r.controller_role = 'processor' and g.rule_id = 'PROCESSOR' then 'relay'
        when g.rule_id = 'ACTIVE' or (g.rule_id in ('RIGHTS', 'OWN') and g.due_on is null) then 'refuse'
        when g.rule_id = 'R5' and not g.needs_review and g.due_on > r.as_of then 'kept'
        when g.rule_id = 'R4' and not g.needs_review and g.due_on > r.as_of then 'lock'
        when g.rule_id in ('R1', 'R2', 'R3') then 'erase'
    end
    from retention.grounds as g join retention.records as r using (source_schema, source_table, record_key)
    where g.wins and g.column_group = 'row' and r.subject_token = any(%s)
    and not exists (
        select from retention.grounds as other
        where other.source_schema = g.source_schema and other.source_table = g.source_table
        and other.record_key = g.record_key and other.column_group = 'row' and not other.wins
    )
"""


@dataclass
class House:
    """The warehouse before and after, and what was decided."""

    conn: psycopg.Connection[Any]
    settings: Settings
    before: dict[Key, str]
    others: set[tuple[Any, ...]]
    others_after: set[tuple[Any, ...]]
    expected: dict[Key, str | None]
    outcomes: dict[Key, str]
    after: dict[Key, tuple[str, str | None]]
    plan: Plan
    decided: Decided
    left: dict[Key, str]

    def rows(self, query: str, *values: Any) -> list[Any]:
        found = self.conn.execute(query.encode(), values).fetchall()
        self.conn.commit()
        return found


def classify_today(settings: Settings, conn: psycopg.Connection[Any]) -> None:
    number = classifications.begin(conn, classify.today(), code_hash(settings))
    classify.build(settings, classify.today())
    classifications.finish(conn, number)


STATUSES = "select source_schema || '.' || source_table, record_key, status from retention.records"
JUDGED = (
    "select source_schema, source_table, record_key, status, rule_id, due_on, reason"
    " from retention.records where subject_token is not null and not subject_token = any(%s)"
)


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("erased"))
    make_keys(settings)
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=classify.today())
        conn.commit()
        officer = make_officer(conn, settings, f"{name}_officer")
        classify_today(settings, conn)
        subjects = conn.execute(
            "select distinct on (tokens.subject_token) cases.subject_id, tokens.subject_token"
            " from intermediate.int_record_cases as cases"
            " join ledger.subject_tokens as tokens on tokens.subject_id = cases.subject_id"
            " where cases.source_table = 'person' and cases.record_key::int %% 2 = 0"
            " order by tokens.subject_token".replace("%%", "%").encode()
        ).fetchall()
        tokens = [token for _, token in subjects]
        before = {(t, k): s for t, k, s in conn.execute(STATUSES.encode()).fetchall()}
        others = set(conn.execute(JUDGED.encode(), (tokens,)).fetchall())
        expected = {(t, k): o for t, k, o in conn.execute(EXPECTED.encode(), (tokens,)).fetchall()}
        conn.commit()
        requests = [officer.request(subject) for subject, _ in subjects]
        done = decide(officer.settings, requests)
        outcomes = {
            (t, k): o
            for t, k, o in conn.execute(
                "select source_schema || '.' || source_table, record_key, outcome"
                " from ledger.decisions_of(%s::uuid[])",
                (requests,),
            ).fetchall()
        }
        conn.commit()
        classify_today(settings, conn)
        after = {
            (t, k): (s, r)
            for t, k, s, r in conn.execute(
                "select source_schema || '.' || source_table, record_key, status, rule_id"
                " from retention.records"
            ).fetchall()
        }
        others_after = set(conn.execute(JUDGED.encode(), (tokens,)).fetchall())
        conn.commit()
        made = create_decided(settings)
        execute(settings, made.plan_id)
        classify_today(settings, conn)
        left = {(t, k): s for t, k, s in conn.execute(STATUSES.encode()).fetchall()}
        conn.commit()
        yield House(
            *(conn, settings, before, others, others_after, expected, outcomes, after, made),
            *(done, left),
        )
        drop_officer(conn, officer)
    server.drop(name)


def test_nobody_else_is_judged_otherwise(house: House) -> None:
    assert house.others
    assert house.others == house.others_after


def test_what_the_law_keeps_is_never_decided_to_go(house: House) -> None:
    """Whoever stands under one ground is decided by that; expected here from the grounds alone."""
    wrong = {
        key: (want, house.outcomes.get(key))
        for key, want in house.expected.items()
        if want is not None
        and house.outcomes.get(key) not in ({"lock", "minimise"} if want == "kept" else {want})
        and house.outcomes.get(key) != "person"
    }
    assert wrong == {}
    assert Counter(house.outcomes.values()).keys() >= {"erase", "lock", "minimise", "refuse"}


def test_each_outcome_has_its_status(house: House) -> None:
    """Only a blocker of another kind stands before an erasure; nothing is erased that was refused."""
    for key, outcome in house.outcomes.items():
        status, rule = house.after[key]
        if outcome == "erase":
            # Where a consent was withdrawn before, its rule says so first.
            due = status == "overdue" and rule in ("ERASURE", "CONSENT")
            assert due or status in ("held", "restricted"), key
        elif outcome in ("lock", "minimise"):
            assert status in ("locked", "held", "restricted"), key
        else:
            assert rule != "ERASURE", key
            assert status == house.before[key] or house.before[key] == "held", key


def test_what_was_decided_is_purged_and_nothing_else(house: House) -> None:
    """Of the plan only rows whose objects outside are not confirmed deleted stay, and what they show."""
    assert house.plan.approval_kind == "decision"
    gone = set(house.before) - set(house.left)
    assert gone
    assert {house.outcomes.get(key) for key in gone} == {"erase"}
    kept = {key for key, outcome in house.outcomes.items() if outcome in ("lock", "minimise")}
    assert kept <= set(house.left)
    skipped = house.rows(
        "select distinct skip_reason from ledger.plan_items where plan_id = %s and state = 'skipped'",
        house.plan.plan_id,
    )
    assert {reason for (reason,) in skipped} <= {UNCONFIRMED, "other records of its case stay"}
    left_over = verify.read_back(house.settings, house.plan.plan_id).findings
    assert left_over == ()


def test_columns_of_locked_rows_are_null_and_the_rows_are_there(house: House) -> None:
    minimised = [key for key, outcome in house.outcomes.items() if outcome == "minimise"]
    unblocked = [key for key in minimised if house.after[key][0] == "locked"]
    assert unblocked
    assert house.rows(
        "select count(*) from intermediate.int_record_cases"
        " where has_minimisable and (source_schema || '.' || source_table, record_key)"
        " in (select * from unnest(%s::text[], %s::text[]))",
        [table for table, _ in unblocked],
        [key for _, key in unblocked],
    ) == [(0,)]
    assert {house.left[key] for key in unblocked} == {"locked"}


def test_requests_end_when_nothing_is_left(house: House) -> None:
    assert settle(house.settings) > 0
    states = dict(
        house.rows(
            "select state, count(*) from ledger.requests where asserted = 'erasure' group by 1"
        )
    )
    assert states["carried_out"] > 0
