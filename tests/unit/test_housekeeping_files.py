"""Files that housekeeping removes, and first of all those that it must not touch."""

import dataclasses
import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from retention.errors import UsageError
from retention.housekeeping import notices
from retention.housekeeping.files import set_aside, sweep
from retention.housekeeping.places import deletion_reports
from retention.housekeeping.rules import Rule, Swept
from retention.housekeeping.sweep import in_state_folder
from retention.policy import load_policy
from retention.settings import Settings, load_settings
from tests.policies import SHIPPED

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 23)
BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
OLD = datetime(2020, 1, 1, tzinfo=UTC)
LOGS = re.compile(r"(.*/)?[a-z]+\.log")
PLAN = "00000000-0000-0000-0000-000000000001"


def made(path: Path, at: datetime = OLD, text: str = "x") -> Path:
    """A file that was last written `at`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """Settings whose state folder and dbt project are the test's own."""
    settings = load_settings({"RETENTION_STATE_DIR": str(tmp_path / "state")})
    return dataclasses.replace(settings, dbt_dir=tmp_path / "dbt_project")


def swept(house: Settings, *, remove: bool = True) -> dict[str, Swept]:
    found = in_state_folder(house, load_policy(SHIPPED), TODAY, remove=remove)
    return {one.kind: one for one in found}


# --- what must not go ----------------------------------------------------------------------------


def test_nothing_of_another_name_and_nothing_younger_goes(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    stays = [
        made(folder / "my notes.log.txt"),
        made(folder / "NOTES"),
        made(folder / "young.log", BEFORE),
        made(folder / "deep" / "mine.csv"),
    ]
    made(folder / "old.log")
    made(folder / "deep" / "old.log")
    assert sweep(tmp_path, folder, LOGS, BEFORE, remove=True) == 2
    assert {path for path in folder.rglob("*") if path.is_file()} == set(stays)


def test_no_link_is_followed_and_none_is_removed(tmp_path: Path) -> None:
    outside = made(tmp_path / "elsewhere" / "old.log")
    folder = tmp_path / "base" / "logs"
    folder.mkdir(parents=True)
    (folder / "inside.log").symlink_to(outside)
    (folder / "away").symlink_to(outside.parent, target_is_directory=True)
    os.utime(folder / "inside.log", (OLD.timestamp(), OLD.timestamp()), follow_symlinks=False)
    assert sweep(tmp_path / "base", folder, LOGS, BEFORE, remove=True) == 0
    assert outside.exists()
    assert (folder / "inside.log").is_symlink()
    assert (folder / "away").is_symlink()


@pytest.mark.parametrize("link", ["base/logs", "base"])
def test_a_folder_that_a_link_leads_to_is_not_ours(tmp_path: Path, link: str) -> None:
    """The state folder may be a link that its owner made; no folder in it is one that we made."""
    outside = made(tmp_path / "elsewhere" / "logs" / "old.log")
    away = tmp_path / link
    away.parent.mkdir(exist_ok=True)
    away.symlink_to(outside.parent if link.endswith("logs") else outside.parent.parent)
    found = sweep(tmp_path, tmp_path / "base" / "logs", LOGS, BEFORE, remove=True)
    assert found == 0
    assert outside.exists()


def test_a_folder_outside_of_ours_is_refused_by_name_alone(tmp_path: Path) -> None:
    outside = made(tmp_path / "elsewhere" / "old.log")
    assert sweep(tmp_path / "base", outside.parent, LOGS, BEFORE, remove=True) == 0
    assert outside.exists()


def test_what_is_in_force_and_what_is_not_ours_stays_however_old(house: Settings) -> None:
    state = house.state
    home = {"state": str(state), "home": str(state / "postgres")}
    made(state / "postgres.json", text=json.dumps(home))
    old_log = made(state / "postgres" / "log" / "server.log.20200101")
    stays = [
        made(path)
        for path in (
            state / "dbt" / "target" / "manifest.json",
            state / "dbt" / "target" / "compiled" / "sletteplikt" / "records.sql",
            state / "dbt" / "definitions" / "manifest.json",
            state / "dbt" / "definitions" / "made_from.json",
            state / "dbt" / "replay" / "my.csv",
            state / "keys" / "hmac.key",
            state / "secrets" / "superuser.password",
            state / "postgres" / "data" / "PG_VERSION",
            state / "postgres" / "log" / "server.log",
            state / "postgres" / "log" / "postgresql.conf",
            state / "controls" / "keys" / "hmac.key",
            state / "dagster" / "dagster.yaml",
            state / "dagster" / "services" / "daemon.json",
            state / "dagster" / "services" / "daemon.log",
            state / "dagster" / "services" / "mine.log",
            state / "dagster" / "storage" / "notes.txt",
            state / "reports" / f"deletion-{PLAN}.json",
            state / "reports" / "2020-01-01" / "mine.html",
            state / "reports" / "for the board" / "retention-report.html",
            state / "exports" / "retention-report.json",
            house.dbt_dir / "target" / "mine.sql",
            house.dbt_dir / "logs" / "mine.log",
            house.dbt_dir / "models" / "compiled" / "mine.sql",
        )
    ]
    removed = {"logs": 1, "notices": 0, "builds": 0, "reports": 0}
    assert {kind: one.removed for kind, one in swept(house).items()} == removed
    assert not old_log.exists()
    for path in (*stays, state / "postgres.json"):
        assert path.exists(), path


def test_a_dry_run_counts_the_same_and_removes_nothing(house: Settings) -> None:
    traces = [
        made(house.state / "dbt" / "logs" / "dbt.log"),
        made(house.state / "reports" / "2020-01-01" / "retention-report.en.html"),
        made(house.state / "dbt" / "replay" / "run" / "records.sql"),
    ]
    told = json.dumps({"at": OLD.isoformat()})
    traces.append(made(house.state / "notices.jsonl", text=f"{told}\n"))
    only_said = swept(house, remove=False)
    assert all(path.exists() for path in traces)
    assert traces[-1].read_text(encoding="utf-8")
    done = swept(house)
    assert {k: one.due for k, one in only_said.items()} == dict.fromkeys(only_said, 1)
    assert {k: one.removed for k, one in done.items()} == dict.fromkeys(only_said, 1)
    assert {k: one.removed for k, one in only_said.items()} == dict.fromkeys(only_said, 0)
    assert not any(path.exists() for path in traces[:-1])


def test_files_of_another_account_are_named_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "logs" / "old.log")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", denied)
    with pytest.raises(UsageError, match="belong to another account"):
        sweep(tmp_path, tmp_path / "logs", LOGS, BEFORE, remove=True)


