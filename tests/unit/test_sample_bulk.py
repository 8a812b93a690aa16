"""The many: countable, repeatable, and apart from the stories."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date

import pytest

from landing.sample.bulk import COLUMNS, bulk_blocks
from landing.sample.copy_text import copy_line, copy_value
from landing.sample.stories import tell_all
from landing.sample.tables import TABLES_BY_NAME

pytestmark = pytest.mark.unit

AS_OF = date(2026, 11, 23)

DIGEST = """
import hashlib, sys
from datetime import date
from landing.sample.bulk import bulk_blocks
digest = hashlib.sha256()
for block in bulk_blocks(1500, 7, date(2026, 11, 23)):
    for table, lines in block.items():
        digest.update(table.encode() + "".join(lines).encode())
sys.stdout.write(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def blocks() -> list[dict[str, list[str]]]:
    return list(bulk_blocks(2_500, 1, AS_OF))


def test_each_line_states_the_columns_it_says_it_does(
    blocks: list[dict[str, list[str]]],
) -> None:
    for block in blocks:
        for table, lines in block.items():
            for line in lines:
                assert line.count("\t") == len(COLUMNS[table]) - 1, table
                assert line.count("\n") == 1, table
                assert "\\" not in line.replace("\\N", ""), table


def test_there_are_exactly_as_many_people_as_asked_for(
    blocks: list[dict[str, list[str]]],
) -> None:
    assert sum(len(block["crm.person"]) for block in blocks) == 2_500
    assert [len(block["crm.person"]) for block in blocks] == [1000, 1000, 500]


def test_no_key_comes_twice_nor_meets_a_story(blocks: list[dict[str, list[str]]]) -> None:
    keys: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for block in blocks:
        for table, lines in block.items():
            at = [COLUMNS[table].index(column) for column in TABLES_BY_NAME[table].key]
            keys.update((table, tuple(line.split("\t")[i] for i in at)) for line in lines)
    for story in tell_all(AS_OF).values():
        for table, rows in story.rows.items():
            for row in rows:
                keys[table, tuple(str(row[name]) for name in TABLES_BY_NAME[table].key)] += 1
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_table_of_the_bulk_has_rows(blocks: list[dict[str, list[str]]]) -> None:
    assert [table for table in COLUMNS if not any(block[table] for block in blocks)] == []


def test_a_larger_sample_begins_with_the_smaller_one(
    blocks: list[dict[str, list[str]]],
) -> None:
    assert blocks[:2] == list(bulk_blocks(2_000, 1, AS_OF))


def test_another_seed_and_another_day_give_other_rows() -> None:
    (one,), (other,) = bulk_blocks(50, 1, AS_OF), bulk_blocks(50, 2, AS_OF)
    (earlier,) = bulk_blocks(50, 1, date(2025, 11, 23))
    assert one != other
    assert one != earlier


def test_another_process_with_other_hashes_makes_the_same_rows() -> None:
    """Sets and hashes are ordered by chance in each process: none may reach the rows."""
    here = hashlib.sha256()
    for block in bulk_blocks(1500, 7, AS_OF):
        for table, lines in block.items():
            here.update(table.encode() + "".join(lines).encode())
    for hash_seed in ("0", "4711"):
        there = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout == here.hexdigest()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\\N"),
        (True, "t"),
        (False, "f"),
        (17, "17"),
        (date(2026, 1, 2), "2026-01-02"),
        ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"),
        ("\\N", "\\\\N"),
    ],
)
def test_a_value_is_written_as_copy_reads_it(value: object, text: str) -> None:
    assert copy_value(value) == text  # type: ignore[arg-type]


def test_a_column_a_row_does_not_have_is_null() -> None:
    assert copy_line({"b": 1}, ("a", "b")) == "\\N\t1\n"
