"""The environment becomes one frozen value, and a bad one a line that says so."""

from pathlib import Path

import pytest

from retention.errors import UsageError
from retention.settings import load_settings


def test_defaults_lie_in_the_clone() -> None:
    settings = load_settings({})
    root = Path(__file__).resolve().parents[2]
    assert settings.project == root
    assert settings.state == root / ".retention"
    assert settings.policy_dir == root / "policy"
    assert settings.declarations_dir == root / "dbt_project" / "models" / "staging"
    assert settings.database_url is None


def test_an_empty_variable_is_an_unset_one() -> None:
    settings = load_settings({"RETENTION_DATABASE_URL": "", "RETENTION_STATE_DIR": ""})
    assert settings.database_url is None
    assert settings.state.name == ".retention"


def test_folders_can_be_named(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "RETENTION_STATE_DIR": str(tmp_path / "s"),
            "RETENTION_POLICY_DIR": str(tmp_path / "p"),
            "RETENTION_DECLARATIONS_DIR": str(tmp_path / "d"),
            "RETENTION_POSTGRES_BIN": str(tmp_path / "b"),
        }
    )
    assert settings.state == tmp_path / "s"
    assert settings.policy_dir == tmp_path / "p"
    assert settings.declarations_dir == tmp_path / "d"
    assert settings.postgres_bin == tmp_path / "b"


@pytest.mark.parametrize(
    "env",
    [
        {},
        {
            "RETENTION_PROJECT_DIR": "/p",
            "RETENTION_STATE_DIR": "/s",
            "RETENTION_POLICY_DIR": "/policy",
            "RETENTION_DECLARATIONS_DIR": "/d",
            "RETENTION_POSTGRES_BIN": "/b",
            "RETENTION_DATABASE_URL": "postgresql://u@h/w",
            "RETENTION_DAGSTER_DATABASE_URL": "postgresql://u@h/d",
            "RETENTION_UI_PORT": "3101",
            "RETENTION_AUDITOR_PORT": "3102",
            "RETENTION_PAGES_PORT": "3103",
            "RETENTION_PAGES_URL": "https://audit.example.no/pages",
        },
    ],
    ids=["defaults", "all named"],
)
def test_a_process_that_we_start_has_the_same_settings(env: dict[str, str]) -> None:
    settings = load_settings(env)
    assert load_settings(settings.as_environment()) == settings


@pytest.mark.parametrize(
    "name", ["RETENTION_UI_PORT", "RETENTION_AUDITOR_PORT", "RETENTION_PAGES_PORT"]
)
@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "3000.0"])
def test_a_port_that_is_none_is_refused(name: str, port: str) -> None:
    with pytest.raises(UsageError, match=name) as refused:
        load_settings({name: port})
    assert refused.value.exit_code == 2


def test_the_three_servers_stand_side_by_side_by_default() -> None:
    settings = load_settings({})
    ports = {settings.ui_port, settings.auditor_port, settings.pages_port}
    assert ports == {3000, 3001, 3002}
    assert settings.pages_url == "http://127.0.0.1:3002"


def test_links_begin_with_the_address_that_readers_use() -> None:
    named = load_settings({"RETENTION_PAGES_URL": "https://audit.example.no/pages/"})
    assert named.pages_url == "https://audit.example.no/pages"


@pytest.mark.parametrize(
    "address",
    [
        "audit.example.no/pages",
        "ftp://audit.example.no",
        "https://kari:hemmelig@audit.example.no",
        "https://audit.example.no/?token=hemmelig",
        "https://[audit.example.no",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_cannot_be_linked_to_is_refused_without_being_repeated(
    address: str,
) -> None:
    with pytest.raises(UsageError, match="RETENTION_PAGES_URL cannot be used") as refused:
        load_settings({"RETENTION_PAGES_URL": address})
    assert "hemmelig" not in str(refused.value)
