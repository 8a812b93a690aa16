"""What is proposed for a schema that nobody knows: keys, links, dates, columns, and where it is written.

Belongs here: proposals on small tables made for the case. Does not belong here: the trial of a proposal
(test_onboard_check.py), and the connectors of the real files (test_onboard_connectors.py).
"""

import dataclasses
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from cli.main import run as run_command
from retention import classify
from retention.declarations import Declarations, load_declarations
from retention.errors import Refused, UsageError
from retention.onboarding.catalogue import read_schema
from retention.onboarding.connectors import connectors
from retention.onboarding.model import Proposal, SchemaProposal
from retention.onboarding.propose import propose
from retention.onboarding.write import write_proposal
from retention.onboarding.yaml_text import file_text, fragment_text, open_todos
from retention.policy import in_force, load_versions
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER
from tests.onboarding import in_force as put_in_force

pytestmark = pytest.mark.integration

PERSONS = """
version: 2
sources:
  - name: crm
    config: {meta: {retention: {owner: data@example.org}}}
    tables:
      - name: person
        config: {meta: {retention: {
          key: id, subject: {self: true, email: [email], phone: [phone]}, follows: person,
          collected_at: created_at, person: {}, personal: {email: email, phone: phone}}}}
"""

CRM = """
create schema crm;
create table crm.person (id bigint primary key, email text, phone text, created_at timestamptz,
    nickname text, _fivetran_synced timestamptz);
insert into crm.person select 4000 + n, 'person' || n || '@example.org', '+47412000' || (10 + n),
    '2024-01-01' from generate_series(1, 40) as n;
"""

HELPDESK = """
create schema helpdesk;
create table helpdesk.ticket (id bigint primary key, requester_email text, subject text, status text,
    created_at timestamptz, updated_at timestamptz, _fivetran_deleted boolean,
    _fivetran_synced timestamptz);
insert into helpdesk.ticket select n, 'Person' || n || '@Example.org', 'Kari Nordmann spør', 'open',
    '2024-03-01', '2026-01-01' from generate_series(1, 40) as n;
create table helpdesk.ticket_comment (comment_no bigint, ticket_id bigint references helpdesk.ticket,
    body text, written_at timestamptz, _fivetran_synced timestamptz);
insert into helpdesk.ticket_comment select n, n, 'Ring meg på 41200011', '2024-03-02'
    from generate_series(1, 40) as n;
create table helpdesk.account_version (id bigint, person_id bigint, plan text, _fivetran_start timestamptz,
    _fivetran_end timestamptz, _fivetran_active boolean, _fivetran_synced timestamptz,
    primary key (id, _fivetran_start));
insert into helpdesk.account_version select n, 4000 + n, 'gold', '2024-01-01', '9999-12-31', true
    from generate_series(1, 40) as n;
create table helpdesk.rating (ticket_id bigint, score int, updated_at timestamptz,
    _fivetran_synced timestamptz);
insert into helpdesk.rating select n / 2 + 1, 5, '2026-01-01' from generate_series(1, 40) as n;
create table helpdesk.unsubscribed (email text primary key, _fivetran_synced timestamptz);
insert into helpdesk.unsubscribed select 'other' || n || '@example.net' from generate_series(1, 40) as n;
create table helpdesk.priority (code text, rank int, _fivetran_synced timestamptz);
"""


@pytest.fixture
def shop(settings: Settings, conn: psycopg.Connection[Any], tmp_path: Path) -> Settings:
    """A declared table of persons and an undeclared helpdesk, both landed, and a folder of declarations."""
    folder = tmp_path / "declarations"
    (folder / "crm").mkdir(parents=True)
    (folder / "crm" / "_crm__sources.yml").write_text(PERSONS)
    conn.execute(CRM)
    conn.execute(HELPDESK)
    conn.commit()
    return dataclasses.replace(settings, declarations_dir=folder)


def proposed(settings: Settings, schema: str = "helpdesk") -> SchemaProposal:
    with connect(settings, role=CLASSIFIER, read_only=True) as conn:
        return propose(conn, settings, schema, classify.today())


def table(proposal: SchemaProposal, name: str) -> Proposal:
    return next(one for one in proposal.tables if one.table == name)


def declared(settings: Settings, text: str) -> Declarations:
    """What the loader makes of a proposal that somebody put in force as it is, but for its owner."""
    path = write_proposal(settings.declarations_dir, "helpdesk", text)
    path.write_text(put_in_force(text).replace("owner: TODO", "owner: data@example.org"))
    return load_declarations(settings.declarations_dir)


