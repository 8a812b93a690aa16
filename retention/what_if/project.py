"""The smallest dbt project that classifies by another policy: the models that depend on the policy, built
anew, and a view on each model in force that these read.

Belongs here: which models those are, writing the project, making the views. Does not belong here: running
it (`retention.scratch`).

Whose a record is, what it is linked to and which events there were does not depend on the policy: rule and
period are data (decision 0002). What does is found by following `ref` to the policy's seeds, so that a new
model is built anew or reused by what it reads; a test compares with dbt's own graph.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from retention.policy import Policy, write_seeds
from retention.policy.seeds import SEEDS

Connection = psycopg.Connection[Any]

#: Seeds whose content is the policy's. The holidays are the calendar's.
POLICY_SEEDS = frozenset(name for name in SEEDS if name.startswith("policy_"))

#: What is read of a trial: the records with their grounds, and what `ledger.plannable` asks for.
READ = (
    "records",
    "grounds",
    "int_assignments_decided",
    "int_case_fingerprints",
    "int_person_winners",
    "int_record_candidates",
    "int_record_cases",
)

# The folders of models that may depend on the policy and are read by the records, with their schemas.
_LAYERS = {Path("intermediate"): "intermediate", Path("marts/retention"): "retention"}
_REF = re.compile(r"""\bref\(\s*['"](\w+)['"]\s*\)""")
_SEED_SCHEMA = "policy"
_REUSED = "models/reused"
#: What dbt builds of the project.
SELECTION = ("--exclude", f"path:{_REUSED}", "--exclude-resource-type", "test", "unit_test")
# Everything is read whole, and once: an index costs more than it saves.
_NO_INDEXES = "{% macro postgres__create_indexes(relation) %}{% endmacro %}\n"


@dataclass(frozen=True)
class Parts:
    """The models of a trial: files built anew, and the schema of each one reused, by name."""

    rebuilt: Mapping[str, Path]
    reused: Mapping[str, str]


def parts(dbt_dir: Path) -> Parts:
    """Which models of the project a trial of a policy builds anew, and which it reads as they are."""
    models = {
        path.stem: (path, schema)
        for folder, schema in _LAYERS.items()
        for path in sorted((dbt_dir / "models" / folder).glob("*.sql"))
    }
    reads = {name: set(_REF.findall(path.read_text("utf-8"))) for name, (path, _) in models.items()}
    rebuilt = {name for name in _upstream(READ, reads) if _upstream([name], reads) & POLICY_SEEDS}
    rebuilt -= POLICY_SEEDS
    used = set(READ).union(*(reads[name] for name in rebuilt))
    return Parts(
        rebuilt={name: models[name][0] for name in sorted(rebuilt)},
        reused={
            name: models[name][1] if name in models else _SEED_SCHEMA
            for name in sorted(used - rebuilt - POLICY_SEEDS)
        },
    )


def write_project(dbt_dir: Path, policy: Policy, folder: Path) -> None:
    """Write the trial's project into `folder`, with `policy` as its seeds."""
    found = parts(dbt_dir)
    folder.mkdir(parents=True)
    shutil.copy(dbt_dir / "profiles.yml", folder)
    shutil.copytree(
        dbt_dir / "macros", folder / "macros", ignore=shutil.ignore_patterns("generated")
    )
    (folder / "seeds").mkdir()
    shutil.copy(dbt_dir / "seeds" / "_seeds.yml", folder / "seeds")
    write_seeds(policy, folder / "seeds" / "generated")
    for name in SEEDS.keys() - POLICY_SEEDS:
        (folder / "seeds" / "generated" / f"{name}.csv").unlink()
    for path in (*found.rebuilt.values(), *(dbt_dir / "models").glob("intermediate/*sources.yml")):
        copy = folder / path.relative_to(dbt_dir)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    named = folder / _REUSED
    named.mkdir()
    for name, schema in found.reused.items():
        # Never run: for dbt it is the name of what `reuse` makes, all at once.
        (named / f"{name}.sql").write_text(
            f"{{{{ config(schema='{schema}', materialized='view') }}}} select 1", encoding="utf-8"
        )
    (folder / "macros" / "no_indexes.sql").write_text(_NO_INDEXES, encoding="utf-8")
    (folder / "dbt_project.yml").write_text(
        yaml.safe_dump(_configuration(dbt_dir / "dbt_project.yml")), encoding="utf-8"
    )


def reuse(conn: Connection, dbt_dir: Path, suffix: str) -> None:
    """Make the trial's schemas, and in them a view on each model in force that is reused; commits."""
    for schema in (*_LAYERS.values(), _SEED_SCHEMA):
        conn.execute(sql.SQL("create schema {}").format(sql.Identifier(schema + suffix)))
    for name, schema in parts(dbt_dir).reused.items():
        conn.execute(
            sql.SQL("create view {} as select * from {}").format(
                sql.Identifier(schema + suffix, name), sql.Identifier(schema, name)
            )
        )
    conn.commit()


def _configuration(path: Path) -> object:
    """The project's own, but what is gone in a minute needs no log, and is read once."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    models = content["models"][content["name"]]
    models["+unlogged"] = True
    models["marts"]["retention"]["+materialized"] = "view"
    return content


def _upstream(names: Iterable[str], reads: Mapping[str, set[str]]) -> set[str]:
    """`names` and whatever they read, as far as the models of the trial's layers tell."""
    reached: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += reads.get(name, ())
    return reached
