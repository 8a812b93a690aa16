"""The labelled set is whole: known words, no column twice, and a split that no hand has touched.

Belongs here: the labels by themselves. Does not belong here: whether they name every landed column
and how the scan does on them; that takes a database.
"""

from collections import Counter

import pytest

from retention.declarations.parts import PERSONAL_KINDS
from tests.detection.labels import all_labels, family, split

pytestmark = pytest.mark.unit


def test_every_label_is_one_of_the_known_words() -> None:
    for label in all_labels():
        assert label.source in {"files", "sample"}, label
        assert label.kind in {*PERSONAL_KINDS, "none"}, label
        assert label.form in {"natural", "masked", "empty"}, label
        assert label.class_ in {"identifier", "name_or_address", "other", ""}, label
        assert label.personal == bool(label.class_), label


def test_no_column_is_labelled_twice() -> None:
    names = Counter((label.source, *label.name) for label in all_labels())
    assert [name for name, times in names.items() if times > 1] == []


def test_the_part_of_every_column_follows_from_the_names_of_tables() -> None:
    held_out = split([(x.source, *x.name, x.kind, x.form, x.class_) for x in all_labels()])
    for label in all_labels():
        expected = "held_out" if family(label.schema, label.table) in held_out else "tune"
        assert label.part == expected, label


def test_variants_of_a_table_are_in_one_part() -> None:
    parts = {(x.schema, x.table): x.part for x in all_labels()}
    for one, other in (
        (("twilio", "call"), ("twilio", "call_snowflake")),
        (("stripe", "discount"), ("stripe", "discount_postgres")),
        (("ga4_export", "event"), ("google_analytics", "event")),
        (("fivetran_log", "log"), ("fivetran_log", "log_json")),
    ):
        assert parts[one] == parts[other]


def test_a_third_is_held_out_and_every_class_is_in_both_parts() -> None:
    labels = all_labels()
    held_out = [label for label in labels if label.part == "held_out"]
    assert 0.28 < len(held_out) / len(labels) < 0.38
    for part in ("tune", "held_out"):
        natural = {x.class_ for x in labels if x.part == part and x.form == "natural"}
        assert natural == {"identifier", "name_or_address", "other", ""}
