"""Coverage: what landed against what is declared, what is withheld, and what is exempt and why.

Belongs here: laying that part of the document out. Does not belong here: the comparison itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from retention.language import N_
from retention.report.render.blocks import (
    Block,
    Cell,
    Head,
    Paragraph,
    Section,
    Table,
    plain,
)
from retention.report.render.context import Context

Part = Mapping[str, Any]


def coverage_section(context: Context) -> Section:
    """Counts, tables set aside or withheld, findings, exemptions."""
    speaker, coverage = context.speaker, context.document["coverage"]
    blocks: list[Block] = [
        Paragraph(
            context.rich(
                "{landed} tables have landed: {governed} governed, {exempt} exempt, {undeclared} neither."
                " Declarations cover {declared} tables; a connector that is not in use need not be there."
                " From the database's own catalogue; no row is read for it.",
                landed=coverage["landed"],
                governed=coverage["governed"],
                exempt=len(coverage["exempt"]),
                undeclared=coverage["undeclared"],
                declared=coverage["declared"],
            )
        ),
        _findings(context, coverage["findings"]),
        _set_aside(context, coverage),
    ]
    if coverage["exempt"]:
        title = speaker.say("Exempt tables: declared to hold no personal data")
        blocks.append(_exempt(context, title, coverage["exempt"]))
    if coverage["exempt_columns"]:
        title = speaker.say("Exempt columns: declared to hold no personal data")
        blocks.append(_exempt(context, title, coverage["exempt_columns"]))
    return Section("coverage", speaker.say("Coverage"), speaker.say("Coverage"), tuple(blocks))


def _findings(context: Context, findings: Sequence[Part]) -> Block:
    speaker = context.speaker
    if not findings:
        return context.empty(speaker.say("Every landed table and column is declared or exempt."))
    return Table(
        speaker.say("Tables and columns that are not as declared"),
        (
            Head(speaker.say("Finding")),
            context.head("table"),
            context.head("column"),
            context.head("severity"),
            context.head("since"),
        ),
        (
            tuple(
                (
                    Cell(plain(context.word("finding", one["kind"])), header=True),
                    Cell(plain(one["table"], "code")),
                    _or_dash(one["column"], "code"),
                    context.code("severity", one["severity"]),
                    _or_dash(speaker.day(one["since"])),
                )
                for one in findings
            ),
        ),
    )


def _set_aside(context: Context, coverage: Part) -> Block:
    """Tables of which nothing is classified, and those of which nothing is purged, in one list."""
    speaker = context.speaker
    withheld = {one["table"]: one["why"] for one in coverage["withheld"]}
    tables = sorted({*withheld, *coverage["set_aside"]})
    if not tables:
        return context.empty(speaker.say("No table is set aside, and none is withheld."))
    return Table(
        speaker.say("Tables set aside or withheld"),
        (
            context.head("table"),
            Head(speaker.say("What it means")),
            context.head("reason"),
        ),
        (
            tuple(
                (
                    context.table(table),
                    Cell(
                        plain(
                            speaker.say("set aside: not classified, nothing is purged")
                            if table in coverage["set_aside"]
                            else speaker.say("withheld: nothing is purged")
                        )
                    ),
                    Cell(context.reason(withheld[table]))
                    if table in withheld
                    else Cell(plain("–"), tone="zero"),
                )
                for table in tables
            ),
        ),
    )


def _exempt(context: Context, title: str, parts: Sequence[Part]) -> Block:
    by_column = "column" in parts[0]
    heads = [context.head("table")]
    heads += [context.head("column")] if by_column else []
    heads += [
        context.head("reason"),
        Head(context.speaker.say(N_("Owner"))),
        Head(context.speaker.say(N_("Looked at again"))),
    ]
    return Table(
        title,
        tuple(heads),
        (
            tuple(
                (
                    context.table(one["table"]),
                    *((Cell(plain(one["column"], "code")),) if by_column else ()),
                    Cell(context.policy(one["reason"])),
                    Cell(plain(one["owner"])),
                    Cell(plain(context.speaker.day(one["review_on"]))),
                )
                for one in parts
            ),
        ),
    )


def _or_dash(text: str | None, style: str = "") -> Cell:
    return Cell(plain(text, style)) if text else Cell(plain("–"), tone="zero")
