"""What Fivetran's log says of a sync under way, and what a purge makes of it (requirements § 7).

Belongs here: the log in the shapes it lands in, and a purge that is put off. Does not belong here: rows
that land while a batch looks (test_purge_races.py), which need no log.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from retention import syncs
from retention.errors import Refused
from retention.findings import syncs_not_ended
from retention.policy import Policy, in_force, load_versions
from retention.purge import execute
from retention.syncs import Sync
from tests.factories import Shop

pytestmark = pytest.mark.integration


def policy_of(shop: Shop, day: date) -> Policy:
    return in_force(load_versions(shop.settings.policy_dir), day)


PATIENCE = 6
NOW = datetime.now(UTC)

CURRENT = """
create schema fivetran_log;
create table fivetran_log.connection (connection_id text, _fivetran_synced timestamptz,
    connection_name text, destination_id text, _fivetran_deleted boolean);
create table fivetran_log.log (id text, time_stamp timestamptz, connection_id text, event text,
    message_event text, sync_id text);
insert into fivetran_log.connection values ('con_shop', now(), 'shop', 'd', false);
"""

# As the files land: everything text, and under the names that it had before.
OLD_AND_TEXT = """
create schema fivetran_log;
create table fivetran_log.connector (connector_id text, connector_name text,
    _fivetran_deleted text);
create table fivetran_log.log (id text, time_stamp text, connector_id text, event text,
    message_event text);
insert into fivetran_log.connector values ('con_shop', 'shop', 'false');
"""


def land(shop: Shop, text: str) -> None:
    shop.conn.execute(text.encode())
    shop.conn.commit()


def say(shop: Shop, event: str, hours_ago: float, connection: str = "con_shop") -> None:
    shop.conn.execute(
        "insert into fivetran_log.log (id, time_stamp, connection_id, event, message_event)"
        " values (gen_random_uuid()::text, %s, %s, 'INFO', %s)",
        (NOW - timedelta(hours=hours_ago), connection, event),
    )
    shop.conn.commit()


def not_ended(shop: Shop) -> list[Sync]:
    found = syncs.not_ended(shop.conn, PATIENCE)
    shop.conn.commit()
    return found


def test_a_sync_under_way_puts_a_purge_off_and_loses_nothing(shop: Shop) -> None:
    shop.person(1)
    land(shop, CURRENT)
    plan = shop.approved_plan()
    before = shop.rows()
    say(shop, "sync_end", 5)
    say(shop, "sync_start", 1)
    with pytest.raises(Refused, match="connector shop has been syncing since"):
        execute(shop.settings, plan.plan_id)
    assert shop.rows() == before
    assert shop.one("select fence from ledger.plans") == 0
    say(shop, "sync_end", 0.5)
    assert execute(shop.settings, plan.plan_id).purged == plan.items


def test_a_sync_that_begins_between_two_batches_stops_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        shop.person(number)
    land(shop, CURRENT)
    plan = shop.approved_plan()
    monkeypatch.setattr(
        "retention.purge.pace.Pace.rest", lambda pace, purged: say(shop, "sync_start", 0)
    )
    with pytest.raises(Refused, match="has been syncing"):
        execute(shop.settings, plan.plan_id, batch_items=1)
    assert shop.outcome(plan) == {"purged": plan.items // 2, "planned": plan.items // 2}


def test_a_sync_into_another_schema_puts_nothing_off(shop: Shop) -> None:
    shop.person(1)
    land(shop, CURRENT)
    land(
        shop, "insert into fivetran_log.connection values ('con_x', now(), 'shopping', 'd', false)"
    )
    plan = shop.approved_plan()
    say(shop, "sync_start", 1, "con_x")
    say(shop, "sync_start", 1, "con_nobody_knows")
    assert [sync.connector for sync in not_ended(shop)] == ["con_nobody_knows", "shopping"]
    assert execute(shop.settings, plan.plan_id).purged == plan.items


def test_a_start_beyond_the_timeout_is_a_finding_and_refuses_nothing(shop: Shop) -> None:
    shop.person(1)
    land(shop, CURRENT)
    plan = shop.approved_plan()
    say(shop, "sync_start", PATIENCE + 1)
    (sync,) = not_ended(shop)
    assert sync.is_stale
    (finding,) = syncs_not_ended(shop.conn, policy_of(shop, plan.as_of))
    shop.conn.commit()
    assert finding.kind == "sync_not_ended"
    assert "connector shop" in finding.message
    assert execute(shop.settings, plan.plan_id).purged == plan.items


def test_the_policy_says_when_that_is(shop: Shop) -> None:
    land(shop, CURRENT)
    say(shop, "sync_start", PATIENCE - 1)
    assert list(syncs_not_ended(shop.conn, policy_of(shop, NOW.date()))) == []
    assert [sync.is_stale for sync in not_ended(shop)] == [False]


def test_an_end_counts_for_its_own_connector_and_for_starts_before_it(shop: Shop) -> None:
    land(shop, CURRENT)
    land(shop, "insert into fivetran_log.connection values ('con_b', now(), 'b', 'd', false)")
    say(shop, "sync_start", 4)
    say(shop, "sync_end", 3, "con_b")
    assert [sync.connector for sync in not_ended(shop)] == ["shop"]
    say(shop, "sync_start", 2)
    say(shop, "sync_end", 1)
    assert not_ended(shop) == []


def test_a_deleted_connection_syncs_no_more(shop: Shop) -> None:
    land(shop, CURRENT)
    say(shop, "sync_start", 200)
    land(shop, "update fivetran_log.connection set _fivetran_deleted = true")
    assert not_ended(shop) == []
    # The same id lives on in another destination.
    land(shop, "insert into fivetran_log.connection values ('con_shop', now(), 'shop', 'e', false)")
    assert len(not_ended(shop)) == 1


def test_the_log_as_older_connectors_and_files_have_it(shop: Shop) -> None:
    land(shop, OLD_AND_TEXT)
    moment = f"{NOW - timedelta(hours=1):%Y-%m-%d %H:%M:%S.%f}"
    land(
        shop,
        f"insert into fivetran_log.log values ('1', '{moment}', 'con_shop', 'INFO', 'sync_start'),"
        " ('2', 'no time', 'con_shop', 'INFO', 'sync_end')",
    )
    assert [(sync.connector, sync.is_stale) for sync in not_ended(shop)] == [("shop", False)]


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "create schema fivetran_log",
        "create schema fivetran_log; create table fivetran_log.log (id text)",
    ],
)
def test_without_a_readable_log_nothing_is_said(shop: Shop, text: str) -> None:
    land(shop, text)
    assert not_ended(shop) == []


@pytest.mark.parametrize(
    ("connector", "schema", "lands"),
    [
        ("stripe", "stripe", True),
        ("sheets.prices", "sheets", True),
        ("heroku", "heroku_public", True),
        ("stripe", "stripes", False),
        ("heroku_public", "heroku", False),
    ],
)
def test_which_schemas_a_connector_fills(connector: str, schema: str, lands: bool) -> None:
    assert Sync(connector, "", False).lands_in(schema) is lands
