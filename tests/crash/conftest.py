"""Fixtures of the crash and race tests, and the table of figures they end with.

Belongs here: the small warehouse whose purge is killed or raced against, and whether the long form was
asked for. Does not belong here: what a test checks.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.settings import Settings
from tests.crash.figures import Figures
from tests.factories import Shop, open_shop

_FIGURES = pytest.StashKey[Figures]()


@pytest.fixture
def shop(settings: Settings, approver_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A small warehouse with a table of each kind, empty."""
    opened = open_shop(settings, approver_url, tmp_path / "shop")
    yield opened
    opened.conn.close()


@pytest.fixture(scope="session")
def long_form(request: pytest.FixtureRequest) -> bool:
    """Whether the suites run in full, as `make test-long` has them."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Figures:
    """What the suites of this run add up to."""
    return request.config.stash.setdefault(_FIGURES, Figures())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures."""
    lines = config.stash.get(_FIGURES, Figures()).table()
    if lines:
        terminalreporter.section("kills and races")
        for line in lines:
            terminalreporter.write_line(line)
