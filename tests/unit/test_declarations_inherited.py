"""What a table's declaration inherits from its folder in dbt_project.yml and from its source.

Belongs here: which level wins, where it is said to be written, and what may not be inherited unseen.
Does not belong here: the meaning of a single key.
"""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from cli.main import run
from retention.declarations import Declared, find_declared, load_declarations
from retention.errors import UsageError

pytestmark = pytest.mark.unit

PROJECT = """
    name: warehouse
    model-paths: [models]
    sources:
      +meta: {retention: {owner: everyone@example.org}}
      warehouse:
        staging:
          support:
            +meta:
              retention:
                follows: review
                key: id
                harmless: [created_at]
            desk:
              ticket:
                +meta: {retention: {collected_at: created_at}}
"""

SOURCES = """
    sources:
      - name: desk
        config: {meta: {retention: {system: Desk, owner: desk@example.org}}}
        tables:
          - name: ticket
          - name: note
            config: {meta: {retention: {key: note_id, harmless: null}}}
"""


def project(folder: Path, sources: str = SOURCES, file: str = PROJECT) -> Path:
    """A dbt project with one file of sources; returns its folder of declarations."""
    staging = folder / "models" / "staging"
    (staging / "support").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(dedent(file), encoding="utf-8")
    (staging / "support" / "_desk__sources.yml").write_text(dedent(sources), encoding="utf-8")
    return staging


def written(declared: Declared) -> dict[str, str]:
    return {name: level.place for name, level in declared.inherited.givers.items()}


def test_a_table_that_says_nothing_is_what_its_folder_says(tmp_path: Path) -> None:
    ticket = find_declared(project(tmp_path), "desk.ticket")
    assert (ticket.table.key, ticket.table.follows) == (("id",), "review")
    assert (ticket.table.system, ticket.table.owner) == ("Desk", "desk@example.org")
    assert ticket.table.collected_at == "created_at"
    assert written(ticket) == {
        "owner": "_desk__sources.yml:3",
        "system": "_desk__sources.yml:3",
        "follows": "dbt_project.yml:10",
        "key": "dbt_project.yml:10",
        "harmless": "dbt_project.yml:10",
        "collected_at": "dbt_project.yml:16",
    }


def test_the_nearest_level_wins_and_null_takes_away(tmp_path: Path) -> None:
    note = find_declared(project(tmp_path), "desk.note")
    assert note.table.key == ("note_id",)
    assert note.table.harmless == ()
    assert "harmless" not in written(note)
    assert written(note)["key"] == "_desk__sources.yml:7"


def test_what_holds_for_one_table_holds_for_no_other(tmp_path: Path) -> None:
    assert find_declared(project(tmp_path), "desk.note").table.collected_at is None


def test_a_folder_elsewhere_says_nothing(tmp_path: Path) -> None:
    declarations = project(tmp_path, file=PROJECT.replace("support:", "sales:"))
    with pytest.raises(UsageError, match=r"_desk__sources\.yml:6: desk\.ticket has no"):
        load_declarations(declarations)


def test_an_owner_and_a_system_declare_nothing(tmp_path: Path) -> None:
    """What a table shares with everything around it does not say what the table is."""
    only_owner = (
        "name: warehouse\nsources: {warehouse: {+meta: {retention: {owner: a, optional: true}}}}"
    )
    with pytest.raises(UsageError, match=r"has no config\.meta\.retention"):
        load_declarations(project(tmp_path, file=only_owner))


def test_a_table_with_rows_that_are_records_is_not_let_go_by_its_folder(tmp_path: Path) -> None:
    """A folder's exemption never covers a table that says what its rows are: somebody must say so."""
    exempting = """
        name: warehouse
        sources:
          warehouse:
            staging:
              +meta:
                retention:
                  exempt: {reason: settings of our own, owner: a, review_on: 2030-01-01}
    """
    sources = """
        sources:
          - name: desk
            tables:
              - name: setting
              - name: ticket
                config: {meta: {retention: {EXEMPT key: id, personal: {email: email}}}}
    """
    unseen = project(tmp_path / "unseen", sources.replace("EXEMPT ", ""), exempting)
    with pytest.raises(UsageError, match=r"_desk__sources\.yml:6.*personal.*dbt_project\.yml:7"):
        load_declarations(unseen)
    said = project(tmp_path / "said", sources.replace("EXEMPT", "exempt: null,"), exempting)
    declarations = load_declarations(said)
    assert [table.qualified for table in declarations.governed] == ["desk.ticket"]


def test_optional_above_a_table_speaks_of_the_connector(tmp_path: Path) -> None:
    optional = PROJECT.replace("follows: review", "follows: review\n                optional: true")
    table = find_declared(project(tmp_path, file=optional), "desk.ticket").table
    assert (table.schema_optional, table.optional) == (True, False)


def test_an_error_is_reported_where_it_is_written(tmp_path: Path) -> None:
    wrong = PROJECT.replace("follows: review", "follows: nobody")
    with pytest.raises(UsageError, match=r"dbt_project\.yml:10: desk\.ticket: follows"):
        load_declarations(project(tmp_path, file=wrong))


def test_a_folder_that_says_no_keys_is_an_error(tmp_path: Path) -> None:
    wrong = PROJECT.replace("{retention: {collected_at: created_at}}", "{retention: review}")
    with pytest.raises(UsageError, match=r"dbt_project\.yml:16: meta\.retention holds no keys"):
        load_declarations(project(tmp_path, file=wrong))


def test_without_a_project_around_it_a_file_stands_alone(tmp_path: Path) -> None:
    declarations = project(tmp_path)
    (tmp_path / "dbt_project.yml").unlink()
    with pytest.raises(UsageError, match=r"desk\.ticket has no"):
        load_declarations(declarations)


@pytest.fixture
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DECLARATIONS_DIR", str(project(tmp_path)))
    monkeypatch.setenv("RETENTION_STATE_DIR", str(tmp_path / "state"))
    # A terminal's width would fold what is looked for.
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.usefixtures("in_project")
def test_explain_shows_where_each_part_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "desk.ticket", "--json"]) == 0
    declared = json.loads(capsys.readouterr().out)["declared"]
    assert declared["key"] == {
        "value": "id",
        "place": "dbt_project.yml:10",
        "scope": "sources/warehouse/staging/support",
    }
    assert run(["explain", "desk.ticket"]) == 0
    page = capsys.readouterr().out
    assert "dbt_project.yml:16" in page
    assert "sources/warehouse/staging/support/desk/ticket" in page
    assert any(line.split() == ["created_at", "harmless"] for line in page.splitlines())


@pytest.mark.usefixtures("in_project")
def test_explain_names_the_table_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "desk.tickets"]) == 2
    assert "did you mean desk.ticket?" in capsys.readouterr().err
