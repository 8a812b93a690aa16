"""The numbered files: order, names, and one number for one file."""

from pathlib import Path

import pytest

from retention.errors import UsageError
from retention.warehouse.migrate import MIGRATIONS, load_migrations


def test_our_own_migrations_are_numbered_without_a_gap() -> None:
    versions = [migration.version for migration in load_migrations(MIGRATIONS)]
    assert versions == list(range(1, len(versions) + 1))


def test_order_is_by_number(tmp_path: Path) -> None:
    (tmp_path / "0010_b.sql").write_text("select 1")
    (tmp_path / "0002_a.sql").write_text("select 1")
    assert [migration.name for migration in load_migrations(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("name", ["1_a.sql", "0001-a.sql", "0001_A.sql"])
def test_another_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("select 1")
    with pytest.raises(UsageError, match="name it"):
        load_migrations(tmp_path)


def test_a_number_that_comes_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("select 1")
    (tmp_path / "0001_b.sql").write_text("select 2")
    with pytest.raises(UsageError, match="comes twice"):
        load_migrations(tmp_path)
