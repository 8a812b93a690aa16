"""`retention explain` on the sample's named cases: the right rule, in the policy's words, at once.

Belongs here: what is said of a record. Does not belong here: whether the classification is right,
which the stories and the oracle test.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from psycopg.rows import class_row

from retention.classified import find_classification
from retention.errors import UsageError
from retention.explain import explain
from retention.explain_person import RECORD, PersonExplanation
from retention.explain_steps import steps_until_deleted
from retention.explanation import Explanation, Listing, Record
from retention.language import Language, speaker
from retention.phrase import said
from retention.warehouse.connection import connect
from tests.factories import Shop
from tests.integration.conftest import BLOCKED, ClassifiedSample
from tests.integration.test_status import QUICK, best_of
from tests.policies import edited_text, write_policy

pytestmark = [pytest.mark.integration, pytest.mark.slow]

READER = "retention_reader"


def ask(
    sample: ClassifiedSample, table: str, key: str
) -> Explanation | Listing | PersonExplanation:
    with connect(sample.settings, role=READER, read_only=True) as conn:
        return explain(conn, sample.settings, table, key)


def one(sample: ClassifiedSample, table: str, key: str) -> Explanation:
    found = ask(sample, table, key)
    assert isinstance(found, Explanation)
    return found


def period(found: Explanation) -> str:
    """How long the rule keeps it, in English."""
    assert found.period is not None
    return said(speaker(Language.EN), found.period)


def first(sample: ClassifiedSample, where: str) -> str:
    """The key of some record; `where` is a constant of the test."""
    with connect(sample.settings) as conn:
        row = conn.execute(
            f"select record_key from retention.records where {where} order by record_key"
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_lead_is_explained_by_its_clause_and_the_lead_that_started_its_clock(
    told_stories: ClassifiedSample,
) -> None:
    found = one(told_stories, "crm.person", "10")
    assert (found.record.rule_id, found.record.status) == ("R1", "overdue")
    assert found.clause is not None
    assert found.clause.quote.startswith("Dersom et kundeforhold ikke etableres")
    assert found.clause.summary.startswith("A person received through a partner")
    assert found.anchor_event is not None
    assert found.anchor_event.startswith("crm.lead:")
    assert period(found) == "6 months"
    assert found.moved_from is None


def test_the_period_of_an_assignment_is_that_of_its_type(told_stories: ClassifiedSample) -> None:
    found = one(told_stories, "crm.person", "450")
    assert period(found) in (
        "20 years, for assignments of type will",
        "20 years, for assignments of type marriage_contract",
    )


def test_a_last_day_that_moved_says_from_where(told_stories: ClassifiedSample) -> None:
    found = one(told_stories, "crm.person", "460")
    assert found.record.last_day is not None
    assert found.moved_from is not None
    assert found.moved_from < found.record.last_day
    assert found.moved_from.isoweekday() in (6, 7) or found.record.last_day.isoweekday() < 6


def test_an_open_assignment_says_which_rules_lost(told_stories: ClassifiedSample) -> None:
    found = one(told_stories, "crm.person", "470")
    lost = {ground.rule_id: ground.lost_because for ground in found.grounds if not ground.wins}
    assert found.record.rule_id == "ACTIVE"
    assert str(lost["R4"]) == "no clock runs while an assignment is open"
    assert found.period is None


def test_accounting_tells_of_the_columns_that_have_another_ground(
    told_stories: ClassifiedSample,
) -> None:
    key = first(told_stories, "source_table = 'charge' and disposition = 'minimise'")
    found = one(told_stories, "stripe.charge", key)
    others = [ground for ground in found.grounds if ground.column_group != "row"]
    assert period(found) == "5 years after the end of the fiscal year, for primary material"
    assert [ground.column_group for ground in others if ground.wins] == ["person"]


def test_what_follows_a_person_says_which_rule_the_person_is_under(
    told_stories: ClassifiedSample,
) -> None:
    key = first(
        told_stories,
        "source_schema = 'crm' and source_table = 'contact_event' and rule_id = 'SUPPORTING'"
        " and status = 'retained'",
    )
    found = one(told_stories, "crm.contact_event", key)
    assert found.period is not None
    assert period(found).startswith("as long as its person, who is under ")


def test_a_referral_without_an_instruction_says_so(told_stories: ClassifiedSample) -> None:
    key = first(
        told_stories,
        "source_schema = 'crm' and source_table = 'contact_event' and rule_id = 'PROCESSOR'"
        " and status = 'review'",
    )
    found = one(told_stories, "crm.contact_event", key)
    assert period(found) == "the partner has recorded no instruction"
    assert found.record.controller_role == "processor"


def test_a_hold_is_named_and_the_due_date_still_shown(told_stories: ClassifiedSample) -> None:
    found = one(told_stories, "crm.person", BLOCKED["hold"].partition(":")[2])
    assert found.record.status == "held"
    assert found.record.blocked_by == ["hold:subject"]
    assert found.record.due_on is not None


def test_a_locked_record_tells_its_key_and_status_and_nothing_else(
    told_stories: ClassifiedSample,
) -> None:
    key = BLOCKED["lock"].partition(":")[2]
    assert one(told_stories, "crm.person", key).as_dict(speaker(Language.NB)) == {
        "language": "nb",
        "table": "crm.person",
        "record_key": key,
        "status": "locked",
        "as_of": told_stories.as_of,
    }


def test_a_token_explains_all_records_of_the_person(told_stories: ClassifiedSample) -> None:
    person = one(told_stories, "crm.person", "470")
    token = str(person.record.subject_token)
    found = ask(told_stories, "crm.lead", token)
    assert isinstance(found, PersonExplanation)
    assert {record.table for record in found.records} >= {"crm.person", "crm.assignment"}
    assert {str(record.subject_token) for record in found.records} == {token}
    with connect(told_stories.settings) as conn:
        row = conn.execute(
            "select count(*) from retention.records where subject_token = %s", (token,)
        ).fetchone()
    assert row is not None
    assert found.total == len(found.records) == row[0]
    assert sum(group.records for group in found.groups) == found.total
    assert sum(found.roles.values()) <= found.total
    assert [record.record_key for record in found.own] == ["470"]
    assert found.own[0] == person.record
    open_ones = [
        fact for fact in found.facts if fact.kind == "assignment" and "open" in str(fact.what)
    ]
    assert open_ones
    assert open_ones[0].event.startswith("crm.assignment:")


def test_a_person_is_told_of_contact_and_partner_and_of_what_blocks(
    told_stories: ClassifiedSample,
) -> None:
    with connect(told_stories.settings) as conn:
        row = conn.execute(
            "select subject_token::text, contact_on from intermediate.int_contacts_counted"
            " join ledger.subject_tokens using (subject_id)"
            " join (select subject_id from intermediate.int_person_partners) as p using (subject_id)"
            " where subject_token in (select subject_token from retention.records)"
            " order by subject_id, contact_on desc limit 1"
        ).fetchone()
    assert row is not None
    found = ask(told_stories, "crm.person", row[0])
    assert isinstance(found, PersonExplanation)
    (contact,) = (fact for fact in found.facts if fact.kind == "contact")
    assert contact.on == row[1]
    assert "partner" in {fact.kind for fact in found.facts}

    held = one(told_stories, "crm.person", BLOCKED["hold"].partition(":")[2])
    blocked = ask(told_stories, "crm.person", str(held.record.subject_token))
    assert isinstance(blocked, PersonExplanation)
    assert blocked.blockers == {"hold:subject": blocked.total}


def test_a_locked_person_is_not_explained(told_stories: ClassifiedSample) -> None:
    with connect(told_stories.settings) as conn:
        row = conn.execute(
            "select subject_token::text from ledger.subject_tokens where subject_id = %s",
            (BLOCKED["lock"],),
        ).fetchone()
        assert row is not None
        facts = conn.execute("select * from ledger.person_facts('', %s)", row).fetchall()
    assert facts == []
    with pytest.raises(UsageError, match="no person has that token"):
        ask(told_stories, "crm.person", row[0])


def test_every_reason_and_every_ground_is_said_in_norwegian(told_stories: ClassifiedSample) -> None:
    nb = speaker(Language.NB, told_stories.settings.policy_dir)
    with connect(told_stories.settings) as conn:
        reasons = conn.execute("select distinct reason from retention.records").fetchall()
        events = conn.execute(
            "select distinct anchor_event from retention.grounds where anchor_event is not null"
        ).fetchall()
    unknown = {text for (text,) in reasons if text and nb.reason(text).language != "nb"}
    assert unknown == set()
    assert len(reasons) > 10
    # An event is named by its record: there is nothing in it to translate.
    tables = {event.partition(":")[0] for (event,) in events}
    assert all(table.count(".") == 1 and " " not in table for table in tables)


@pytest.mark.parametrize(
    ("where", "codes"),
    [
        ("status = 'overdue' and disposition = 'purge'", ["plan", "approve", "purge"]),
        ("status = 'held'", ["release_hold"]),
        ("status = 'review'", ["decide"]),
        ("status = 'active' and rule_id = 'ACTIVE'", ["end_assignment"]),
        ("status = 'retained' and disposition = 'purge'", ["wait", "plan", "approve", "purge"]),
    ],
)
def test_what_must_happen_until_it_is_deleted(
    told_stories: ClassifiedSample, where: str, codes: list[str]
) -> None:
    key = first(told_stories, f"source_table = 'person' and {where}")
    found = one(told_stories, "crm.person", key)
    told = [step.code for step in found.steps]
    assert told[: len(codes)] == codes
    english, nb = speaker(Language.EN), speaker(Language.NB)
    assert all(said(nb, step.what) != said(english, step.what) for step in found.steps)


def test_a_plan_that_holds_it_is_named_with_the_command_that_is_next(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    plan = shop.plan()

    def steps() -> list[tuple[str, str]]:
        with connect(shop.settings, role=READER, read_only=True) as conn:
            with conn.cursor(row_factory=class_row(Record)) as cursor:
                classification = find_classification(conn)
                record = cursor.execute(
                    classification.query(
                        RECORD + "where source_table = 'person' and record_key = '1'"
                    )
                ).fetchone()
            assert record is not None
            found = steps_until_deleted(conn, classification, shop.settings, record)
        return [(step.code, str(step.what)) for step in found]

    assert [code for code, _ in steps()] == ["approve", "purge"]
    assert f"retention approve {plan.plan_id} {plan.digest}" in steps()[0][1]
    shop.approve(plan)
    assert [code for code, _ in steps()] == ["purge"]
    assert f"retention purge {plan.plan_id}" in steps()[0][1]


def test_versions_are_found_by_the_business_key_and_by_the_whole_key(
    told_stories: ClassifiedSample,
) -> None:
    versions = ask(told_stories, "crm.assignment", "51000")
    assert isinstance(versions, Listing)
    assert len(versions.records) > 1
    spaced = ", ".join(json.dumps(part) for part in json.loads(versions.records[0].record_key))
    assert one(told_stories, "crm.assignment", f"[{spaced}]").record == versions.records[0]


@pytest.mark.parametrize(
    ("table", "key", "says"),
    [
        ("person", "10", "name the table as SCHEMA.TABLE"),
        ("crm.persons", "10", "crm.persons is no governed table: did you mean crm.person?"),
        ("crm.partner", "1", "crm.partner is exempt: Companies, not persons"),
        ("crm.person", "987654", "its key is id"),
        ("crm.assignment", "987654", "its key is (id, _fivetran_start) as a JSON array of strings"),
        ("crm.marketing_objection", "kari@example.no", "its key is the salted hash of email"),
    ],
)
def test_what_is_not_there_is_said_in_one_line_without_the_key(
    told_stories: ClassifiedSample, table: str, key: str, says: str
) -> None:
    with pytest.raises(UsageError) as error:
        ask(told_stories, table, key)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert "kari" not in str(error.value)


def test_an_edited_policy_is_not_quoted_for_what_an_older_one_decided(
    told_stories: ClassifiedSample, tmp_path: Path
) -> None:
    path = write_policy(tmp_path, edited_text(("six months after", "half a year after")))
    edited = dataclasses.replace(told_stories.settings, policy_dir=path.parent)
    with connect(edited) as conn:
        found = explain(conn, edited, "crm.person", "10")
    assert isinstance(found, Explanation)
    assert found.clause is not None
    assert found.clause.quote.startswith("Dersom et kundeforhold ikke etableres")
    assert found.clause.summary == ""
    assert "the policy file has changed since" in str(found.notes[0])


def command(
    sample: ClassifiedSample, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env={
            **environment,
            "RETENTION_DATABASE_URL": str(sample.settings.database_url),
            "RETENTION_STATE_DIR": str(sample.settings.state),
            "NO_COLOR": "1",
            "COLUMNS": "100",
        },
        cwd=sample.settings.project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_kind_of_explanation_fits_one_screen(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    for key in ("10", "50", "420", "450", "470", "500"):
        done = command(told_stories, clean_environment, "explain", "crm.person", key)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) <= 24, done.stdout


def test_it_answers_while_somebody_waits(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    asked = ("explain", "crm.person", "10")
    assert best_of(lambda: command(told_stories, clean_environment, *asked)) < QUICK


def test_it_loads_no_heavy_package(clean_environment: Mapping[str, str]) -> None:
    script = (
        "import sys, cli.explain, cli.status\n"
        "print(sorted({'dagster', 'dbt', 'great_expectations', 'holidays', 'jinja2', 'pandas'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=dict(clean_environment),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_record_ends_with_two_and_one_line(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    done = command(told_stories, clean_environment, "explain", "crm.person", "nobody@example.no")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("retention: crm.person had no record under that key")
    assert done.stderr.count("\n") == 1
    assert "nobody" not in done.stderr


def test_json_is_the_same_story(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    done = command(told_stories, clean_environment, "explain", "crm.person", "10", "--json")
    told = json.loads(done.stdout)
    assert told["rule_id"] == told["clause"]["rule_id"] == "R1"
    assert [ground["rule_id"] for ground in told["grounds"] if ground["wins"]] == ["R1"]
    assert told["until_deleted"][-1]["code"] == "purge"


def test_it_speaks_norwegian(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    asked = ("explain", "crm.person", "10")
    english = command(told_stories, clean_environment, *asked).stdout
    norwegian = command(told_stories, clean_environment, *asked, "--lang", "nb").stdout
    assert "OVERDUE" in english
    assert "OVER FRISTEN" in norwegian
    # The clause is the policy's own words in both; its summary is for who does not read them.
    for text in (english, norwegian):
        assert "Dersom et kundeforhold ikke etableres" in text
    assert "A person received through a partner" in english
    assert "A person received through a partner" not in norwegian
    for label in ("slettefrist", "lagringstid", "hindres av", "før den slettes"):
        assert label in norwegian
    declared = command(told_stories, clean_environment, "explain", "crm.person", "--lang", "nb")
    assert "deklarert" in declared.stdout
