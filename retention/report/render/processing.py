"""The record of processing activities (GDPR art. 30(1)), in the order in which the article asks.

Belongs here: laying it out, and saying openly what neither policy nor declarations state. Does not belong
here: how long each class is kept in detail (concept.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from retention.language import N_, Language
from retention.report.render.blocks import (
    Block,
    Cell,
    Head,
    Section,
    Spans,
    Table,
    Terms,
    joined,
    plain,
)
from retention.report.render.context import Context

Part = Mapping[str, Any]


def processing_section(context: Context) -> Section:
    """Controller, purposes, persons, data, systems, recipients."""
    speaker, record = context.speaker, context.document["processing"]
    return Section(
        "processing",
        speaker.say("The record of processing activities (GDPR art. 30)"),
        speaker.say("Art. 30"),
        (
            _controller(context, record),
            _table(
                context,
                N_("Purposes"),
                record["purposes"],
                (N_("Purpose"), lambda one: _translated(context, one, "description", "norwegian")),
                (N_("Legal basis"), lambda one: _laws(context, one["legal_basis"])),
                (N_("In the policy"), lambda one: _stated(context, one)),
                (N_("Clause"), lambda one: _quoted(context, one)),
            ),
            _table(
                context,
                N_("Whose data: categories of data subjects"),
                record["subjects"],
                (N_("Data subjects"), lambda one: context.policy(one["description"])),
                (N_("Rules"), lambda one: plain(", ".join(one["rules"]))),
                (N_("Clause"), lambda one: _quoted(context, one)),
            ),
            _table(
                context,
                N_("Which data: categories of personal data"),
                record["categories"],
                (N_("Personal data"), lambda one: _category(context, one)),
                (N_("Rules"), lambda one: plain(", ".join(one["rules"]))),
                (N_("Clause"), lambda one: _quoted(context, one)),
            ),
            _table(
                context,
                N_("From which systems"),
                record["systems"],
                (N_("System"), lambda one: plain(one["system"])),
                (N_("Owners"), lambda one: plain(", ".join(one["owners"]))),
                (N_("Kinds of personal data"), lambda one: _kinds(context, one["kinds"])),
                (N_("Tables"), lambda one: plain(speaker.number(len(one["tables"])))),
            ),
            _table(
                context,
                N_("Recipients"),
                record["recipients"],
                (N_("Recipient"), lambda one: _name(context, one)),
                (N_("Role"), lambda one: plain(context.word("role", one["role"]))),
                (N_("What for"), lambda one: _translated(context, one, "purpose", "norwegian")),
                (N_("Told of erasures"), lambda one: _yes(context, one["notified"])),
            ),
        ),
    )


def _controller(context: Context, record: Part) -> Terms:
    speaker, controller = context.speaker, record["controller"]
    unstated = context.rich("not stated by policy or declarations")
    partners = [one for one in record["recipients"] if one["id"] in record["joint_controllers"]]
    return Terms(
        (
            (speaker.say("Controller"), plain(controller["name"])),
            (speaker.say("Contact"), plain(f"{controller['address']}; {controller['contact']}")),
            (
                speaker.say("Joint controllers"),
                joined([_name(context, one) for one in partners], ", ") or unstated,
            ),
            *(
                (speaker.say(title), plain(record[name]) or unstated)
                for name, title in (
                    ("representative", N_("Representative")),
                    ("data_protection_officer", N_("Data protection officer")),
                    ("transfers", N_("Transfers to third countries")),
                    ("security", N_("Security measures (art. 32)")),
                )
            ),
            (speaker.say("Time limits for erasure"), context.rich("see the retention concept")),
        )
    )


def _table(
    context: Context,
    title: str,
    parts: Sequence[Part],
    *columns: tuple[str, Callable[[Part], Spans]],
) -> Block:
    """A table of `parts` with a column for each title and what it says of a part."""
    caption = context.speaker.say(title)
    if not parts:
        return context.empty(f"{caption}: {context.speaker.say('None.')}")
    return Table(
        caption,
        tuple(Head(context.speaker.say(head)) for head, _ in columns),
        (
            tuple(
                tuple(
                    Cell(show(part), header=place == 0) for place, (_, show) in enumerate(columns)
                )
                for part in parts
            ),
        ),
    )


def _translated(context: Context, one: Part, english: str, norwegian: str) -> Spans:
    """What the policy file itself says in both languages."""
    if context.speaker.language is Language.NB and one[norwegian]:
        return plain(one[norwegian])
    return context.policy(one[english])


def _name(context: Context, one: Part) -> Spans:
    if context.speaker.language is Language.NB and one["norwegian_name"]:
        return plain(one["norwegian_name"])
    return plain(one["name"])


def _quoted(context: Context, one: Part) -> Spans:
    quote = plain(one["quote"], "quote", context.document["policy"]["language"])
    return joined([plain(one["clause"]), quote], " ")


def _laws(context: Context, laws: Sequence[str]) -> Spans:
    return joined([context.policy(law) for law in laws], "; ")


def _stated(context: Context, one: Part) -> Spans:
    stated = context.rich("stated") if one["stated_in_policy"] else context.rich("*not stated*")
    consent = context.rich("by consent only") if one["consent_only"] else ()
    return joined([stated, consent], ", ")


def _category(context: Context, one: Part) -> Spans:
    special = context.rich("*special category (art. 9)*") if one["special_category"] else ()
    return joined([context.policy(one["description"]), special], " · ")


def _kinds(context: Context, kinds: Sequence[str]) -> Spans:
    return plain(", ".join(context.word("data_kind", kind) for kind in kinds))


def _yes(context: Context, value: bool) -> Spans:
    return context.rich("yes") if value else context.rich("no")
