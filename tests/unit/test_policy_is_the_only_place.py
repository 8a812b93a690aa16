"""No period, assignment type or clause stands anywhere but in the policy file.

What is searched is what can decide: string literals and date arithmetic in Python, SQL without its
comments, values in YAML without descriptions and dbt's own unit tests. The sample's generator is
left out: a partner's instruction is landing data there.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from retention.policy import load_policy
from retention.settings import load_settings
from tests.policies import SHIPPED

pytestmark = pytest.mark.unit

ROOT = load_settings({}).project
PACKAGES = ("retention", "landing", "expectations", "orchestration", "cli")
NOT_SEARCHED = ("retention/policy", "landing/sample", "dbt_project/seeds/generated")

PERIOD = re.compile(
    r"\bP(?=\d)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?\b"
    r"|\b\d+[ -]?(?:[mM]onths?|[yY]ears?|[mM]åned(?:er)?|[åÅ]r)\b"
    r"|\b(?:months|years)\s*=>\s*\d"
)


def _searched(*patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith(NOT_SEARCHED) and "/target/" not in place:
                yield path


def python_literals(source: str) -> Iterator[str]:
    """The string literals of a module that are no docstrings, and dates moved by a constant."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("months", "years"):
            moved = node.value.value if isinstance(node.value, ast.Constant) else None
            yield f"{moved} {node.arg}"
        elif isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node.value if isinstance(node.value, str) else ""


def sql_code(source: str) -> str:
    """SQL and Jinja without comments, and without the unit of calendar arithmetic."""
    return re.sub(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*|interval '1 month'", " ", source, flags=re.DOTALL)


def yaml_values(value: Any) -> Iterator[str]:
    """The scalars of a dbt file that can decide something."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("description", "unit_tests"):
                yield from yaml_values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from yaml_values(inner)
    elif isinstance(value, str):
        yield value


def code() -> Iterator[tuple[str, str]]:
    """Every deciding piece of text in the project, with the file it stands in."""
    for path in _searched(*(f"{package}/**/*.py" for package in PACKAGES)):
        for literal in python_literals(path.read_text(encoding="utf-8")):
            yield path.relative_to(ROOT).as_posix(), literal
    for path in _searched("dbt_project/**/*.sql", "retention/**/*.sql"):
        yield path.relative_to(ROOT).as_posix(), sql_code(path.read_text(encoding="utf-8"))
    for path in _searched("dbt_project/**/*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for value in yaml_values(content):
            yield path.relative_to(ROOT).as_posix(), value


def test_no_period_stands_elsewhere() -> None:
    found = {(place, match.group()) for place, text in code() for match in PERIOD.finditer(text)}
    assert found == set()


def test_no_assignment_type_stands_in_code() -> None:
    """Declarations may say which type a table holds; code may not."""
    types = {name for name in load_policy(SHIPPED).assignment_types if "_" in name}
    quoted = re.compile(rf"""(?<![\w])({"|".join(sorted(types))})(?![\w])""")
    found = {
        (place, match.group())
        for place, text in code()
        if not place.endswith(".yml")
        for match in quoted.finditer(text)
    }
    assert found == set()


def test_no_words_of_the_policy_stand_elsewhere() -> None:
    policy = load_policy(SHIPPED)
    starts = {rule.clause.quote[:25] for rule in policy.rules}
    found = {(place, start) for place, text in code() for start in starts if start in text}
    assert found == set()


@pytest.mark.parametrize(
    ("text", "is_period"),
    [
        ("interval '6 months'", True),
        ("make_interval(months => 6)", True),
        ("P3Y6M", True),
        ("etter 12 måneder", True),
        ("10-year", True),
        ("interval '1 day'", False),
        ("period_months", False),
        ("P1 PGDATA", False),
        ("HTTP2D", False),
    ],
)
def test_the_search_would_notice(text: str, is_period: bool) -> None:
    assert bool(PERIOD.search(text)) is is_period


def test_the_search_reads_code_and_skips_prose() -> None:
    source = '"""P6M"""\nX = "P6M"\ny = relativedelta(months=6)\n'
    assert {text for text in python_literals(source) if text} == {"P6M", "6 months"}
    assert "6 months" not in sql_code("select 1 -- 6 months\n/* 6 months */ {# 6 months #}")
    assert "month" not in sql_code("anchor + n * interval '1 month'")
    assert "month" in sql_code("anchor + interval '6 months'")
    assert list(yaml_values({"description": "P6M", "a": ["P7M", {"unit_tests": "P8M"}]})) == ["P7M"]
