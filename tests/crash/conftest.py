"""Fixtures of the crash tests.

Belongs here: the small warehouse whose purge is killed. Does not belong here: what a test checks.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.settings import Settings
from tests.factories import Shop, open_shop


@pytest.fixture
def shop(settings: Settings, approver_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A small warehouse with a table of each kind, empty."""
    opened = open_shop(settings, approver_url, tmp_path / "shop")
    yield opened
    opened.conn.close()