def test_a_key_is_the_database_s_word_or_counted(shop: Settings) -> None:
    proposal = proposed(shop)
    assert table(proposal, "ticket").key.columns == ("id",)
    assert table(proposal, "ticket").key.because.why == "primary key"
    # Its pointer at the ticket is unique too, by chance; the number named after it comes first.
    comment = table(proposal, "ticket_comment").key
    assert comment.columns == ("comment_no",)
    assert (comment.because.confidence, comment.because.why) == (
        "medium",
        "unique and never null in 40 rows",
    )


def test_what_is_not_unique_is_no_key(shop: Settings, conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        "create table helpdesk.twice as select 1 as id, 2 as other_id from generate_series(1, 9)"
    )
    conn.execute("create table helpdesk.holes as select null::int as id from generate_series(1, 9)")
    conn.commit()
    proposal = proposed(shop)
    for name in ("rating", "twice", "holes", "priority"):
        assert table(proposal, name).key.columns == (), name
    assert "# TODO No key: no row to try one on." in file_text(proposal)


def test_history_mode_gives_versions_their_start(shop: Settings) -> None:
    key = table(proposed(shop), "account_version").key
    assert key.columns == ("id", "_fivetran_start")
    assert (key.entity, key.current_when) == (("id",), "_fivetran_active")


def test_a_key_that_is_an_address_is_personal(shop: Settings) -> None:
    proposal = proposed(shop)
    assert table(proposal, "unsubscribed").key.is_personal
    assert not table(proposal, "ticket").key.is_personal
    found = declared(shop, file_text(proposal)).table("helpdesk.unsubscribed")
    assert found
    assert found.key_is_personal


def test_links_are_counted(shop: Settings) -> None:
    proposal = proposed(shop)
    ticket = table(proposal, "ticket").link
    assert ticket
    assert ticket.as_subject() == {"email": ["requester_email"], "to": "crm.person"}
    assert ticket.because.confidence == "high"
    comment = table(proposal, "ticket_comment").link
    assert comment
    assert comment.as_subject() == {"through": "ticket_id", "to": "helpdesk.ticket"}
    assert comment.because.why == "foreign key in the database"
    account = table(proposal, "account_version").link
    assert account
    assert account.as_subject() == {"foreign_key": "person_id", "to": "crm.person"}
    assert account.because.why.startswith("40 of 40 ")
    # Nobody there has such an address: said, and not linked by itself.
    nobody = table(proposal, "unsubscribed").link
    assert nobody
    assert nobody.because.confidence == "low"
    found = declared(shop, file_text(proposal)).table("helpdesk.unsubscribed")
    assert found
    assert found.subject is None


def test_numbers_that_no_person_has_are_no_link(
    shop: Settings, conn: psycopg.Connection[Any]
) -> None:
    conn.execute("update helpdesk.account_version set person_id = person_id + 1000000")
    conn.commit()
    assert table(proposed(shop), "account_version").link is None


def test_a_load_or_a_change_of_the_row_is_no_anchor(shop: Settings) -> None:
    text = file_text(proposed(shop))
    read = yaml.safe_load(text.replace("#| ", ""))
    for one in read["sources"][0]["tables"]:
        meta = one["config"]["meta"]["retention"]
        said = str({name: value for name, value in meta.items() if name != "harmless"})
        assert "updated_at" not in said, one["name"]
        assert "_fivetran_synced" not in said, one["name"]


def test_nothing_comes_due_by_a_proposal_nobody_decided(shop: Settings) -> None:
    """Put in force as it is, it governs every table, and reaches no clock."""
    tables = [
        one for one in declared(shop, file_text(proposed(shop))).tables if one.schema_ == "helpdesk"
    ]
    assert len(tables) == 6
    for one in tables:
        assert (one.follows, one.exempt, one.accounting, one.period) == ("review", None, None, None)
        assert not one.is_fact, one.name
        landed = {
            "ticket": {"status", "subject"},
            "rating": {"ticket_id", "score", "updated_at"},
        }.get(one.name, set())
        assert landed <= one.columns_declared


def test_every_column_is_in_the_proposal(shop: Settings, conn: psycopg.Connection[Any]) -> None:
    found = declared(shop, file_text(proposed(shop)))
    for landed in read_schema(conn, "helpdesk"):
        one = found.table(landed.qualified)
        assert one
        assert {c.name for c in landed.own_columns} <= one.columns_declared, landed.name


