"""A finding in words: what is the matter, and what to do next.

Belongs here: one sentence and one step a kind of finding. Does not belong here: where they are shown.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from retention.coverage.model import Finding, FindingKind
from retention.settings import Settings

_SAID: Mapping[FindingKind, str] = {
    FindingKind.UNDECLARED_SCHEMA: "schema {what} is not declared: {detail}",
    FindingKind.UNDECLARED_TABLE: "{what} is neither declared nor exempt{seen}",
    FindingKind.UNDECLARED_VIEW: "view {what} is neither declared nor exempt{seen}",
    FindingKind.UNDECLARED_MATERIALIZED_VIEW: (
        "materialized view {what} is neither declared nor exempt{seen}"
    ),
    FindingKind.UNDECLARED_FOREIGN_TABLE: "foreign table {what} is neither declared nor exempt{seen}",
    FindingKind.UNDECLARED_COLUMN: "{what} is neither declared nor harmless{seen}",
    FindingKind.MISSING_TABLE: "{what} is declared and missing{seen}",
    FindingKind.MISSING_COLUMN: "{what} is declared and missing{seen}",
    FindingKind.TYPE_CHANGED: "{what} may read otherwise, for its type changed: {detail}",
    FindingKind.TYPE_DIFFERS: "{what} has another type, which changes nothing: {detail}",
    FindingKind.COLUMN_NOT_NULLABLE: (
        "{what} is declared `not_required_by: [accounting]` but cannot become null: nothing of its table"
        " is minimised"
    ),
    FindingKind.PARTITION_DIFFERS: "{what} has a part that differs from it: {detail}",
    FindingKind.HARMLESS_SEEMS_PERSONAL: "{what} is to hold no personal data, and seems to: {detail}",
    FindingKind.EXEMPTION_PAST_DATE: "the exemption of {what} is past its date: {detail}",
    FindingKind.COPY_UNTRACEABLE: "{what} may hold copies that cannot be traced: {detail}",
    FindingKind.STALE_BUILD: "{what} is left of a build that is over: {detail}",
    FindingKind.UNDECLARED_MODEL: "model {what} {detail}, and nobody says for how long",
    FindingKind.MODEL_EXEMPTION_PAST_DATE: (
        "the exemption of model {what} is past its date: {detail}"
    ),
}

_NEXT: Mapping[FindingKind, str] = {
    FindingKind.UNDECLARED_SCHEMA: (
        "`retention onboard {schema}` proposes {file}; or move what nobody needs out of the warehouse"
    ),
    FindingKind.UNDECLARED_TABLE: "declare or exempt it: {file}, tables: `- name: {table}`",
    FindingKind.UNDECLARED_VIEW: (
        "drop it, build it with dbt, or exempt it: {file}, tables: `- name: {table}`"
    ),
    FindingKind.UNDECLARED_MATERIALIZED_VIEW: (
        "drop it, build it with dbt, or exempt it: {file}, tables: `- name: {table}`"
    ),
    FindingKind.UNDECLARED_FOREIGN_TABLE: (
        "drop it, or exempt it: {file}, tables: `- name: {table}`; no purge can reach its rows"
    ),
    FindingKind.UNDECLARED_COLUMN: (
        "{file}, {table}: list `{column}` under `personal`, `harmless` or `exempt_columns` of"
        " `config.meta.retention`"
    ),
    FindingKind.MISSING_TABLE: (
        "look at the connector; where the table is gone for good, take `- name: {table}` out of {file},"
        " or say `optional: true` if no deadline rests on its rows"
    ),
    FindingKind.MISSING_COLUMN: (
        "look at the connector; where the column is gone for good, take `{column}` out of {table} in"
        " {file}"
    ),
    FindingKind.TYPE_CHANGED: (
        "see that keys and dates of {table} still read as they did, then say so: `types: {{{column}: …}}`"
        " with the new type, in {file}; until then the table is set aside"
    ),
    FindingKind.TYPE_DIFFERS: "{file}, {table}: mend `types: {{{column}: …}}`",
    FindingKind.COLUMN_NOT_NULLABLE: (
        "let `{column}` of {schema}.{table} become null, or take `not_required_by` off it in {file}"
    ),
    FindingKind.PARTITION_DIFFERS: (
        "make the part like {schema}.{table}, or declare it by its own name in {file}"
    ),
    FindingKind.HARMLESS_SEEMS_PERSONAL: (
        "look at its values: {file}, {table}: list `{column}` under `personal`, or under `exempt_columns`"
        " with the reason"
    ),
    FindingKind.EXEMPTION_PAST_DATE: (
        "look at it again: {file}, {table}: a new `review_on` under `{place}`, or declare it"
    ),
    FindingKind.COPY_UNTRACEABLE: (
        "keep the key of the record, unchanged, in each row of {schema}.{table}, or drop it"
    ),
    FindingKind.STALE_BUILD: "look at it, and drop {schema}.{table}",
    FindingKind.UNDECLARED_MODEL: (
        "keep the key of the record in each row of {table}; or say why it holds nothing personal:"
        " `config.meta.retention.exempt: {{reason, owner, review_on}}` on it, or on its folder"
    ),
    FindingKind.MODEL_EXEMPTION_PAST_DATE: (
        "look at {table} again: a new `review_on` under `config.meta.retention.exempt`, on it or on its"
        " folder"
    ),
}


_RENAMED: Mapping[FindingKind, str] = {
    FindingKind.MISSING_TABLE: "if {now} is the same table, declare it by that name: {file}",
    FindingKind.MISSING_COLUMN: (
        "if it is the same column, write `{now}` for `{column}` in {table} in {file}"
    ),
}


def said(finding: Finding) -> str:
    """What is the matter, in one sentence. Names, types and dates, never a value."""
    what = f"{finding.qualified}.{finding.column}" if finding.column else finding.qualified
    seen = f", {finding.detail}" if finding.detail else ""
    seen += f": was it renamed to {finding.renamed_to}?" if finding.renamed_to else ""
    return _SAID[finding.kind].format(what=what, detail=finding.detail, seen=seen)


def next_steps(findings: Iterable[Finding], settings: Settings) -> list[str]:
    """What to do about each: the file and the place in it, or a command."""
    listed = list(findings)
    files = {schema: _file(schema, settings) for schema in {finding.schema for finding in listed}}
    return [
        (_RENAMED if finding.renamed_to else _NEXT)[finding.kind].format(
            schema=finding.schema,
            table=finding.table,
            column=finding.column,
            file=files[finding.schema],
            now=finding.renamed_to,
            place=f"exempt_columns.{finding.column}" if finding.column else "exempt",
        )
        for finding in listed
    ]


def _file(schema: str, settings: Settings) -> Path:
    """The file that declares a schema; a new source's goes where the others are."""
    name = f"_{schema}__sources.yml"
    found = sorted(settings.declarations_dir.glob(f"**/{name}"))
    file = found[0] if found else settings.declarations_dir / schema / name
    return file.relative_to(settings.project) if file.is_relative_to(settings.project) else file
