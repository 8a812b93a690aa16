"""Fixtures of the crash and race tests.

Belongs here: the small warehouse whose purge is killed or raced against, and whether the long form was
asked for. Does not belong here: what a test checks, and the table of figures (the conftest above).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.settings import Settings
from tests.crash.figures import PROPERTY, Figures
from tests.factories import Shop, open_shop


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


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """The figures of one test. They go with its report to where the run's table is printed."""
    found = Figures()
    yield found
    request.node.user_properties.append((PROPERTY, found.plain()))
