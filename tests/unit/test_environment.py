"""What other programs see of our environment, and what a printed setting shows."""

import dataclasses

import pytest

from retention.environment import for_others
from retention.settings import load_settings

pytestmark = pytest.mark.unit


def test_nothing_of_ours_is_passed_on() -> None:
    given = {
        "PATH": "/usr/bin",
        "LANG": "C",
        "RETENTION_HMAC_KEY": "a",
        "RETENTION_SIGNING_KEY": "b",
        "RETENTION_DATABASE_URL": "c",
        "DBT_ENV_SECRET_RETENTION_PASSWORD": "d",
    }
    assert for_others(given) == {"PATH": "/usr/bin", "LANG": "C"}


def test_settings_do_not_show_a_password() -> None:
    settings = load_settings(
        {
            "RETENTION_DATABASE_URL": "postgresql://u:hidden-secret@h/d",
            "RETENTION_DAGSTER_DATABASE_URL": "postgresql://u:hidden-secret@h/e",
        }
    )
    assert "hidden-secret" not in repr(settings)
    assert "hidden-secret" not in repr(dataclasses.replace(settings, ui_port=3001))
