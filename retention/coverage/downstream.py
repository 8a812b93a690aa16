"""What coverage says of relations in which nothing lands: dbt's models, and what nothing accounts for.

Belongs here: from what lineage found to findings of coverage, said once and in its words. Does not belong
here: finding it (`retention.lineage`), and how bad it is (`judge`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg

from retention.coverage.differences import UNDECLARED
from retention.coverage.model import Coverage, Covered, Finding, FindingKind, State, TableName
from retention.declarations import Declarations
from retention.lineage.account import Account, account
from retention.lineage.manifest import has_manifest
from retention.lineage.unknown import UnknownRelation
from retention.settings import Settings

Connection = psycopg.Connection[Any]


def with_downstream(
    conn: Connection,
    settings: Settings,
    declarations: Declarations,
    coverage: Coverage,
    as_of: date,
) -> Coverage:
    """The same comparison, with the findings of what did not land. Without the manifest of a
    classification nothing can be told of that; `copies_unknown` says so in the status.

    Raises UsageError for an exemption of a model that does not hold."""
    if not has_manifest(settings):
        return coverage
    accounted = account(conn, settings, declarations)
    unknown = {one.relation: one for one in accounted.unknown}
    findings = [
        *_detailed(coverage, unknown),
        *_of_unknown(coverage, unknown),
        *_of_copies(accounted, unknown),
        *_of_models(accounted, as_of),
    ]
    return replace(
        coverage,
        findings=tuple(sorted(findings, key=lambda finding: finding.key)),
        relations=tuple(_with_state(one, unknown) for one in coverage.relations),
    )


def _detailed(
    coverage: Coverage, unknown: Mapping[TableName, UnknownRelation]
) -> Iterator[Finding]:
    """The findings of the comparison, but for those that are better told of a single relation."""
    in_schema: dict[str, set[TableName]] = {}
    for one in coverage.landing:
        in_schema.setdefault(one.schema, set()).add((one.schema, one.table))
    for finding in coverage.findings:
        if finding.kind is FindingKind.UNDECLARED_SCHEMA:
            if any(not _is_told(unknown.get(name)) for name in in_schema[finding.schema]):
                yield finding
        elif (finding.schema, finding.table) not in unknown:
            yield finding


def _of_unknown(
    coverage: Coverage, unknown: Mapping[TableName, UnknownRelation]
) -> Iterator[Finding]:
    """A finding for each; in a schema that is undeclared as a whole, for those of which more is known."""
    whole = {finding.schema for finding in coverage.of_kind(FindingKind.UNDECLARED_SCHEMA)}
    before = {(one.schema, one.table): one.detail for one in coverage.findings}
    for name, one in unknown.items():
        known = [before.get(name), one.detail]
        detail = "; ".join(each for each in known if each) or None
        if one.stale:
            yield Finding(*name, None, FindingKind.STALE_BUILD, one.detail)
        elif name[0] not in whole or _is_told(one):
            kind = UNDECLARED.get(one.kind, FindingKind.UNDECLARED_TABLE)
            yield Finding(*name, None, kind, detail)


def _is_told(one: UnknownRelation | None) -> bool:
    return one is not None and one.detail is not None


def _of_copies(
    accounted: Account, unknown: Mapping[TableName, UnknownRelation]
) -> Iterator[Finding]:
    """A finding for each copy that no key leads to, whatever is declared of it."""
    for copy in accounted.untraceable:
        schema, table = copy.relation.split(".", 1)
        if (schema, table) not in unknown:
            detail = f"{copy.why}; nothing is purged from {', '.join(sorted(copy.reaches))}"
            yield Finding(schema, table, None, FindingKind.COPY_UNTRACEABLE, detail)


def _of_models(accounted: Account, as_of: date) -> Iterator[Finding]:
    for model in accounted.models.undeclared:
        yield Finding(*model.relation, None, FindingKind.UNDECLARED_MODEL, model.detail)
    for one in accounted.models.exempt:
        if one.exempt.is_past(as_of):
            yield Finding(
                *one.relation,
                None,
                FindingKind.MODEL_EXEMPTION_PAST_DATE,
                one.exempt.appointment,
                since=one.exempt.review_on,
            )


def _with_state(one: Covered, unknown: Mapping[TableName, UnknownRelation]) -> Covered:
    """What is left in a schema of ours was not built by us."""
    if (one.schema, one.table) not in unknown or one.state is not State.BUILT:
        return one
    return replace(one, state=State.FINDING, columns=dict.fromkeys(one.columns, State.FINDING))
