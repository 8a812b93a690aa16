"""The code hash moves with declarations, models and macros, and with nothing else."""

from pathlib import Path

import pytest

from retention.code_hash import code_hash
from retention.settings import Settings, load_settings

pytestmark = pytest.mark.unit

SOURCES = """
version: 2
sources:
  - name: shop
    tables:
      - name: person
        description: {description}
        config: {{meta: {{retention: {{key: id, subject: {{self: true}}, follows: person,
          collected_at: {anchor}, person: {{}}}}}}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    models = tmp_path / "dbt_project" / "models"
    (models / "staging" / "shop" / "generated").mkdir(parents=True)
    (tmp_path / "dbt_project" / "macros").mkdir()
    (models / "records.sql").write_text("select 1\n")
    (tmp_path / "dbt_project" / "macros" / "m.sql").write_text("{% macro m() %}{% endmacro %}\n")
    settings = load_settings({"RETENTION_PROJECT_DIR": str(tmp_path)})
    declare(settings, "created_at")
    return settings


def declare(settings: Settings, anchor: str, description: str = "Persons") -> None:
    path = settings.declarations_dir / "shop" / "_shop__sources.yml"
    path.write_text(SOURCES.format(anchor=anchor, description=description))


def test_the_same_code_has_the_same_hash_wherever_it_lies(
    project: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = code_hash(project)
    assert code_hash(project) == before
    models = project.dbt_dir / "models"
    (models / "staging" / "shop" / "generated" / "stg_shop__person.sql").write_text("anything")
    (models / "_models.yml").write_text("version: 2\n")
    (models / "records.sql").write_bytes(b"select 1\r\n")
    assert code_hash(project) == before


@pytest.mark.parametrize(
    "place",
    [
        "models/records.sql",
        "macros/m.sql",
        "models/new.sql",
        "models/new.py",
        "snapshots/people.sql",
        "snapshots/people.yml",
    ],
)
def test_a_changed_model_or_macro_changes_it(project: Settings, place: str) -> None:
    before = code_hash(project)
    path = project.dbt_dir / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("select 2\n")
    assert code_hash(project) != before


def test_a_changed_declaration_changes_it(project: Settings) -> None:
    before = code_hash(project)
    declare(project, "updated_at")
    assert code_hash(project) != before
