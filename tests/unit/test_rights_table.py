"""The decision table can be read, is complete in itself, and quotes the policy as it is written.

Belongs here: the page and the lives that it is told with. Does not belong here: what the system decides
(integration/test_rights_stories.py).
"""

import re
from datetime import date

import pytest

from retention.policy import load_policy
from retention.policy.periods import parse_period
from retention.rights.model import Right
from tests.policies import SHIPPED
from tests.rights_stories import tell
from tests.rights_table import NONE, PAGE, Line, locks, stories

pytestmark = pytest.mark.unit

LINES = stories()
POLICY_TEXT = PAGE.parents[2] / "shared" / "policy" / "personvern-2023-01-12.no.txt"


def test_there_are_enough_stories_and_each_has_its_number() -> None:
    assert len(LINES) >= 40
    assert [line.number for line in LINES] == list(range(1, len(LINES) + 1))


def test_every_right_and_every_kind_of_person_has_a_story() -> None:
    assert {line.asserted for line in LINES} == {str(right) for right in Right}
    kinds = {kind.id.replace("_", " ") for kind in load_policy(SHIPPED).subject_kinds}
    named = {line.who.replace("e-mail", "email") for line in LINES}
    assert named == kinds | {"union lead"}


@pytest.mark.parametrize(
    ("fact", "states"),
    [
        ("partner", {NONE, "joint", "referred", "referred silent"}),
        ("assignment", {NONE, "open", "finished", "past"}),
        ("accounting", {NONE, "kept", "past"}),
    ],
)
def test_every_state_of_a_life_meets_an_erasure(fact: str, states: set[str]) -> None:
    assert states <= {getattr(line, fact) for line in LINES if line.asserted == "erasure"}


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_story_says_what_becomes_of_each_of_its_records(line: Line) -> None:
    told = tell(line, date(2026, 11, 23))
    assert line.outcomes.keys() == told.kinds.keys()


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_story_names_a_clause_or_a_law(line: Line) -> None:
    assert re.search(r"§ \d|art\. \d|rules? \d", line.because)


def test_only_recipients_of_the_policy_are_told() -> None:
    known = {recipient.id for recipient in load_policy(SHIPPED).recipients if recipient.notify}
    assert set().union(*(line.told for line in LINES)) <= known | {"partner"}


def test_the_periods_of_locks_are_those_of_the_policy() -> None:
    policy = load_policy(SHIPPED)
    months = {key: period.months for key, period in locks().items()}
    types, classes = policy.assignment_types, policy.accounting.classes
    assert months == {
        ("R4", ""): _months(types["ordinary_advice"].period),
        ("R4", "will"): _months(types["will"].period),
        ("R5", "primary"): _months(classes["primary"].period),
        ("R5", "secondary"): _months(classes["secondary"].period),
    }


def test_the_page_quotes_the_policy_as_it_is_written() -> None:
    if not POLICY_TEXT.is_file():
        pytest.skip("the policy text is not beside this clone")
    quotes = re.findall(r"«([^»]+)»", " ".join(PAGE.read_text(encoding="utf-8").split()))
    policy = " ".join(POLICY_TEXT.read_text(encoding="utf-8").split())
    assert [quote for quote in quotes if len(quote) > 1 and quote not in policy] == []


def _months(period: str) -> int:
    return parse_period(period).months
