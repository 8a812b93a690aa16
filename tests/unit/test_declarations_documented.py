"""docs/declarations.md names every key, and its example holds."""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from retention.declarations import TableDeclaration, load_declarations
from retention.declarations.parts import PERSONAL_KINDS

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "declarations.md").read_text(encoding="utf-8")
# These come from the dbt source itself.
NOT_KEYS = {"schema_", "name", "description", "schema_optional"}


def keys_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[str]:
    """The keys that may stand in a declaration, those of its parts included."""
    seen.add(model)
    found: set[str] = set()
    for name, field in model.model_fields.items():
        if model is TableDeclaration and name in NOT_KEYS:
            continue
        found.add(field.alias or name)
        for part in parts_of(field.annotation):
            if part not in seen:
                found |= keys_of(part, seen)
    return found


def parts_of(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for one in get_args(annotation) for part in parts_of(one)]


def test_every_key_and_kind_is_named() -> None:
    keys = keys_of(TableDeclaration, set())
    assert "counts_when" in keys
    words = set(re.findall(r"[A-Za-z_]+", TEXT))
    assert sorted((keys | set(PERSONAL_KINDS)) - words) == []


def test_the_example_is_a_declaration(tmp_path: Path) -> None:
    example = next(block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
    person = yaml.safe_load(
        "{name: crm, tables: [{name: person, config: {meta: {retention: {key: id, subject: {self: true},"
        " follows: review}}}}]}"
    )
    sources = yaml.safe_load(example)["sources"]
    folder = tmp_path / "desk"
    folder.mkdir()
    text = yaml.safe_dump({"sources": [*sources, person]})
    (folder / "_desk__sources.yml").write_text(text, encoding="utf-8")
    ticket = load_declarations(tmp_path).table("desk.ticket")
    assert ticket is not None
    assert ticket.follows == "person"
    assert ticket.owner == "data-platform@example.org"