# --- what goes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("logs", "state/dagster/services/daemon.log.1"),
        ("logs", "state/dagster/services/code-server.log.20200101"),
        ("logs", "state/dagster/storage/run/compute_logs/step.err"),
        ("logs", "state/dbt/logs/dbt.log"),
        ("logs", "state/dbt/logs/dbt.log.3"),
        ("logs", "state/controls/dbt/logs/dbt.log"),
        ("logs", "dbt_project/logs/dbt.log"),
        ("builds", "state/dbt/replay/run_results.json"),
        ("builds", "state/dbt/replay/compiled/sletteplikt/models/records.sql"),
        ("builds", "state/controls/dbt/target/manifest.json"),
        ("builds", "dbt_project/target/partial_parse.msgpack"),
        ("reports", "state/reports/2020-01-01/retention-report.json"),
        ("reports", "state/reports/2020-01-01/retention-report.nb.pdf"),
        ("reports", "state/reports/what-if-0123456789ab.nb.html"),
        ("reports", "state/reports/2020-01-01/csv/overdue.csv"),
        ("reports", "state/reports/2020-01-01/replay/csv/overdue.csv"),
    ],
)
def test_each_kind_of_file_goes_after_its_days_and_no_sooner(
    house: Settings, tmp_path: Path, kind: str, place: str
) -> None:
    kept = load_policy(SHIPPED).own_records.traces
    days = {"logs": kept.logs, "builds": kept.builds, "reports": kept.reports}[kind].value
    first = Rule(kind, days, "").before(TODAY)
    path = made(tmp_path / place, first)
    assert swept(house)[kind].due == 0
    assert path.exists()
    made(path, first - timedelta(seconds=1))
    assert swept(house)[kind].removed == 1
    assert not path.exists()


def test_folders_that_become_empty_go_and_no_others(house: Settings) -> None:
    made(house.state / "dbt" / "replay" / "compiled" / "a" / "b.sql")
    empty = house.state / "dbt" / "replay" / "mine"
    empty.mkdir()
    swept(house)
    assert not (house.state / "dbt" / "replay" / "compiled").exists()
    assert empty.exists()


def test_deletion_reports_go_by_their_plan_alone(house: Settings) -> None:
    reports = house.state / "reports"
    gone = made(reports / f"deletion-{PLAN}.json")
    stays = made(reports / f"deletion-{PLAN[:-1]}2.json")
    assert deletion_reports(house, []) == []
    (place,) = deletion_reports(house, [PLAN])
    assert sweep(place.base, place.folder, place.names, datetime.now(UTC), remove=True) == 1
    assert not gone.exists()
    assert stays.exists()


def test_a_log_that_is_written_to_is_set_aside_once_a_day_and_goes_on(tmp_path: Path) -> None:
    log = made(tmp_path / "daemon.log", text="old line\n")
    with log.open("a", encoding="utf-8") as server:
        set_aside(tmp_path, log, TODAY)
        server.write("new line\n")
    aside = tmp_path / "daemon.log.20261123"
    assert aside.read_text(encoding="utf-8") == "old line\n"
    assert aside.stat().st_mtime == OLD.timestamp()
    assert log.read_text(encoding="utf-8") == "new line\n"
    set_aside(tmp_path, log, TODAY)
    assert aside.read_text(encoding="utf-8") == "old line\n"
    assert log.read_text(encoding="utf-8") == "new line\n"


def test_a_log_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    outside = made(tmp_path / "elsewhere.txt", text="mine")
    (tmp_path / "daemon.log").symlink_to(outside)
    set_aside(tmp_path, tmp_path / "daemon.log", TODAY)
    assert outside.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "daemon.log.20261123").exists()


def test_old_notices_are_forgotten_line_by_line(house: Settings) -> None:
    young = json.dumps({"at": BEFORE.isoformat(), "job": "classify_records"})
    odd = ["no notice", '{"job": "without a time"}', '{"at": "2020-01-01T00:00:00"}', "[]"]
    old = json.dumps({"at": OLD.isoformat(), "job": "execute_purge"})
    path = notices.notices_path(house)
    made(path, text="".join(f"{line}\n" for line in (old, odd[0], young, *odd[1:], old)))
    assert notices.sweep(house, BEFORE, remove=True) == 2
    assert path.read_text(encoding="utf-8").splitlines() == [odd[0], young, *odd[1:]]


@pytest.mark.parametrize(
    ("today", "moment"),
    [
        (date(2026, 3, 30), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 24, 22, tzinfo=UTC)),
    ],
    ids=["the day of 23 hours", "the day of 25 hours"],
)
def test_days_are_norwegian_ones(today: date, moment: datetime) -> None:
    assert Rule("logs", 1, "").before(today) == moment
