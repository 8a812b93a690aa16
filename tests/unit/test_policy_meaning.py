"""The hash follows the meaning; a rule is as approved as its least approved part."""

from pathlib import Path

import pytest
import yaml

from retention.policy import load_policy, rule_clause, rule_clauses
from tests.policies import SHIPPED, approved_text, edited_text, shipped_text, write_policy

pytestmark = pytest.mark.unit


def test_comments_and_layout_do_not_move_the_hash(tmp_path: Path) -> None:
    content = yaml.load(shipped_text(), Loader=yaml.BaseLoader)
    shipped = load_policy(SHIPPED)
    commented = write_policy(tmp_path, f"# a comment\n\n{shipped_text()}\n# the end\n", "a.yaml")
    assert load_policy(commented).hash == shipped.hash
    # Other layout, other order of keys, another file name.
    text = shipped.model_dump_json(by_alias=True)
    reordered = yaml.safe_dump(yaml.safe_load(text), allow_unicode=True, sort_keys=True)
    other = load_policy(write_policy(tmp_path, reordered.replace("'12-31'", "12-31"), "b.yaml"))
    assert list(content) != sorted(content)
    assert other.hash == shipped.hash
    assert len(shipped.hash) == 64


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: P6M", "value: P7M"),
        ("period: P3Y6M", "period: P3Y7M"),
        ("value: 30, reason", "value: 31, reason"),
        ("{state: example}", "{state: none}"),
        ("effective_from: 2023-01-12", "effective_from: 2023-01-13"),
        ("Eller blir opplysningene", "Ellers blir opplysningene"),
    ],
)
def test_every_value_moves_the_hash(tmp_path: Path, old: str, new: str) -> None:
    changed = load_policy(write_policy(tmp_path, edited_text((old, new))))
    assert changed.hash != load_policy(SHIPPED).hash


def test_a_rule_is_as_approved_as_its_least_approved_part(tmp_path: Path) -> None:
    """R1's period is text, but the day it runs from is a choice, and so is what makes contact."""
    approved = approved_text()
    assert load_policy(write_policy(tmp_path, approved)).standing("R1") == ("choice", "approved")
    start = approved.index("  relationship_start:")
    at = approved.index("    approval: {", start)
    end = approved.index("\n", at)
    text = f"{approved[:at]}    approval: {{state: none}}{approved[end:]}"
    policy = load_policy(write_policy(tmp_path, text))
    assert policy.standing("R1") == policy.standing("R3") == ("choice", "none")
    assert policy.standing("R4") == ("choice", "approved")


def test_each_rule_is_shown_in_the_policys_own_words() -> None:
    policy = load_policy(SHIPPED)
    shown = rule_clauses(policy)
    assert set(shown) == {rule.id for rule in policy.rules}
    assert (shown["R1"].clause, shown["R1"].period) == ("§ 6", "6 months")
    assert "slettet etter 6 måneder" in shown["R1"].quote
    assert shown["R4"].period is None
    assert shown["R5"].reasons[0].startswith("bokføringsloven § 13")
    assert shown["R1"].defect is None


def test_the_rule_of_the_broken_sentence_shows_the_defect() -> None:
    shown = rule_clause(load_policy(SHIPPED), "R3")
    assert "no main clause" in str(shown.defect)


def test_no_such_rule() -> None:
    with pytest.raises(KeyError):
        rule_clause(load_policy(SHIPPED), "R7")


@pytest.mark.parametrize(("reading", "without"), [("A", "R3"), ("B", "R2"), ("both", None)])
def test_a_single_reading_leaves_one_group_to_a_person(
    tmp_path: Path, reading: str, without: str | None
) -> None:
    """Under A or B the text has no period for one group: however approved, it is a proposal."""
    text = edited_text(("value: both", f"value: {reading}"), text=approved_text())
    policy = load_policy(write_policy(tmp_path, text))
    for rule_id in ("R1", "R2", "R3"):
        expected = "none" if rule_id == without else "approved"
        assert policy.standing(policy.rule(rule_id).id) == ("choice", expected)
        assert policy.rule(rule_id).period.value is not None


def test_a_version_whose_text_is_mended_has_no_broken_sentence(tmp_path: Path) -> None:
    whole = shipped_text()
    start, end = whole.index("  broken_sentence:"), whole.index("  relationship_start:")
    policy = load_policy(write_policy(tmp_path, whole[:start] + whole[end:]))
    assert rule_clause(policy, "R3").defect is None
