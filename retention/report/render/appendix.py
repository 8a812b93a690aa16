"""What the report can be checked by: what it was made from, how to verify it, and every query.

Belongs here: provenance and queries. Does not belong here: the figures themselves.
"""

from __future__ import annotations

from retention.language import N_
from retention.report.render.blocks import (
    Block,
    Heading,
    Paragraph,
    Points,
    Query,
    Section,
    Spans,
    Terms,
    joined,
    plain,
)
from retention.report.render.context import Context, short


def provenance_section(context: Context) -> Section:
    """Database, hashes, revision, ledger; and the commands that verify it."""
    speaker = context.speaker
    made_from, provenance = context.document["made_from"], context.document["provenance"]
    database, ledger = provenance["database"], provenance["ledger"]
    unknown = context.rich("not known")
    checkpoint = ledger["checkpoint"]
    terms: list[tuple[str, Spans]] = [
        (speaker.say("Database"), plain(database["name"])),
        (speaker.say("Database id"), plain(database["system_identifier"], "code") or unknown),
        (speaker.say("PostgreSQL"), plain(database["server_version"])),
        (speaker.say("Policy"), plain(made_from["policy_version"], "code")),
        (speaker.say("Policy hash"), plain(made_from["policy_hash"], "code")),
        (speaker.say("Code hash"), plain(provenance["code_hash"], "code")),
        (speaker.say("Manifest hash"), plain(provenance["manifest_hash"], "code") or unknown),
        (speaker.say("Git revision"), plain(provenance["revision"], "code") or unknown),
        (speaker.say("Classified"), classified_at(context)),
        (speaker.say("Classified by"), plain(made_from["classified_by"]) or unknown),
        (
            speaker.say("Evidence ledger"),
            plain(speaker.plural("{n} entry", "{n} entries", ledger["size"])),
        ),
        (speaker.say("Root of the ledger"), plain(ledger["root"], "code") or unknown),
        (
            speaker.say("Latest checkpoint"),
            joined(
                [
                    plain(speaker.plural("{n} entry", "{n} entries", checkpoint["size"])),
                    plain(checkpoint["root"], "code"),
                    plain(speaker.moment(checkpoint["exported_at"])),
                ],
                ", ",
            )
            if checkpoint
            else context.rich("none exported yet"),
        ),
    ]
    return Section(
        "provenance",
        speaker.say("What this report was made from, and how to verify it"),
        speaker.say("Provenance"),
        (
            Paragraph(
                context.rich(
                    "Every figure was read in one transaction from one database, under one policy and"
                    " one state of the code."
                )
            ),
            Terms(tuple(terms)),
            Heading(speaker.say("How to verify the evidence")),
            Points(tuple(plain(command, "code") for command in provenance["verify"])),
        ),
    )


def classified_at(context: Context) -> Spans:
    made_from = context.document["made_from"]
    if made_from["classified_at"]:
        return plain(context.speaker.moment(made_from["classified_at"]))
    return context.rich("replay of a day in the past, no time recorded")


def queries_section(context: Context, numbers: dict[str, int]) -> Section:
    """Each figure's query with what it was asked of."""
    speaker = context.speaker
    blocks: list[Block] = [
        Paragraph(
            context.rich(
                "Run as the role `retention_reader`, which cannot write, in one read-only transaction. As"
                " printed, with its parameters in place, each can be run again."
            )
        )
    ]
    for name, number in numbers.items():
        figure = context.figure(name)
        blocks.append(
            Query(
                name,
                number,
                speaker.say(figure["title"]),
                _about(context, len(figure["rows"])),
                figure["query"],
            )
        )
    return Section(
        "queries",
        speaker.say(N_("The query behind each figure")),
        speaker.say("Queries"),
        tuple(blocks),
    )


def _about(context: Context, rows: int) -> str:
    speaker, made_from = context.speaker, context.document["made_from"]
    return speaker.say(
        "Policy {version} ({hash}) · database {database} · as of {day} · {rows}",
        version=made_from["policy_version"],
        hash=short(made_from["policy_hash"]),
        database=made_from["database"],
        day=speaker.day(made_from["as_of"]),
        rows=speaker.plural("{n} row", "{n} rows", rows),
    )
