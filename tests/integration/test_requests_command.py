"""`retention request` as a command: what it prints and how it ends.

Belongs here: output and exit codes of the register's own commands. Does not belong here: what a step does
(test_requests.py).
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import Shop, today
from tests.rights import token_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Run = Callable[..., Any]


@pytest.fixture
def request_command(shop: Shop, clean_environment: Mapping[str, str]) -> Run:
    """Runs `retention request … --json` as the officer and returns what it printed."""

    def run(*arguments: str, code: int = 0) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "request", *arguments],
            env={**clean_environment, **shop.approver.as_environment(), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments and not code else done

    return run


def test_a_request_by_letter(shop: Shop, request_command: Run) -> None:
    shop.person(1)
    shop.add("request", id=70, person_id=1)
    shop.classify()
    received = today(shop.conn) - timedelta(days=2)
    new = request_command(
        *("new", "--right", "access", "--received", str(received)),
        *("--person", "shop.person:1", "--json"),
    )
    assert (new["state"], new["received_on"]) == ("received", str(received))
    assert new["subject_token"] == str(token_of(shop, 1))
    assert "verify" in new["next"]

    taken = request_command("intake", "--json")
    assert taken["registered"] == 1
    listed = request_command("list", "--json")
    assert {one["source"] for one in listed} == {None, "shop.request:70"}

    request_id = new["request_id"]
    later = request_command(
        *("extend", request_id, "--reason", "complexity", "--notified", str(received), "--json")
    )
    assert later["answer_by"] > new["answer_by"]
    verified = request_command("verify", request_id, "--how", "in_person", "--json")
    assert verified["state"] == "identity_verified"
    closed = request_command("close", request_id, "--as", "taken_back", "--json")
    assert closed["state"] == "closed"
    assert request_id not in {one["request_id"] for one in request_command("list", "--json")}
    assert request_id in {one["request_id"] for one in request_command("list", "--all", "--json")}


def test_a_request_nobody_could_place(shop: Shop, request_command: Run) -> None:
    shop.person(1)
    shop.classify()
    day = str(today(shop.conn))
    new = request_command("new", "--right", "erasure", "--received", day, "--json")
    refused = request_command("verify", new["request_id"], "--how", "in_person", code=3)
    assert "nobody knows yet" in refused.stderr
    unknown = request_command("identify", new["request_id"], "--person", "shop.person:9", code=2)
    assert "no such person" in unknown.stderr
    found = request_command("identify", new["request_id"], "--person", "shop.person:1", "--json")
    assert found["subject_token"] == str(token_of(shop, 1))
    shown = request_command("show", new["request_id"])
    assert "verify the person's identity" in shown.stdout
    request_command("show", "00000000-0000-0000-0000-000000000000", code=2)
    request_command("new", "--right", "pardon", "--received", day, code=2)
    request_command("new", "--right", "access", "--received", "1.2.2026", code=2)
