"""The retention report on the sample's named cases: it adds up, it is the same every time, and it
tells nobody's name.

Belongs here: the report's numbers and what it must not hold. Does not belong here: the page's looks.
"""

import dataclasses
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from retention.declarations import load_declarations
from retention.errors import Refused, UsageError
from retention.lineage.personal import kinds_of
from retention.report.report import gather, write_report
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests import report_schema
from tests.conftest import Server
from tests.integration.conftest import BLOCKED, ClassifiedSample
from tests.policies import edited_text, write_policy

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def document(told_stories: ClassifiedSample) -> dict[str, Any]:
    return gather(told_stories.settings)


def test_it_is_as_its_published_schema_says(document: dict[str, Any]) -> None:
    report_schema.check(document)


def test_every_personal_column_is_followed_from_landing_to_the_marts(
    told_stories: ClassifiedSample, document: dict[str, Any]
) -> None:
    lineage = document["lineage"]
    declared = {
        (table.qualified, column)
        for table in load_declarations(told_stories.settings.declarations_dir).governed
        for column in kinds_of(table)
    }
    told = {(column["table"], column["column"]): column for column in lineage["columns"]}
    landed = {row["table"] for row in document["figures"]["landed"]["rows"]}
    assert {one for one in declared if one[0] in landed} <= set(told)
    relations = {one["relation"]: one for one in lineage["relations"]}
    assert {reach["relation"] for one in told.values() for reach in one["reaches"]} == set(
        relations
    )
    email = [reach["relation"] for reach in told["crm.person", "email"]["reaches"]]
    assert email[0] == "staging.stg_crm__person"
    assert relations["staging.stg_crm__person"]["rows_go"] == "by_name"
    # The concept names the tables in which a purge of the record has something to do.
    (concept,) = [one for one in document["concept"]["tables"] if one["table"] == "crm.person"]
    assert "staging.stg_crm__person" in concept["copies"]
    assert "crm.person" not in concept["copies"]


def test_the_record_of_processing_says_what_nobody_states(document: dict[str, Any]) -> None:
    processing = document["processing"]
    assert processing["controller"]["name"] == document["policy"]["controller"]
    assert {one["id"] for one in processing["recipients"]} >= {"stripe", "partners"}
    assert processing["transfers"] is None
    assert processing["security"] is None
    stated = {one["id"]: one["stated_in_policy"] for one in processing["purposes"]}
    assert stated["customer_relationship"]
    assert not stated["marketing"]


def test_every_table_reconciles_with_landing_to_the_row(document: dict[str, Any]) -> None:
    landed = document["figures"]["landed"]["rows"]
    counted = document["figures"]["population"]["rows"]
    assert landed
    for row in landed:
        of_table = sum(line["records"] for line in counted if line["table"] == row["table"])
        assert row["landed"] == row["records"] == of_table, row["table"]
        assert row["reconciled"]
    assert document["headline"]["unreconciled_tables"] == 0
    assert document["headline"]["records"] == sum(row["landed"] for row in landed)


def test_the_headline_is_a_sum_of_the_figures(document: dict[str, Any]) -> None:
    headline, figures = document["headline"], document["figures"]
    overdue = figures["overdue"]["rows"]
    assert headline["overdue"] == sum(row["records"] for row in overdue) > 0
    assert headline["overdue_beyond_grace"] == sum(row["beyond_grace"] for row in overdue)
    assert headline["oldest_due_on"] == min(row["oldest_due_on"] for row in overdue)
    assert sum(headline["by_status"].values()) == headline["records"]


def test_each_query_gives_its_figure_again(
    told_stories: ClassifiedSample, document: dict[str, Any]
) -> None:
    """As printed, pasted by an auditor, with no value to fill in."""
    with connect(told_stories.settings, role="retention_reader", read_only=True) as conn:
        for figure in document["figures"].values():
            assert "%(" not in figure["query"]
            rows = conn.execute(figure["query"]).fetchall()
            assert len(rows) == len(figure["rows"]), figure["id"]


def test_every_figure_says_what_it_was_made_from(
    told_stories: ClassifiedSample, document: dict[str, Any]
) -> None:
    made_from = document["made_from"]
    with connect(told_stories.settings) as conn:
        row = conn.execute("select finished_at from ledger.classifications").fetchone()
        assert row is not None
        assert made_from["database"] == conn.info.dbname
    assert made_from["as_of"] == told_stories.as_of.isoformat()
    assert made_from["classified_at"][:10] == told_stories.as_of.isoformat()
    assert re.search(r"[+]0[12]:00$", made_from["classified_at"])
    assert re.fullmatch("[0-9a-f]{64}", made_from["policy_hash"])
    provenance = document["provenance"]
    assert provenance["database"]["name"] == made_from["database"]
    assert provenance["database"]["system_identifier"].isdecimal()
    assert provenance["code_hash"] == made_from["code_hash"]
    assert re.fullmatch("[0-9a-f]{64}", provenance["manifest_hash"])


def test_the_same_inputs_give_the_same_bytes(
    told_stories: ClassifiedSample, tmp_path: Path
) -> None:
    written = [
        write_report(dataclasses.replace(told_stories.settings, state=tmp_path / name))
        for name in ("one", "other")
    ]
    one, other = written
    assert one.json_path.read_bytes() == other.json_path.read_bytes()
    assert one.html_path.read_bytes() == other.html_path.read_bytes()
    assert one.pdf_path.read_bytes() == other.pdf_path.read_bytes()
    assert one.html_path.parent.name == told_stories.as_of.isoformat()


