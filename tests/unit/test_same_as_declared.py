"""What a declaration may say of who is the same, and of whoever is found several times or not at all.

Belongs here: what is refused, and what the models are told. Does not belong here: what comes of it.
"""

from pathlib import Path

import pytest
import yaml

from retention.declarations import load_declarations
from retention.declarations.facts import describe, select_facts
from retention.errors import UsageError

pytestmark = pytest.mark.unit

PERSON = {"key": "id", "subject": {"self": True, "email": ["email"]}, "follows": "review"}


def declared(tmp_path: Path, subject: object, **more: object) -> None:
    tables = {
        "person": PERSON,
        "guest": {"key": "id", "follows": "review", "subject": subject, **more},
    }
    source = {
        "name": "crm",
        "tables": [{"name": n, "config": {"meta": {"retention": d}}} for n, d in tables.items()],
    }
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "_crm__sources.yml").write_text(yaml.safe_dump({"sources": [source]}), "utf-8")


@pytest.mark.parametrize(
    ("same_as", "link"),
    [
        ({"to": "crm.person"}, "contact_point"),
        ({"to": "crm.person", "foreign_key": "pid"}, "foreign_key"),
    ],
)
def test_the_models_are_told_by_what_they_are_the_same(
    tmp_path: Path, same_as: object, link: str
) -> None:
    declared(tmp_path, {"self": True, "email": ["mail"], "same_as": same_as})
    guest = load_declarations(tmp_path).table("crm.guest")
    assert guest is not None
    assert describe(guest)["same_as"] == "crm.person"
    assert describe(guest)["same_as_link"] == link
    assert ('"pid"' in select_facts(guest, "crm.guest")) == (link == "foreign_key")
    assert ("pid" in guest.columns_used) == (link == "foreign_key")


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ({"self": True, "same_as": {"to": "crm.person"}}, "needs a `foreign_key`"),
        (
            {"email": ["mail"], "to": "crm.person", "same_as": {"to": "crm.person"}},
            "for a table of persons",
        ),
        ({"self": True, "email": ["m"], "same_as": {"to": "crm.guest"}}, "has none itself"),
        ({"self": True, "email": ["m"], "same_as": {"to": "crm.nobody"}}, "has none itself"),
        ({"foreign_key": "pid", "to": "crm.person", "several": "own_rule"}, "a key finds one"),
        ({"email": ["m"], "to": "crm.person", "several": "own_rule"}, "needs `otherwise"),
    ],
)
def test_what_says_nothing_certain_is_refused(tmp_path: Path, subject: object, why: str) -> None:
    declared(tmp_path, subject)
    with pytest.raises(UsageError, match=why):
        load_declarations(tmp_path)


def test_several_may_follow_a_rule_of_their_own(tmp_path: Path) -> None:
    subject = {"email": ["m"], "to": "crm.person", "several": "own_rule"}
    declared(tmp_path, subject, otherwise={"rule": "R3", "anchor": "at"})
    guest = load_declarations(tmp_path).table("crm.guest")
    assert guest is not None
    assert describe(guest)["several"] == "own_rule"
    assert describe(guest)["unmatched"] == "review"
