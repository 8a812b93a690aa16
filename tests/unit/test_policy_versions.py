"""Which version is in force on a day."""

from datetime import date
from pathlib import Path

import pytest

from retention.errors import UsageError
from retention.policy import in_force, load_versions
from tests.policies import SHIPPED, edited_text, shipped_text, write_policy

pytestmark = pytest.mark.unit

SECOND = edited_text(
    ("version: lexly-2023-01-12", "version: lexly-2025-07-01"),
    ("effective_from: 2023-01-12", "effective_from: 2025-07-01"),
)


@pytest.fixture
def two_versions(tmp_path: Path) -> Path:
    # The later version has the earlier file name: order is that of the dates.
    write_policy(tmp_path, SECOND, "a-later.yaml")
    write_policy(tmp_path, shipped_text(), "b-first.yaml")
    return tmp_path


@pytest.mark.parametrize(
    ("as_of", "version"),
    [
        pytest.param("2023-01-12", "lexly-2023-01-12", id="first-day-of-the-first"),
        pytest.param("2025-06-30", "lexly-2023-01-12", id="last-day-of-the-first"),
        pytest.param("2025-07-01", "lexly-2025-07-01", id="first-day-of-the-second"),
        pytest.param("2040-01-01", "lexly-2025-07-01", id="long-after"),
    ],
)
def test_the_latest_version_that_took_effect(two_versions: Path, as_of: str, version: str) -> None:
    versions = load_versions(two_versions)
    assert [policy.version for policy in versions] == ["lexly-2023-01-12", "lexly-2025-07-01"]
    assert in_force(versions, date.fromisoformat(as_of)).version == version


def test_before_the_first_version(two_versions: Path) -> None:
    with pytest.raises(UsageError, match="the first, lexly-2023-01-12, applies from 2023-01-12"):
        in_force(load_versions(two_versions), date(2023, 1, 11))


def test_the_shipped_folder_holds_versions_and_the_schema_is_none() -> None:
    assert [policy.path for policy in load_versions(SHIPPED.parent)] == [SHIPPED]


def test_two_versions_from_one_day(tmp_path: Path) -> None:
    write_policy(tmp_path, shipped_text(), "one.yaml")
    text = edited_text(("version: lexly-2023-01-12", "version: lexly-b"))
    path = write_policy(tmp_path, text, "two.yaml")
    line = text[: text.index("effective_from")].count("\n") + 1
    with pytest.raises(UsageError) as caught:
        load_versions(tmp_path)
    assert str(caught.value).startswith(
        f"{tmp_path.name}/{path.name}:{line}: effective_from is also that of one.yaml"
    )


def test_two_versions_of_one_name(tmp_path: Path) -> None:
    write_policy(tmp_path, shipped_text(), "one.yaml")
    text = edited_text(("effective_from: 2023-01-12", "effective_from: 2024-01-12"))
    write_policy(tmp_path, text, "two.yaml")
    with pytest.raises(UsageError, match=r"two.yaml:\d+: version is also that of one.yaml"):
        load_versions(tmp_path)


@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_no_version_at_all(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no policy version in"):
        load_versions(tmp_path / folder)
    with pytest.raises(UsageError, match="no policy version is loaded"):
        in_force([], date(2024, 1, 1))
