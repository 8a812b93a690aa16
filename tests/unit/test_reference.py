"""docs/reference/ is what the code makes of itself, and leaves nothing out.

`make reference` writes the pages anew. The page about SQL is compared where there is a database.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import environment, files
from docs.generate.__main__ import FOLDER, PAGES, SQL_PAGE
from docs.generate.finding_words import SECTIONS
from docs.generate.policy_file import keys, parts_below
from retention.coverage import FindingKind
from retention.keys.material import Place
from retention.policy.model import Policy
from retention.policy.values import Marked
from retention.settings import load_settings

ROOT = load_settings({}).project
PACKAGES = ("retention", "landing", "expectations", "orchestration", "cli", "verifier")
AGAIN = "docs/reference/ is behind the code: run `make reference`, and look at the difference"


def code() -> Iterator[str]:
    """Every file that a program of ours consists of, as text."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "dbt_project").glob("*.yml")):
        yield path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "dbt_project" / "macros").rglob("*.sql")):
        yield path.read_text(encoding="utf-8")


def named(pattern: str) -> set[str]:
    return {found for text in code() for found in re.findall(pattern, text)}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_makes_of_itself(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), AGAIN


def test_no_page_is_left_of_something_that_is_gone() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*PAGES, SQL_PAGE}


def test_every_variable_that_the_code_names_is_told() -> None:
    told = {*environment.PLACES, *environment.KEYS, *environment.TOLD, *environment.INTERNAL}
    places = [Place(name, Path()) for name in ("hmac", "signing")]
    read = {
        variable
        for one in places
        for variable in (one.variable, one.command_variable, one.old_variable)
    }
    assert told == read | named(r"(?<![A-Z_])RETENTION_[A-Z_]*[A-Z]\b")


def test_everything_in_the_state_folder_is_told() -> None:
    told = {name.rstrip("/") for name in (*files.KEPT, *files.TRACES, *files.LOCKS)}
    assert told == named(r'\bstate / "([^"/]+)"')


def test_every_kind_of_finding_is_told() -> None:
    schema = json.loads((ROOT / "retention" / "status.schema.json").read_text(encoding="utf-8"))
    kinds = schema["properties"]["findings"]["items"]["properties"]["kind"]["enum"]
    told = [kind for words in SECTIONS.values() for kind in words]
    assert len(told) == len(set(told))
    assert set(kinds) == {*told, *(kind.value for kind in FindingKind)} - {
        # What is missing is said of the status as set aside.
        FindingKind.MISSING_TABLE.value
    }


@pytest.mark.parametrize(
    "part", [Policy, Marked, *parts_below(Policy)], ids=lambda one: one.__name__
)
def test_every_key_of_the_policy_file_says_what_it_means(part: type[Marked]) -> None:
    # Their names are the kinds of finding, and the categories.
    silent = {"FindingRules", "Erasure"}
    missing = [name for name, field in keys(part).items() if not field.description]
    assert part.__name__ in silent or missing == []