def test_no_value_stands_in_a_proposal(shop: Settings) -> None:
    text = file_text(proposed(shop))
    for value in ("Nordmann", "41200011", "example.org", "example.net", "gold", "4001"):
        assert value not in text.replace("data@example.org", "")


def test_a_proposal_is_not_in_force_and_what_is_open_in_force_is_refused(shop: Settings) -> None:
    text = file_text(proposed(shop))
    path = write_proposal(shop.declarations_dir, "helpdesk", text)
    before = load_declarations(shop.declarations_dir)
    assert [one.qualified for one in before.tables] == ["crm.person"]
    assert len(load_declarations(shop.declarations_dir, proposed_for="helpdesk").tables) == 7
    assert len(load_declarations(shop.declarations_dir, proposed_for="another").tables) == 1
    lines = put_in_force(text).splitlines()
    path.write_text("\n".join(lines))
    line = next(n for n, said in enumerate(lines, 1) if "owner: TODO" in said)
    with pytest.raises(UsageError, match=rf"_helpdesk__sources.yml:{line}: .*TODO is no value"):
        load_declarations(shop.declarations_dir)
    path.write_text(
        put_in_force(text)
        .replace("owner: TODO  #", "owner: data@example.org  #")
        .replace("#| ", "")
    )
    with pytest.raises(UsageError, match="TODO is no value"):
        load_declarations(shop.declarations_dir)


def test_nothing_is_written_over_and_what_is_new_goes_beside(
    shop: Settings, conn: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    text = file_text(proposed(shop))
    first = write_proposal(shop.declarations_dir, "helpdesk", text)
    first.write_text(text + "# somebody worked here\n")
    second = write_proposal(shop.declarations_dir, "helpdesk", "version: 2\n")
    assert (first.name, second.name) == ("_helpdesk__sources.yml", "_helpdesk__2__sources.yml")
    assert first.read_text().endswith("# somebody worked here\n")
    second.unlink()
    assert proposed(shop).tables == ()

    conn.execute("create table helpdesk.macro (id int primary key, title text)")
    conn.commit()
    more = proposed(shop)
    assert [one.table for one in more.tables] == ["macro"]
    second = write_proposal(shop.declarations_dir, "helpdesk", file_text(more))
    names = {
        one.name for one in load_declarations(shop.declarations_dir, proposed_for="helpdesk").tables
    }
    assert {"ticket", "macro"} <= names
    assert sorted(path.name for path in second.parent.iterdir()) == [second.name, first.name]


def test_columns_of_a_declared_table_are_shown_to_be_added(shop: Settings) -> None:
    proposal = proposed(shop, "crm")
    assert proposal.tables == ()
    assert set(proposal.columns) == {"person"}
    assert "nickname" in fragment_text(proposal.columns["person"])
    assert "email" not in fragment_text(proposal.columns["person"])


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "helpdesk").write_text("a file where the folder should be")
    with pytest.raises(Refused, match="cannot write below"):
        write_proposal(tmp_path, "helpdesk", "version: 2\n")


def test_the_command_prints_and_writes(
    shop: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in shop.as_environment().items():
        monkeypatch.setenv(name, value)
    assert run_command(["onboard", "helpdesk", "--print"]) == 0
    printed = capsys.readouterr().out
    assert not (shop.declarations_dir / "helpdesk").exists()
    assert run_command(["onboard", "helpdesk"]) == 0
    written = (shop.declarations_dir / "helpdesk" / "_helpdesk__sources.yml").read_text()
    assert printed == written
    assert f"{open_todos(written)} TODOs" in capsys.readouterr().out
    assert run_command(["onboard", "nowhere"]) == 2
    assert run_command(["onboard", "ledger"]) == 2
    assert run_command(["onboard", "helpdesk", "--check", "--print"]) == 2


def test_what_is_known_of_connectors_fits_the_policy(settings: Settings) -> None:
    policy = in_force(load_versions(settings.policy_dir), classify.today())
    categories = {rule.category for rule in policy.rules}
    for name, connector in connectors().items():
        assert connector.signs.keys() <= connector.tables.keys(), name
        for known in connector.tables.values():
            assert known.otherwise is None or known.otherwise in categories
            assert known.class_ is None or known.class_ in policy.accounting.classes
            assert known.type is None or known.type in policy.assignment_types
            assert (known.rows == "agreement") == bool(known.states)
