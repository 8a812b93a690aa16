"""`retention keys` as a command: what it prints, which is never a key, and how it ends.

Belongs here: output and exit codes. Does not belong here: what a rotation does (test_key_life.py).
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from retention.keys import VARIABLE, key_path, load_key
from retention.settings import Settings
from tests.factories import Shop
from tests.integration.test_key_life import purge

pytestmark = pytest.mark.integration

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def retention(shop: Shop, clean_environment: Mapping[str, str]) -> Run:
    """Runs `retention keys` as a process on the shop, with variables of the test's own."""

    def run(
        *arguments: str, login: Settings | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        given = (login or shop.settings).as_environment()
        return subprocess.run(
            [sys.executable, "-m", "cli.main", "keys", *arguments],
            env={**clean_environment, **given, **env, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_from_one_key_to_the_next(shop: Shop, retention: Run) -> None:
    shop.person(1)
    plan = purge(shop)
    first = load_key(shop.settings, shop.conn).key_id

    done = retention("rotate", "hmac", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["before"] == first
    kept = key_path(shop.settings).with_name(f"hmac-{first}.key")
    assert told["kept_in"] == str(kept)

    listed = retention("list", "--json")
    assert listed.returncode == 0, listed.stderr
    by_id = {one["key_id"]: one for one in json.loads(listed.stdout)}
    assert by_id[first]["state"] == "old"
    assert by_id[first]["source"] == str(kept)
    assert by_id[first]["tombstones"] == plan.items
    assert by_id[first]["since"]
    assert by_id[told["key_id"]]["state"] == "current"
    assert by_id[told["key_id"]]["tombstones"] == 0

    refused = retention("destroy", "hmac", first, "--reason", "tidy up", login=shop.approver)
    assert refused.returncode == 3
    assert f"{plan.items} tombstones" in refused.stderr
    secrets = [path.read_text() for path in kept.parent.glob("*.key")]
    nevertheless = ("--reason", "tidy up", "--although-needed")
    destroyed = retention("destroy", "hmac", first, *nevertheless, login=shop.approver)
    assert destroyed.returncode == 0, destroyed.stderr
    assert not kept.exists()
    after = retention("list")
    assert "destroyed" in after.stdout
    printed = [done, listed, refused, destroyed, after]
    assert not [one for one in printed for key in secrets if key in one.stdout + one.stderr]


def test_a_missing_key_is_listed_as_such(shop: Shop, retention: Run) -> None:
    shop.person(1)
    purge(shop)
    first = load_key(shop.settings, shop.conn).key_id
    key_path(shop.settings).unlink()
    listed = json.loads(retention("list", "--json").stdout)
    (one,) = (each for each in listed if each["kind"] == "hmac")
    assert (one["key_id"], one["state"], one["source"]) == (first, "not at hand", None)


def test_where_a_variable_holds_the_key_it_says_what_to_change(retention: Run) -> None:
    told = retention("rotate", "hmac", **{VARIABLE: "ab" * 32})
    assert told.returncode == 2
    assert "RETENTION_HMAC_KEYS_OLD" in told.stderr
    assert "ab" * 32 not in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert retention("rotate", "something").returncode == 2
