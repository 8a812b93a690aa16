"""The report's figures on a small warehouse in which everything has happened that they tell of.

Belongs here: what each figure says, and that its query says it again. Does not belong here: the sample's
stories (test_report.py), and how a report looks.
"""

from typing import Any

import pytest

from retention.purge import execute
from retention.report.figures.figure import plain
from retention.report.report import gather
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER
from tests.factories import Shop

pytestmark = pytest.mark.integration

Document = dict[str, Any]


def rows(document: Document, figure: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["figures"][figure]["rows"]
    return found


def one(document: Document, figure: str, **wanted: object) -> dict[str, Any]:
    (found,) = [row for row in rows(document, figure) if wanted.items() <= row.items()]
    return found


def check_again(shop: Shop, document: Document) -> None:
    """Each query, pasted by a reader, gives its figure again."""
    with connect(shop.settings, role=READER, read_only=True) as conn:
        for figure in document["figures"].values():
            found = conn.execute(figure["query"])
            names = [column.name for column in found.description or ()]
            assert names == [column["name"] for column in figure["columns"]], figure["id"]
            again = [
                {name: plain(value) for name, value in zip(names, row, strict=True)}
                for row in found
            ]
            assert again == figure["rows"], figure["id"]


@pytest.fixture
def empty(shop: Shop) -> Document:
    shop.classify()
    return gather(shop.settings)


def test_an_empty_warehouse_has_a_report(shop: Shop, empty: Document) -> None:
    assert empty["headline"]["records"] == 0
    check_again(shop, empty)


def test_what_was_purged_is_told(shop: Shop) -> None:
    for number in (1, 2, 3):
        shop.person(number)
    shop.person(4, overdue=False)
    shop.classify()
    plan = shop.approve(shop.plan())
    execute(shop.settings, plan.plan_id)
    shop.classify()
    document = gather(shop.settings)
    check_again(shop, document)
    assert one(document, "approvals")["approval_kind"] == "person"
