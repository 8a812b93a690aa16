"""Plans with what became of them: one line each, the evidence beside what was purged.

Belongs here: bringing the two figures together. Does not belong here: the other figures of purges, which
need no arrangement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention.language import N_
from retention.report.render.blocks import Block, Cell, Head, Spans, Table, joined, plain
from retention.report.render.context import Context, short

Row = Mapping[str, Any]

_EMPTY = N_("Nothing has been planned yet.")


def plan_table(context: Context) -> Block:
    """The latest plans."""
    speaker = context.speaker
    evidence = {row["plan_id"]: row for row in context.rows("evidence")}
    plans = context.rows("plans")
    if not plans:
        return context.empty(speaker.say(_EMPTY), "plans", "evidence")
    return Table(
        speaker.say("The latest plans, each with its evidence"),
        (
            Head(speaker.say("Plan")),
            context.head("as_of"),
            context.head("state"),
            Head(speaker.say("Planned")),
            Head(speaker.say("Approved or rejected")),
            Head(speaker.say("Rows"), number=True),
            context.head("purged", number=True),
            Head(speaker.say("Tombstones"), number=True, narrow=True),
            context.head("minimised", number=True),
            Head(speaker.say("Skipped"), number=True),
            Head(speaker.say("Evidence"), number=True),
        ),
        (tuple(_line(context, plan, evidence.get(plan["plan_id"])) for plan in plans),),
        note=context.rich("Times are those of Norway."),
        figures=("plans", "evidence"),
    )


def _line(context: Context, plan: Row, evidence: Row | None) -> tuple[Cell, ...]:
    speaker = context.speaker
    digest = joined([plain(speaker.say("digest")), plain(short(plan["digest"]), "code")], " ")
    state = context.code("plan_state", plan["state"])
    done = context.moment(plan["executed_at"])
    return (
        Cell(plain(plan["plan_id"][:8], "code"), (digest,), header=True),
        Cell(plain(speaker.day(plan["as_of"]))),
        Cell(state.spans, (done,) if done else (), chip=state.chip),
        Cell(plain(plan["planned_by"]), (context.moment(plan["planned_at"]),)),
        _decided(context, plan),
        context.count(plan["items"]),
        *(
            _proven(context, evidence)
            if evidence
            else [Cell(plain("–"), number=True, tone="zero")] * 5
        ),
    )


def _decided(context: Context, plan: Row) -> Cell:
    if plan["approved_by"]:
        how = context.word("approval_kind", plan["approval_kind"])
        return Cell(plain(plan["approved_by"]), (plain(how), context.moment(plan["approved_at"])))
    if plan["rejected_by"]:
        by: Spans = context.rich("rejected by {login}", login=plan["rejected_by"])
        return Cell(by, (context.moment(plan["rejected_at"]),))
    return Cell(plain("–"), tone="zero")


def _proven(context: Context, evidence: Row) -> list[Cell]:
    """What was purged against what proves it: a purged row without its tombstone must stand out."""
    missing = evidence["tombstones"] != evidence["purged"]
    return [
        context.count(evidence["purged"]),
        context.count(evidence["tombstones"], "hot" if missing else ""),
        context.count(evidence["minimised"]),
        context.count(evidence["skipped"]),
        Cell(
            plain(context.speaker.plural("{n} entry", "{n} entries", evidence["entries"])),
            (
                plain(context.speaker.plural("{n} batch", "{n} batches", evidence["batches"])),
                _read_back(context, evidence),
            ),
            number=True,
            tone="hot" if evidence["read_back_findings"] else "",
        ),
    ]


def _read_back(context: Context, evidence: Row) -> Spans:
    speaker = context.speaker
    if evidence["read_back_findings"]:
        return plain(
            speaker.plural(
                "read back: {n} finding", "read back: {n} findings", evidence["read_back_findings"]
            ),
            "strong",
        )
    if evidence["read_backs"]:
        return plain(speaker.say("read back: nothing left"))
    return plain(speaker.say("not read back yet"))
