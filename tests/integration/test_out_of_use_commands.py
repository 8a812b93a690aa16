"""The commands about locked and restricted records, as processes of their own.

Belongs here: exit codes and output of `locked`, `request restrict` and `lift`. Does not belong here: what
they do, which the engine's own tests show.
"""

from collections.abc import Mapping

import pytest

from tests.dbt_manifest import build, write_manifest
from tests.factories import Shop, today
from tests.integration.test_out_of_use import PEOPLE, values
from tests.integration.test_purge_commands import Command
from tests.logins import Logins
from tests.rights import token_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def retention(shop: Shop, clean_environment: Mapping[str, str]) -> Command:
    return Command(shop, clean_environment)


def test_from_restriction_to_lifting(shop: Shop, retention: Command, logins: Logins) -> None:
    shop.person(1)
    shop.person(2)
    shop.classify()
    build(shop.conn, [PEOPLE])
    write_manifest(shop.settings, [PEOPLE])
    placed = retention.json("request", "restrict", "--person", token_of(shop, 1))
    assert placed["withdrawn"]["copies"] == {"analytics.people": 1}
    assert values(shop, "analytics.people", "id") == {"2"}
    counted = retention.json("locked", "list", login=logins.of("auditor"))
    assert {
        "source_schema": "shop",
        "source_table": "person",
        "status": "restricted",
        "records": 1,
    } in (counted)

    custodian = logins.of("custodian")
    why = ("--reason", "she asks for it", "--authority", "GDPR art. 15")
    read = retention("locked", "read", "shop.person", 1, *why, login=custodian)
    assert read.returncode == 0
    assert ("Navn" in read.stdout, "Navn" in read.stderr) == (True, False)
    in_use = retention("locked", "read", "shop.person", 2, *why, login=custodian)
    assert in_use.returncode == 3
    other = retention("locked", "read", "shop.person", 1, *why, login=logins.of("reader"))
    assert (other.returncode, other.stdout) == (3, "")

    untold = retention("request", "lift", placed["blocker_id"])
    assert untold.returncode == 3
    assert "GDPR art. 18(3)" in untold.stderr
    told = ("--told-on", today(shop.conn), "--how", "letter")
    assert retention("request", "lift", placed["blocker_id"], *told).returncode == 0
    assert retention("request", "lift", placed["blocker_id"], *told).returncode == 3


def test_who_may_not_change_models_restricts_all_the_same(
    shop: Shop, retention: Command, logins: Logins
) -> None:
    shop.person(1)
    shop.classify()
    build(shop.conn, [PEOPLE])
    write_manifest(shop.settings, [PEOPLE])
    officer = logins.of("rights_officer")
    done = retention("request", "restrict", "--person", "shop.person:1", login=officer)
    assert done.returncode == 0
    assert "with the next `retention locked withdraw`" in done.stdout
    taken = retention.json("locked", "withdraw")
    assert taken["copies"] == {"analytics.people": 1}
    nobody = retention("request", "restrict", login=officer)
    assert nobody.returncode == 2
