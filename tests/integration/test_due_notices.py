"""What falls due is told to its owner once, in counts and links, whatever is cut short.

Belongs here: notices from classified records to a real server. Does not belong here: what falls due,
which the models' tests tell.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.notices import PlanNotice, give_notice
from retention.due_notices import standing
from retention.due_notices.channels import VARIABLE, load_channels
from retention.due_notices.send import Told, preview, send_due, send_test
from retention.errors import UsageError
from retention.language import Language
from retention.warehouse.connection import connect
from tests.factories import Shop, today
from tests.sinks import Sink, http_sink, mail_sink

pytestmark = pytest.mark.integration

OWNER = "data@shop.example"
SECRET = "SecretOfTheChannel"


@dataclass
class Desk:
    """The shop, with a web server that takes what its owner is told."""

    shop: Shop
    sink: Sink
    env: dict[str, str]

    @property
    def messages(self) -> list[str]:
        return [json.loads(text)["message"] for text in self.sink.taken]

    def send(self) -> list[Told]:
        return send_due(self.shop.settings, Language.EN, self.env)

    def due(self, on: date, *persons: int) -> None:
        """The persons' own rows fall due on a day, which is within the days of notice."""
        self.shop.conn.execute(
            "update retention.records set status = 'due_soon', due_on = %s, last_day = %s - 1"
            " where source_table = 'person' and record_key = any(%s)",
            (on, on, [str(person) for person in persons]),
        )
        self.shop.conn.commit()

    def days_pass(self, days: int = 1) -> None:
        """Classified again on a later day: what is due by then is overdue."""
        for statement in (
            "update intermediate.int_clock set as_of = as_of + %s",
            "update retention.records set as_of = as_of + %s",
        ):
            self.shop.conn.execute(statement, (days,))
        self.shop.conn.execute(
            "update retention.records set status = 'overdue'"
            " where status = 'due_soon' and due_on <= as_of"
        )
        self.shop.conn.commit()


def channels_file(folder: Path, content: Mapping[str, list[str]]) -> dict[str, str]:
    path = folder / "channels.yaml"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return {VARIABLE: str(path)}


@pytest.fixture
def desk(shop: Shop, tmp_path: Path) -> Iterator[Desk]:
    with http_sink() as sink:
        address = f"json://user:{SECRET}@127.0.0.1:{sink.port}/hook"
        for number in range(1, 9):
            shop.person(number, overdue=False)
        shop.classify()
        shop.conn.execute("update retention.records set status = 'retained', due_on = null")
        shop.conn.commit()
        yield Desk(shop, sink, channels_file(tmp_path, {OWNER: [address]}))


def test_a_due_date_is_told_once_over_three_days(desk: Desk) -> None:
    day = today(desk.shop.conn)
    desk.due(day + timedelta(days=20), 1, 2, 3)
    assert [(one.records, one.outcome) for one in desk.send()] == [(3, "told")]
    assert [one.outcome for one in desk.send()] == ["nothing_new"]
    desk.days_pass()
    assert [one.outcome for one in desk.send()] == ["nothing_new"]
    desk.days_pass()
    desk.due(day + timedelta(days=25), 4)
    assert [(one.records, one.outcome) for one in desk.send()] == [(1, "told")]
    first, second = desk.messages
    assert "3 more records fall due" in first
    assert "shop.person, customer without advice: 3 from" in first
    assert "one more record falls due" in second


def test_what_arrives_later_is_told_as_the_increase(desk: Desk) -> None:
    day = today(desk.shop.conn) + timedelta(days=9)
    desk.due(day, 1, 2)
    desk.send()
    desk.due(day, 3, 4, 5)
    assert [(one.records, one.outcome) for one in desk.send()] == [(3, "told")]


def test_what_is_blocked_or_overdue_is_not_told(desk: Desk) -> None:
    day = today(desk.shop.conn)
    desk.due(day + timedelta(days=9), 1, 2, 3, 4)
    for status, key in (("held", "1"), ("restricted", "2"), ("review", "3")):
        desk.shop.conn.execute(
            "update retention.records set status = %s where source_table = 'person' and record_key = %s",
            (status, key),
        )
    desk.shop.conn.commit()
    assert [(one.records, one.outcome) for one in desk.send()] == [(1, "told")]


