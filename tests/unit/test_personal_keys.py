"""A key that is itself personal, such as an e-mail address, never reaches the models."""

from pathlib import Path

import pytest

from retention.declarations import load_declarations
from retention.declarations.facts import COLUMNS, select_facts
from retention.errors import UsageError
from tests.factories import DECLARATIONS

pytestmark = pytest.mark.unit

LINKED = """
      - name: letter
        config: {meta: {retention: {
          key: id, subject: {through: email, to: shop.objection}, follows: person}}}
"""


def test_its_facts_hold_nothing_but_hashes_of_it(tmp_path: Path) -> None:
    (tmp_path / "_shop__sources.yml").write_text(DECLARATIONS)
    table = load_declarations(tmp_path).table("shop.objection")
    assert table is not None
    lines = {
        line.rpartition(" as ")[2].rstrip(","): line
        for line in select_facts(table, "shop.objection").splitlines()
    }
    read = {name for name in COLUMNS if '"email"' in lines[name]}
    assert read == {"record_key", "entity_key", "link_hashes"}
    # By its contact points an objection is found when its person asks for what is held.
    assert """sletteplikt.link_hash('email', landed."email"::text)""" in lines["link_hashes"]
    for name in read - {"link_hashes"}:
        assert """sletteplikt.link_hash('key', landed."email"::text) as""" in lines[name]


def test_nothing_links_by_it(tmp_path: Path) -> None:
    (tmp_path / "_shop__sources.yml").write_text(DECLARATIONS.rstrip() + LINKED)
    with pytest.raises(
        UsageError, match=r"shop\.letter: links by key to shop\.objection, whose key"
    ):
        load_declarations(tmp_path)
