"""What the policy says, where it is unclear, and the rules with their standing.

Belongs here: laying the policy's part of the document out. Does not belong here: the policy's own words;
its quotes stay in its language, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention.language import N_, Span
from retention.report.render.blocks import (
    Block,
    Cell,
    Head,
    Heading,
    Notice,
    Paragraph,
    Points,
    Section,
    Spans,
    Table,
    joined,
    plain,
)
from retention.report.render.context import Context

Part = Mapping[str, Any]

_BROKEN = "broken_sentence"

# Where a rule's period comes from that is no duration of its own.
_PERIODS_FROM: Mapping[str, str] = {
    "assignment_types": N_("by type of assignment"),
    "accounting_classes": N_("by class of material"),
    "followed_record": N_("as long as what it belongs to"),
    "hindrance": N_("until the hindrance ends"),
    "instruction": N_("by the partner's instruction"),
    "none": N_("no clock runs"),
}

_PERIODS = (
    (
        "assignment_types",
        N_("Periods by type of assignment (R4)"),
        N_("A type that is not listed, or whose period nobody approved, is under review."),
    ),
    (
        "accounting_classes",
        N_("Periods by class of accounting material (R5)"),
        N_("Counted from the end of the fiscal year."),
    ),
    (
        "supporting_periods",
        N_("Shorter periods of supporting records"),
        N_("The earlier end holds: this one, or that of the person or assignment."),
    ),
)


def policy_section(context: Context) -> Section:
    """What the policy says, and its defects, the broken sentence first."""
    policy, speaker = context.document["policy"], context.speaker
    title = Span(policy["title"], "quote", policy["language"])
    about = context.rich(
        "of {controller}, as code: version `{version}`. What stands in quotation marks is the"
        " policy's own text.",
        controller=policy["controller"],
        version=policy["version"],
    )
    others = tuple(
        joined(
            [
                plain(defect["clause"], "strong"),
                plain(defect["quote"], "quote", policy["language"]),
                context.policy(defect["notice"]),
            ],
            " ",
        )
        for defect in policy["defects"]
        if defect["id"] != _BROKEN
    )
    blocks: list[Block] = [
        Paragraph((title, Span(" "), *about)),
        *(_broken(context, defect) for defect in policy["defects"] if defect["id"] == _BROKEN),
        Heading(speaker.say("Other places that the owner of the policy should mend")),
        Points(others),
    ]
    return Section(
        "policy",
        speaker.say("What the policy says, and where it is unclear"),
        speaker.say("Policy"),
        tuple(blocks),
    )


def _broken(context: Context, defect: Part) -> Notice:
    policy, speaker = context.document["policy"], context.speaker
    readings = [reading for reading in policy["readings"] if reading["id"] == _BROKEN]
    return Notice(
        speaker.say("Defect of the policy: a broken sentence in {clause}", clause=defect["clause"]),
        Span(f"… {defect['quote']} …", "quote", policy["language"]),
        (
            (context.policy(defect["notice"]),),
            tuple(line for reading in readings for line in _reading(context, reading)),
        ),
    )


def _reading(context: Context, reading: Part) -> list[Spans]:
    answer = {"both": N_("both"), "A": N_("A"), "B": N_("B")}.get(reading["answer"])
    said = context.speaker.say(answer) if answer else str(reading["answer"])
    return [
        joined(
            [
                context.rich("*Reading in force: {answer}.*", answer=said),
                context.policy(reading["question"]),
            ],
            " ",
        ),
        context.policy(reading["reason"]),
        joined(
            [
                plain(context.word("approval", reading["approval"]), "strong"),
                context.rich("decided in `{file}`", file=reading["decided_in"]),
            ],
            ", ",
        ),
    ]


def rules_section(context: Context) -> Section:
    """The rules, each with its clause, its period and how it stands."""
    speaker = context.speaker
    policy = context.document["policy"]
    table = Table(
        speaker.say("Rules"),
        tuple(
            Head(speaker.say(title))
            for title in (
                N_("Rule"),
                N_("Clause and meaning"),
                N_("Period"),
                N_("Counted from"),
                N_("When due"),
                N_("Standing"),
            )
        ),
        (tuple(_rule(context, rule) for rule in policy["rules"]),),
    )
    periods = tuple(
        _periods(context, speaker.say(title), speaker.rich(note), policy[part])
        for part, title, note in _PERIODS
        if policy[part]
    )
    return Section(
        "rules",
        speaker.say("The rules, each with its clause and approval"),
        speaker.say("Rules"),
        (
            Paragraph(
                context.rich(
                    "A value that the text does not state is a default from law or a choice. It leads to a"
                    " purge only when somebody approved it; “example only” counts in the sample warehouse"
                    " and nowhere else."
                )
            ),
            table,
            *periods,
        ),
    )


def _rule(context: Context, rule: Part) -> tuple[Cell, ...]:
    speaker = context.speaker
    category = rule["category"]
    named = context.word("category", category) if category else speaker.say("the record's own")
    clause = rule["clause"]
    if rule["defect"]:
        clause = f"{clause} ({speaker.say('broken sentence')})"
    return (
        Cell(plain(rule["id"], "strong"), (plain(named),), header=True),
        Cell(
            plain(rule["quote"], "quote", context.document["policy"]["language"]),
            (joined([plain(f"{clause}."), context.policy(rule["summary"])], " "),),
        ),
        Cell(
            plain(period_words(context, rule["period_iso"], rule["period_from"])),
            (context.rich("at least: ends on a working day"),) if rule["is_minimum"] else (),
        ),
        Cell(context.policy(rule["trigger"])),
        Cell(plain(context.word("disposition", rule["disposition"])), _carried_out(context, rule)),
        _standing(context, rule),
    )


def _carried_out(context: Context, rule: Part) -> tuple[Spans, ...]:
    if rule["unattended"]:
        return (context.rich("may run unattended"),)
    if rule["disposition"] == "purge":
        return (context.rich("with a person's approval"),)
    return ()


def _standing(context: Context, rule: Part) -> Cell:
    cell = context.code("approval", rule["approval"])
    small = [
        context.rich("least approved part: {mark}", mark=context.word("mark", rule["mark"]))
    ] * (rule["mark"] != "text")
    small += [
        plain(f"{one['by']}, {context.speaker.day(one['on'])}: {one['source']}")
        for one in rule["approvals"]
        if one["state"] == "approved"
    ]
    return Cell(cell.spans, tuple(small), chip=cell.chip)


def _periods(context: Context, title: str, note: Spans, parts: list[Part]) -> Table:
    speaker = context.speaker
    return Table(
        title,
        tuple(
            Head(speaker.say(head))
            for head in (N_("Name"), N_("What it is"), N_("Period"), N_("Basis"), N_("Standing"))
        ),
        (
            tuple(
                (
                    Cell(plain(part["norwegian"], lang=_unless(context, "nb")), header=True),
                    Cell(context.policy(part["description"])),
                    Cell(plain(context.speaker.period(part["period_iso"]))),
                    Cell(context.policy(part["basis"])),
                    context.code("approval", part["approval"]),
                )
                for part in parts
            ),
        ),
        note=note,
    )


def _unless(context: Context, language: str) -> str | None:
    return None if context.language == language else language


def period_words(context: Context, duration: str | None, period_from: str) -> str:
    """A rule's period: its duration, or where it comes from."""
    if duration:
        return context.speaker.period(duration)
    return context.speaker.say(_PERIODS_FROM[period_from])