def test_a_message_holds_counts_and_links_and_nobody(desk: Desk) -> None:
    desk.shop.add("person", id=909090, name="Kari Kanarifugl", email="kari@kanari.example")
    desk.shop.classify()
    desk.due(today(desk.shop.conn) + timedelta(days=9), 1, 909090)
    desk.send()
    (text,) = desk.sink.taken
    assert "2 records fall due soon" in text
    assert f"{desk.shop.settings.pages_url}/" in text
    rows = desk.shop.conn.execute(
        "select subject_token::text from ledger.subject_tokens"
    ).fetchall()
    for canary in ("909090", "anari", OWNER, SECRET, "Navn", *(token for (token,) in rows)):
        assert canary not in text


def test_norwegian_is_said_in_norwegian(desk: Desk) -> None:
    desk.due(today(desk.shop.conn) + timedelta(days=9), 1, 2)
    (one,) = preview(desk.shop.settings, Language.NB, desk.env)
    assert one.message.title == "2 poster forfaller snart"
    assert "kunde uten rådgivning" in one.message.body
    assert desk.sink.taken == []
    assert [told.outcome for told in desk.send()] == ["told"]


def test_mail_arrives(desk: Desk, tmp_path: Path) -> None:
    desk.due(today(desk.shop.conn) + timedelta(days=9), 1, 2)
    with mail_sink() as mail:
        address = f"mailto://127.0.0.1:{mail.port}?from=retention@shop.example&to={OWNER}"
        env = channels_file(tmp_path, {"default": [address]})
        (told,) = send_due(desk.shop.settings, Language.NB, env)
    assert (told.channel, told.outcome) == ("mailto 1", "told")
    (text,) = mail.taken
    assert text.startswith("2 poster forfaller snart\n")
    assert "shop.person" in text


