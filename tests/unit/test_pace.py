"""How fast a purge goes."""

import pytest

from retention.errors import UsageError
from retention.policy import load_policy
from retention.purge import Pace, unattended
from tests.policies import SHIPPED

pytestmark = pytest.mark.unit


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("retention.purge.pace.time.sleep", slept.append)
    return slept


def test_without_limits_nothing_is_waited_for(slept: list[float]) -> None:
    assert Pace().items(5_000) == 5_000
    Pace().rest(5_000)
    assert slept == []


def test_the_rest_brings_a_batch_down_to_its_rate(slept: list[float]) -> None:
    Pace(rows_per_second=100).rest(250)
    Pace(rows_per_second=100, pause_seconds=3).rest(0)
    assert slept == [2.5, 3]


def test_a_slow_purge_has_small_batches() -> None:
    assert Pace(rows_per_second=10).items(5_000) == 600
    assert Pace(rows_per_second=10_000).items(5_000) == 5_000


@pytest.mark.parametrize("values", [(0, 0), (-1, 0), (None, -1)])
def test_a_pace_that_never_ends_is_refused(values: tuple[int | None, float]) -> None:
    with pytest.raises(UsageError):
        Pace(*values)


def test_purges_that_nobody_watches_go_at_the_policys_pace() -> None:
    operations = load_policy(SHIPPED).operations
    pace = unattended(load_policy(SHIPPED))
    assert pace.rows_per_second == operations.purge_rows_per_second.value
    assert pace.pause_seconds == operations.pause_seconds.value
