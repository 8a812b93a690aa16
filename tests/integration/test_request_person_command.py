"""`retention request find|attribute|package`: what is printed, and what never is.

Belongs here: the commands. Does not belong here: finding (test_find_person.py) and the copy
(test_person_package.py).
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from retention.plan import landing_rights
from retention.rights.model import Right
from retention.rights.package.make import Made
from tests.factories import Shop, today
from tests.packages import opened
from tests.rights import token_of, verified_request

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def retention(shop: Shop, clean_environment: Mapping[str, str]) -> "Command":
    return Command(shop, clean_environment)


@dataclasses.dataclass
class Command:
    """The command line as the officer's login."""

    shop: Shop
    environment: Mapping[str, str]

    def __call__(self, *arguments: str, stdin: str = "") -> Done:
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**self.environment, **self.shop.approver.as_environment(), "NO_COLOR": "1"},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )


def ready(shop: Shop) -> None:
    for number in (1, 2):
        shop.add("person", id=number, name=f"Kanari {number}", email="kanari@shop.example")
    shop.add("mail", id=7, from_address="kanari@shop.example")
    shop.classify()
    landing_rights.grant(shop.settings, shop.declarations)


def test_find_lists_keys_and_no_value(shop: Shop, retention: Command) -> None:
    ready(shop)
    for stdin, arguments in (("", ("shop.person:1",)), ("Kanari@shop.example\n", ("--email",))):
        done = retention("request", "find", *arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        assert str(token_of(shop, 1)) in done.stdout
        assert "shop.mail" in done.stdout
        assert "request attribute" in done.stdout
        assert "kanari" not in (done.stdout + done.stderr).lower()
    assert "2 persons have it" in done.stderr
    listed = json.loads(
        retention("request", "find", "--email", "--json", stdin="kanari@shop.example").stdout
    )
    assert sorted(one["data_subjects"] for one in listed) == [["shop.person:1"], ["shop.person:2"]]
    assert {one["by_table"]["shop.person"] for one in listed} == {1}


def test_find_wants_one_way(shop: Shop, retention: Command) -> None:
    ready(shop)
    for arguments in ((), ("shop.person:1", "--email"), ("--email", "--phone")):
        assert retention("request", "find", *arguments).returncode == 2
    assert retention("request", "find", "--email").returncode == 2
    unknown = retention("request", "find", "--email", stdin="nobody@shop.example")
    assert unknown.returncode == 0
    assert "Nobody has" in unknown.stdout


def test_attribute_decides_whose_a_record_is(shop: Shop, retention: Command) -> None:
    ready(shop)
    done = retention(
        "request", "attribute", "shop.person:1", "shop.mail", "7", "--theirs", "--reason", "signed"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(retention("request", "find", "shop.person:1", "--json").stdout)
    assert found[0]["by_table"] == {"shop.person": 1, "shop.mail": 1}
    other = retention(
        "request", "attribute", "shop.person:2", "shop.mail", "7", "--theirs", "--reason", "or his"
    )
    assert other.returncode == 3
    assert "another person's" in other.stderr


def test_package_tells_the_passphrase_once(shop: Shop, retention: Command) -> None:
    ready(shop)
    request = verified_request(shop, 1)
    done = retention("request", "package", str(request))
    assert done.returncode == 0, done.stderr
    told = dict(line.strip().split(maxsplit=1) for line in done.stdout.splitlines() if line.strip())
    made = Made(
        Path(told["copy"]),
        told["passphrase"],
        Right.ACCESS,
        False,
        1,
        1,
        0,
        0,
        1,
        {},
        today(shop.conn),
    )
    assert "manifest.json" in opened(made)
    assert "kanari" not in (done.stdout + done.stderr).lower()
    as_json = json.loads(retention("request", "package", str(request), "--json").stdout)
    assert as_json["is_draft"] is False
    assert as_json["passphrase"] != made.passphrase
    refused = retention("request", "package", str(verified_request(shop, 2, verified=False)))
    assert refused.returncode == 3
    assert refused.stderr.count("\n") == 1
