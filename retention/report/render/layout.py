"""A report's document laid out in one language, for any medium.

Belongs here: the order of what is read, and the headline. Does not belong here: a part's own layout, and
how anything looks (html.py, pdf.py).

The same document and language give the same layout: nothing else is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from retention.language import Speaker
from retention.report.render import charts
from retention.report.render.appendix import classified_at, provenance_section, queries_section
from retention.report.render.blocks import (
    Block,
    Page,
    Paragraph,
    Section,
    Spans,
    joined,
    plain,
)
from retention.report.render.concept import concept_blocks
from retention.report.render.context import Context, short
from retention.report.render.coverage import coverage_section
from retention.report.render.generic import table_of
from retention.report.render.headline import headline_section, lead
from retention.report.render.lineage import lineage_section
from retention.report.render.plans import plan_table
from retention.report.render.policy import policy_section, rules_section
from retention.report.render.population import by_category, by_table
from retention.report.render.processing import processing_section
from retention.report.render.sections import INTRODUCTIONS, SHORT, WISHES

# What stands in place of a figure's own table; a figure under no key of it is told with another.
_BY_HAND: Mapping[str, Callable[[Context], list[Block]]] = {
    "population": lambda context: [*charts.population(context), by_category(context)],
    "landed": lambda context: [by_table(context)],
    "overdue": lambda context: [*charts.overdue(context), _own(context, "overdue")],
    "calendar": lambda context: [*charts.calendar(context), _own(context, "calendar")],
    "plans": lambda context: [plan_table(context)],
    "evidence": lambda context: [],
}

# Parts of the document that are no figures, each after the section that it belongs behind.
_AFTER: Mapping[str, Callable[[Context], Section]] = {
    "blockers": coverage_section,
    "recipients": processing_section,
    "concept": lineage_section,
}
_PARTS = {"blockers": "coverage", "recipients": "processing", "concept": "lineage"}


def lay_out(document: Mapping[str, Any], speaker: Speaker) -> Page:
    """The whole report. Raises KeyError for a document that is not a report's."""
    context = Context(document, speaker)
    made_from, policy = document["made_from"], document["policy"]
    numbers = {name: place for place, name in enumerate(document["figures"], start=1)}
    sections = [headline_section(context), policy_section(context), rules_section(context)]
    for told in document["sections"]:
        sections.append(_section(context, told))
        after = _AFTER.get(told["id"])
        if after and _PARTS[told["id"]] in document:
            sections.append(after(context))
    sections += [provenance_section(context), queries_section(context, numbers)]
    day = speaker.long_day(made_from["as_of"])
    return Page(
        language=context.language,
        made_at=made_from["classified_at"] or f"{made_from['as_of']}T00:00:00+00:00",
        title=speaker.say(
            "Retention report, {controller}, as of {day}", controller=policy["controller"], day=day
        ),
        kicker=speaker.say("Retention report · {controller}", controller=policy["controller"]),
        heading=speaker.say("Replay of the retention as of {day}", day=day)
        if made_from["is_replay"]
        else speaker.say("Retention as of {day}", day=day),
        lead=lead(context),
        terms=(
            (
                speaker.say("Policy"),
                context.rich(
                    "{version}, in force since {day}",
                    version=policy["version"],
                    day=speaker.day(policy["effective_from"]),
                ),
            ),
            (speaker.say("Database"), plain(made_from["database"])),
            (speaker.say("Classified"), classified_at(context)),
            (speaker.say("Policy hash"), plain(short(made_from["policy_hash"]), "code")),
        ),
        sections=tuple(sections),
        footer=_footer(context),
        numbers=numbers,
        words={
            "contents": speaker.say("Contents"),
            "skip": speaker.say("Skip to the headline figures"),
            "query": speaker.say("Query"),
            "queries": speaker.say("Queries"),
            "page": speaker.say("Page"),
            "chart": speaker.say("Chart"),
        },
    )


def _section(context: Context, told: Mapping[str, Any]) -> Section:
    """A section of the document: its introduction, then its figures in reading order."""
    speaker, name = context.speaker, told["id"]
    blocks: list[Block] = []
    if name in INTRODUCTIONS:
        days = context.document["policy"]["days"]
        blocks.append(Paragraph(context.rich(INTRODUCTIONS[name], **days)))
    if name == "population":
        blocks.append(Paragraph(_reconciled(context)))
    if name == "concept" and "concept" in context.document:
        blocks += concept_blocks(context)
    for figure in told["figures"]:
        by_hand = _BY_HAND.get(figure)
        blocks += by_hand(context) if by_hand else [_own(context, figure)]
    title = speaker.say(told["title"])
    short_title = speaker.say(SHORT[name]) if name in SHORT else title
    return Section(name, title, short_title, tuple(blocks))


def _own(context: Context, figure: str) -> Block:
    return table_of(context, figure, WISHES.get(figure))


def _reconciled(context: Context) -> Spans:
    tables = context.document["headline"]["unreconciled_tables"]
    if not tables:
        return context.rich("Every table reconciles with landing to the row.")
    return joined(
        [
            plain(
                context.speaker.plural(
                    "{n} table does not reconcile with landing:",
                    "{n} tables do not reconcile with landing:",
                    tables,
                ),
                "strong",
            ),
            context.rich("rows came or went since the classification, or the table is set aside."),
        ],
        " ",
    )


def _footer(context: Context) -> tuple[Spans, ...]:
    made_from = context.document["made_from"]
    return (
        context.rich(
            "Policy hash `{policy}`, code hash `{code}`.",
            policy=made_from["policy_hash"],
            code=made_from["code_hash"] or "–",
        ),
        context.rich(
            "No personal value stands in this report; records are named by their keys in the sample alone,"
            " where no key is personal. The same database and policy give the same pages, byte for byte;"
            " the time shown is that of the recorded run. Made by sletteplikt."
        ),
    )