def test_it_holds_no_personal_value_and_no_key(
    told_stories: ClassifiedSample, tmp_path: Path
) -> None:
    settings = dataclasses.replace(told_stories.settings, state=tmp_path)
    written = write_report(settings)
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in (written.html_path, written.json_path, *written.csv_folder.iterdir())
    )
    # The sample alone names records, by keys that are nobody's name.
    for row in written.document["figures"]["sample"]["rows"]:
        assert row["status"] not in BLOCKED
        for told in (row["command"], json.dumps(row["command"])[1:-1], row["record_key"]):
            text = text.replace(told, "")
    columns = {
        "crm.person": ("email", "phone", "national_id", "address", "account_number", "ip_address"),
        "crm.lead": ("email", "phone"),
        "crm.inbound_email": ("from_address", "subject"),
        "stripe.customer": ("id", "email"),
        "stripe.charge": ("id",),
        "twilio.call": ("id",),
    }
    with connect(settings) as conn:
        for table, names in columns.items():
            for name in names:
                values = conn.execute(
                    sql.SQL("select distinct {}::text from {}").format(
                        sql.Identifier(name), sql.Identifier(*table.split("."))
                    )
                ).fetchall()
                for (value,) in values:
                    assert not value or value not in text, f"{table}.{name}"
        full_names = conn.execute(
            "select first_name || ' ' || last_name from crm.person where last_name is not null"
        ).fetchall()
    assert not [name for (name,) in full_names if name in text]
    assert "Kari Nordmann" not in text
    assert not re.search(r"crm\.person:\d", text)


def test_holds_are_counted_by_kind_and_month_and_say_nothing_of_persons(
    document: dict[str, Any],
) -> None:
    rows = document["figures"]["blockers"]["rows"]
    assert {row["kind"]: row["blockers"] for row in rows} == dict.fromkeys(BLOCKED, 1)
    assert {row["scope"] for row in rows} == {"subject"}
    ends = {row["kind"]: row["until_month"] for row in rows}
    assert ends == {"hold": None, "restriction": None, "lock": document["made_from"]["as_of"][:7]}
    covered = {row["blocker"]: row for row in document["figures"]["blocked"]["rows"]}
    assert covered["hold:subject"]["status"] == "held"
    # A locked record tells its status only, so nobody can count what covers it.
    assert "lock:subject" not in covered


def test_the_calendar_counts_what_falls_due_and_nothing_twice(
    told_stories: ClassifiedSample, document: dict[str, Any]
) -> None:
    rows = document["figures"]["calendar"]["rows"]
    with connect(told_stories.settings) as conn:
        row = conn.execute(
            "select count(*) from retention.records where due_on > as_of"
            " and due_on <= (as_of + interval '12 months')::date"
            " and status in ('held', 'restricted', 'due_soon', 'retained')"
        ).fetchone()
    assert row is not None
    assert sum(line["records"] for line in rows) == row[0]
    assert len({line["month"] for line in rows}) == 13


def test_a_drifted_table_is_set_aside_and_named(
    told_stories: ClassifiedSample, server: Server, tmp_path: Path
) -> None:
    name = server.create(template=_database(told_stories.settings))
    settings = dataclasses.replace(
        told_stories.settings, state=tmp_path, database_url=server.url(name)
    )
    try:
        with connect(settings) as conn:
            conn.execute("alter table crm.lead drop column received_at")
            conn.execute("create table crm.diary (id int)")
            conn.execute("insert into crm.person (id) values (987654)")
        found = write_report(settings)
    finally:
        server.drop(name)
    coverage = found.document["coverage"]
    assert coverage["set_aside"] == ["crm.lead"]
    assert ("undeclared_table", "crm.diary", None) in [
        (finding["kind"], finding["table"], finding["column"]) for finding in coverage["findings"]
    ]
    landed = {row["table"]: row for row in found.document["figures"]["landed"]["rows"]}
    assert landed["crm.person"]["landed"] == landed["crm.person"]["records"] + 1
    assert found.document["headline"]["unreconciled_tables"] == 1
    page = found.html_path.read_text(encoding="utf-8")
    assert "set aside: not classified, nothing is purged" in page
    assert '<span class="chip bad">+1</span>' in page


def test_it_is_refused_while_a_classification_is_under_way(
    told_stories: ClassifiedSample, server: Server
) -> None:
    name = server.create(template=_database(told_stories.settings))
    settings = dataclasses.replace(told_stories.settings, database_url=server.url(name))
    try:
        with connect(settings) as conn:
            conn.execute(
                "insert into ledger.classifications (as_of, code_hash) values (current_date, 'x')"
            )
        with pytest.raises(Refused, match="the last classification has not finished"):
            gather(settings)
    finally:
        server.drop(name)


def test_it_is_refused_for_a_day_that_was_not_classified(told_stories: ClassifiedSample) -> None:
    day = told_stories.as_of - timedelta(days=30)
    with pytest.raises(UsageError, match=f"run `retention run --as-of {day}` first"):
        gather(told_stories.settings, day)


def test_it_is_refused_where_nothing_is_classified(settings: Settings) -> None:
    with pytest.raises(UsageError, match="nothing is classified yet"):
        gather(settings)


def test_it_is_refused_under_a_policy_that_was_edited_since(
    told_stories: ClassifiedSample, tmp_path: Path
) -> None:
    path = write_policy(tmp_path, edited_text(("six months after", "half a year after")))
    edited = dataclasses.replace(told_stories.settings, policy_dir=path.parent)
    with pytest.raises(UsageError, match="is the policy that was applied"):
        gather(edited)


def _database(settings: Settings) -> str:
    return str(settings.database_url).rpartition("/")[2]