def test_a_channel_that_fails_is_tried_again_with_what_came_meanwhile(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    day = today(desk.shop.conn)
    desk.due(day + timedelta(days=9), 1, 2)
    desk.sink.answer = lambda text: 500
    assert [one.outcome for one in desk.send()] == ["not_taken"]
    found = findings(desk)
    assert [one[0] for one in found] == ["notice_channel_failing"]
    assert "json 1 has taken no notice for data@shop.example since" in found[0][1]
    desk.days_pass()
    desk.due(day + timedelta(days=9), 3)
    desk.sink.answer = lambda text: 200
    assert [(one.records, one.outcome) for one in desk.send()] == [(3, "told")]
    assert findings(desk) == []
    assert SECRET not in caplog.text
    assert "may repeat it" in desk.messages[-1]
    desk.due(day + timedelta(days=9), 4)
    desk.send()
    assert "may repeat it" not in desk.messages[-1]


def test_a_notice_that_was_cut_short_is_sent_again_and_says_so(
    desk: Desk, command_environment: dict[str, str]
) -> None:
    """The process is killed when the message has arrived and nothing of that is remembered."""
    desk.due(today(desk.shop.conn) + timedelta(days=9), 1, 2)
    sending: list[subprocess.Popen[bytes]] = []
    desk.sink.answer = lambda text: os.kill(sending[0].pid, signal.SIGKILL) or 200
    sending.append(process(desk, command_environment))
    assert sending[0].wait(60) == -signal.SIGKILL
    assert len(desk.sink.taken) == 1
    assert "may repeat it" not in desk.messages[0]
    assert states(desk) == ["sending"]

    desk.sink.answer = lambda text: 200
    assert [(one.records, one.outcome) for one in desk.send()] == [(2, "told")]
    assert "An earlier notice was not confirmed: this one may repeat it." in desk.messages[1]
    assert states(desk) == ["interrupted", "sent"]
    assert [one.outcome for one in desk.send()] == ["nothing_new"]


def test_two_that_send_at_once_send_once(desk: Desk) -> None:
    desk.due(today(desk.shop.conn) + timedelta(days=9), 1, 2)
    with ThreadPoolExecutor() as pool:
        others: list[Future[list[Told]]] = []

        def answer(text: str) -> int:
            """The first has arrived: another begins, and this one ends when that one waits or has sent."""
            if not others:
                others.append(pool.submit(desk.send))
                until = time.monotonic() + 3
                while len(desk.sink.taken) == 1 and not waits(desk) and time.monotonic() < until:
                    time.sleep(0.05)
            return 200

        desk.sink.answer = answer
        first = desk.send()
        (second,) = others[0].result(60)
    assert [one.outcome for one in first] == ["told"]
    assert second.outcome == "nothing_new"
    assert len(desk.sink.taken) == 1


def test_operational_notices_go_the_same_way(desk: Desk, tmp_path: Path) -> None:
    address = f"json://127.0.0.1:{desk.sink.port}/"
    env = channels_file(tmp_path, {"default": [address]})
    give_notice(desk.shop.settings, PlanNotice("a-plan", "too many records"), env)
    (text,) = desk.sink.taken
    assert json.loads(text)["title"] == "A plan waits for a person"


def test_a_test_message_goes_to_every_channel(desk: Desk, tmp_path: Path) -> None:
    good = f"json://127.0.0.1:{desk.sink.port}/"
    env = channels_file(tmp_path, {"default": [good, "json://127.0.0.1:1/"], "a@b.example": [good]})
    told = send_test(desk.shop.settings, Language.EN, env)
    assert [(one.owner, one.channel, one.outcome) for one in told] == [
        ("default", "json 1", "taken"),
        ("default", "json 2", "not_taken"),
        ("a@b.example", "json 1", "taken"),
    ]


def test_an_owner_whom_no_channel_reaches_is_a_finding_and_is_told_once_there_is_one(
    desk: Desk, tmp_path: Path
) -> None:
    desk.due(today(desk.shop.conn) + timedelta(days=9), 1, 2)
    named = dict(desk.env)
    desk.env = channels_file(tmp_path / "..", {"somebody@else.example": ["json://127.0.0.1:1/"]})
    assert [(one.records, one.outcome, one.is_wrong) for one in desk.send()] == [
        (2, "no_channel", True)
    ]
    assert [one[0] for one in findings(desk)] == ["owner_without_channel"]
    desk.env = named
    assert [(one.records, one.outcome) for one in desk.send()] == [(2, "told")]


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (f"default: [json://x:{SECRET}@h]", 0o644, "others may read"),
        (f"default: [json://x:{SECRET}@h", 0o600, "is no YAML from line 1 on"),
        (f"- json://x:{SECRET}@h", 0o600, "maps no owners to channels"),
        (f"default: [{SECRET}]", 0o600, "a channel of default is no address"),
        (f"default: {{a: json://x:{SECRET}@h}}", 0o600, "no list of addresses"),
    ],
)
def test_a_file_that_does_not_hold_says_so_without_its_words(
    tmp_path: Path, content: str, mode: int, says: str
) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(UsageError) as error:
        load_channels({VARIABLE: str(path)})
    assert says in str(error.value)
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None


def findings(desk: Desk) -> list[tuple[str, str]]:
    with connect(desk.shop.settings, role="retention_reader", read_only=True) as conn:
        found = standing.findings(conn, desk.shop.declarations, desk.env)
        return [(one.kind, one.message) for one in found]


def states(desk: Desk) -> list[str]:
    rows = desk.shop.conn.execute(
        "select state from ledger.due_notices order by begun_at"
    ).fetchall()
    desk.shop.conn.commit()
    return [state for (state,) in rows]


def waits(desk: Desk) -> bool:
    """Whether somebody waits for whoever sends."""
    with connect(desk.shop.settings) as conn:
        row = conn.execute(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
        ).fetchone()
    return bool(row and row[0])


def process(desk: Desk, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """`retention notices due` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "notices", "due"],
        env={
            **environment,
            **desk.env,
            "RETENTION_STATE_DIR": str(desk.shop.settings.state),
            "RETENTION_DECLARATIONS_DIR": str(desk.shop.settings.declarations_dir),
        },
        stdout=subprocess.DEVNULL,
    )
