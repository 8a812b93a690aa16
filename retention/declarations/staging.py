"""Writes one dbt staging model per declared table, and the seed that describes them.

Belongs here: the generated files, written before dbt parses (dbt makes no model from YAML). Does not
belong here: the SQL of the facts (`facts`).

A generated file is rewritten only when its text differs, so that dbt's partial parse stays warm.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from retention.declarations.facts import COLUMNS, describe, known_by, select_facts
from retention.declarations.model import Declarations, TableDeclaration
from retention.files import replace_text
from retention.warehouse.sql import quote_identifier

GENERATED = "generated"


def live_sql(table: TableDeclaration) -> str:
    """The record facts of `table` as they stand in its landing table now, to be compared with those
    that were classified: whether minimisable columns hold a value is not asked."""
    relation = f"{quote_identifier(table.schema_)}.{quote_identifier(table.name)}"
    return select_facts(table, relation)


def staging_sql(table: TableDeclaration) -> str:
    """The dbt model of `table`. A landing table that is absent, lacks a declared column or may read
    otherwise than it did is set aside: the model is then empty and the rest of the job goes on."""
    source = f"source('{table.schema_}', '{table.name}')"
    columns = ", ".join(f"'{column}'" for column in table.columns_used)
    # A connector lands a column once it has a value for it: one that is not there holds none.
    facts = select_facts(
        table,
        "{{ " + source + " }}",
        has_minimisable=_any_landed(source, table.minimisable),
        has_consented=_any_landed(source, table.consented_columns)
        if table.consented_columns
        else str(bool(table.consented)).lower(),
    )
    # No Jinja delimiter can appear in an identifier here.
    return (
        "{#- Generated from the declaration of this table. Change the declaration. -#}\n"
        f"{{% if landing_is_usable({source}, [{columns}], {table.types!r}) %}}\n{facts}\n"
        "{% else %}\n{{ no_facts() }}\n{% endif %}\n"
    )


def _any_landed(source: str, columns: tuple[str, ...]) -> str:
    """The macro's call that says whether one of `columns` holds a value."""
    if not columns:
        return "false"
    listed = ", ".join(f"'{column}'" for column in columns)
    return f"{{{{ any_value({source}, [{listed}]) }}}}"


def write_staging(declarations: Declarations, dbt_dir: Path) -> list[Path]:
    """Writes the staging models, their list and their seed; removes those of tables that are gone.

    Returns the paths that changed.
    """
    models = dbt_dir / "models" / "staging"
    wanted: dict[Path, str] = {
        dbt_dir / "macros" / GENERATED / "declared_staging.sql": _list_macro(declarations),
        dbt_dir / "seeds" / GENERATED / "declared_tables.csv": _seed(declarations),
    }
    for table in declarations.staged:
        path = models / table.schema_ / GENERATED / f"{table.staging_model}.sql"
        wanted[path] = staging_sql(table)
    for old in models.glob(f"*/{GENERATED}/*.sql"):
        if old not in wanted:
            old.unlink()
    return [path for path, text in wanted.items() if replace_text(path, text)]


def _list_macro(declarations: Declarations) -> str:
    names = "".join(f"    '{table.staging_model}',\n" for table in declarations.staged)
    columns = "".join(f"    '{name}': '{kind}',\n" for name, kind in COLUMNS.items())
    landing = "".join(
        f"    {{'schema': '{table.schema_}', 'table': '{table.name}',"
        f" 'columns': {list(table.columns_used)!r}, 'types': {table.types!r}}},\n"
        for table in declarations.governed
    )
    keys = "".join(
        f"    '{table.qualified}': {dict(zip(('column', 'expression'), known_by(table), strict=True))!r},\n"
        for table in declarations.governed
    )
    return (
        "{#- Generated from the declarations: the staging models, and the shape they share. -#}\n"
        "{% macro declared_staging() %}{{ return([\n" + names + "]) }}{% endmacro %}\n"
        "{% macro fact_columns() %}{{ return({\n" + columns + "}) }}{% endmacro %}\n"
        "{% macro governed_landing() %}{{ return([\n" + landing + "]) }}{% endmacro %}\n"
        "{% macro landing_keys() %}{{ return({\n" + keys + "}) }}{% endmacro %}\n"
    )


def _seed(declarations: Declarations) -> str:
    text = io.StringIO()
    rows = [describe(table) for table in declarations.staged]
    fields = list(rows[0]) if rows else ["source_schema", "source_table"]
    writer = csv.DictWriter(text, fieldnames=fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
