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
            "RETENTION_UI_PORT": "3001",
        },
    ],
    ids=["defaults", "all named"],
)
def test_a_process_that_we_start_has_the_same_settings(env: dict[str, str]) -> None:
    settings = load_settings(env)
    assert load_settings(settings.as_environment()) == settings


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "3000.0"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(UsageError, match="RETENTION_UI_PORT") as refused:
        load_settings({"RETENTION_UI_PORT": port})
    assert refused.value.exit_code == 2
