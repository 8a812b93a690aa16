"""The CSV seeds: what dbt reads is what the policy says."""

import csv
from datetime import date
from pathlib import Path

import pytest
import yaml

from retention.policy import load_policy, write_seeds
from retention.policy.holidays import FIRST_YEAR, LAST_YEAR, public_holidays
from retention.policy.seeds import SEEDS
from retention.settings import load_settings
from tests.policies import SHIPPED, edited_text, write_policy

pytestmark = pytest.mark.unit


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    write_seeds(load_policy(SHIPPED), tmp_path / "generated")
    return tmp_path / "generated"


def rows(seeds: Path, name: str) -> list[dict[str, str]]:
    with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_dbt_knows_every_column_of_every_seed(seeds: Path) -> None:
    described = yaml.safe_load((load_settings({}).dbt_dir / "seeds" / "_seeds.yml").read_text())
    declared = {seed["name"]: seed for seed in described["seeds"]}
    assert set(declared) == set(SEEDS) == {path.stem for path in seeds.iterdir()}
    for name, (header, _) in SEEDS.items():
        seed = declared[name]
        assert list(seed["config"]["column_types"]) == list(header)
        assert [column["name"] for column in seed["columns"]] == list(header)
        assert all(column["description"] for column in seed["columns"])


def test_the_settings_are_one_row(seeds: Path) -> None:
    policy = load_policy(SHIPPED)
    assert rows(seeds, "policy_settings") == [
        {
            "policy_version": "lexly-2023-01-12",
            "policy_hash": policy.hash,
            "effective_from": "2023-01-12",
            "due_soon_days": "30",
            "grace_days": "14",
            "review_by_days": "30",
            "idle_active_months": "12",
            "lead_reading": "both",
            "plan_valid_days": "7",
            "order_patience_days": "14",
            "backup_horizon_months": "3",
            "backup_horizon_days": "0",
        }
    ]


def test_rules_carry_period_words_and_standing(seeds: Path) -> None:
    rules = {row["rule_id"]: row for row in rows(seeds, "policy_rules")}
    assert (rules["R1"]["period_months"], rules["R1"]["period_days"]) == ("6", "0")
    assert rules["R1"]["clause"] == "§ 6"
    assert "6 måneder" in rules["R1"]["clause_text"]
    assert (rules["R1"]["mark"], rules["R1"]["approval"]) == ("choice", "example")
    assert (rules["R4"]["period_months"], rules["R4"]["is_minimum"]) == ("", "true")
    assert rules["PROCESSOR"]["category"] == ""
    assert rules["BUSINESS"]["approval"] == "none"
    assert rules["R3"]["unattended"] == "false"


def test_tables_carry_their_own_approval(seeds: Path) -> None:
    types = {row["assignment_type"]: row for row in rows(seeds, "policy_assignment_types")}
    assert types["ordinary_advice"]["period_months"] == "156"
    assert types["dispute"]["approval"] == "none"
    classes = {row["accounting_class"]: row for row in rows(seeds, "policy_accounting_classes")}
    assert {name: row["period_months"] for name, row in classes.items()} == {
        "primary": "60",
        "secondary": "42",
    }
    periods = {row["period_key"]: row for row in rows(seeds, "policy_supporting_periods")}
    assert periods["session_log"]["period_months"] == "12"


def test_a_changed_policy_changes_only_its_files(seeds: Path, tmp_path: Path) -> None:
    """A rewritten file makes dbt parse again; dbt compares content, and people compare dates."""
    before = {path.name: path.stat().st_mtime_ns for path in seeds.iterdir()}
    write_seeds(load_policy(SHIPPED), seeds)
    assert {path.name: path.stat().st_mtime_ns for path in seeds.iterdir()} == before
    changed = load_policy(write_policy(tmp_path, edited_text(("value: P6M", "value: P7M"))))
    write_seeds(changed, seeds)
    moved = {path.name for path in seeds.iterdir() if before[path.name] != path.stat().st_mtime_ns}
    assert moved == {"policy_rules.csv", "policy_settings.csv"}


@pytest.mark.parametrize(
    ("day", "is_holiday"),
    [
        pytest.param(date(2024, 3, 28), True, id="maundy-thursday"),
        pytest.param(date(2024, 5, 17), True, id="constitution-day"),
        pytest.param(date(2024, 12, 24), False, id="christmas-eve"),
        pytest.param(date(2024, 3, 27), False, id="day-before"),
        pytest.param(date(2024, 3, 24), False, id="palm-sunday-is-a-sunday"),
        pytest.param(date(2105, 4, 6), True, id="easter-monday-beyond-the-librarys-years"),
    ],
)
def test_public_holidays(day: date, is_holiday: bool) -> None:
    assert (day in public_holidays()) is is_holiday


def test_holidays_cover_the_calendar() -> None:
    days = public_holidays()
    assert days == sorted(set(days))
    assert (days[0].year, days[-1].year) == (FIRST_YEAR, LAST_YEAR)
    assert {day.year for day in days} == set(range(FIRST_YEAR, LAST_YEAR + 1))
