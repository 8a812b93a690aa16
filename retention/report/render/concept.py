"""The retention concept: each class of records with its period and starting event, and each table.

Belongs here: laying out what ISO/IEC 27555 asks a concept to hold. Does not belong here: the rules'
standing in detail (policy.py).
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
    Spans,
    Table,
    joined,
    plain,
)
from retention.report.render.context import Context
from retention.report.render.policy import period_words

Part = Mapping[str, Any]


def concept_blocks(context: Context) -> list[Block]:
    """Classes, then tables."""
    concept = context.document["concept"]
    return [
        Paragraph(
            context.rich(
                "After {standard}: the classes of records, each with its period, the event that starts it"
                " and how thoroughly it is erased; then every governed table with its owner, its rules"
                " and the copies that go with it.",
                standard=concept["standard"],
            )
        ),
        _classes(context, concept["classes"]),
        _tables(context, concept["tables"]),
    ]


def _classes(context: Context, classes: Sequence[Part]) -> Block:
    speaker = context.speaker
    heads = (
        *(N_("Class"), N_("Clause"), N_("Period"), N_("Starting event")),
        *(N_("When due"), N_("Level of erasure"), N_("Legal basis")),
    )
    return Table(
        speaker.say("Classes of records"),
        tuple(Head(speaker.say(head)) for head in heads),
        (tuple(_class(context, one) for one in classes),),
    )


def _class(context: Context, one: Part) -> tuple[Cell, ...]:
    speaker = context.speaker
    category = one["category"]
    person = context.rich("with a person's approval") if one["needs_person"] else ()
    is_purged = one["disposition"] == "purge"
    return (
        Cell(
            plain(one["id"], "strong"),
            (plain(context.word("category", category) or speaker.say("the record's own")),),
            header=True,
        ),
        Cell(plain(one["clause"])),
        Cell(plain(period_words(context, one["period"], one["period_from"]))),
        Cell(context.policy(one["trigger"])),
        Cell(
            plain(context.word("disposition", one["disposition"])),
            (person,) if person and is_purged else (),
        ),
        Cell(
            plain(context.word("level", one["level"]) or "–"),
            (context.policy(one["level_reason"]),) if one["level_reason"] else (),
        ),
        Cell(joined([context.policy(law) for law in one["legal_basis"]], "; ")),
    )


def _tables(context: Context, tables: Sequence[Part]) -> Block:
    speaker = context.speaker
    if not tables:
        return context.empty(speaker.say("No governed table has landed."))
    heads = (
        *(N_("Table"), N_("System and owner"), N_("Rules"), N_("Dated by")),
        *(N_("Personal columns"), N_("Copies that go with it")),
    )
    return Table(
        speaker.say("Governed tables"),
        tuple(Head(speaker.say(head)) for head in heads),
        (tuple(_table(context, one) for one in tables),),
    )


def _table(context: Context, one: Part) -> tuple[Cell, ...]:
    return (
        context.table(one["table"]),
        Cell(plain(one["system"]), (plain(one["owner"]),)),
        Cell(plain(", ".join(one["rules"]) or "–"), _own(context, one)),
        Cell(_codes(one["dated_by"]) or plain("–")),
        Cell(_personal(context, one["personal"]) or plain("–")),
        Cell(_codes(one["copies"]) or plain("–"), _stores(context, one["stores"])),
    )


def _own(context: Context, one: Part) -> tuple[Spans, ...]:
    if one["own_period"]:
        period = context.speaker.period(one["own_period"])
        return (context.rich("own period: {period}", period=period),)
    if one["accounting_class"]:
        named = context.word("accounting_class", one["accounting_class"])
        return (plain(named),)
    return ()


def _personal(context: Context, columns: Sequence[Part]) -> Spans:
    kinds: dict[str, list[str]] = {}
    for one in columns:
        kinds.setdefault(one["kind"], []).append(one["column"])
    return joined(
        [
            joined([plain(context.word("data_kind", kind)), _codes(names)], " ")
            for kind, names in sorted(kinds.items())
        ],
        "; ",
    )


def _codes(names: Sequence[str]) -> Spans:
    return joined([plain(name, "code") for name in names], ", ")


def _stores(context: Context, stores: Sequence[str]) -> tuple[Spans, ...]:
    if not stores:
        return ()
    return (context.rich("outside the warehouse: {stores}", stores=", ".join(stores)),)
