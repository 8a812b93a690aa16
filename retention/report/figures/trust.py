"""The figures by which the others can be trusted: control persons, checks, evidence, checkpoints, keys.

Belongs here: the last outcomes that the ledger has, and the ledger itself. Does not belong here: running
any of it, and how the ledger is verified (`retention.report.parts.provenance`).

That a report was kept is evidence too, and is left out here: it would change the next report of the day.
"""

from __future__ import annotations

from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader

# The latest ones; every checkpoint lies where it was exported to.
CHECKPOINTS_SHOWN = 10


def controls(reader: Reader) -> Figure:
    """What became of each control person in the last run: made-up persons whose fate is known."""
    return reader.ask(
        "controls",
        N_("Control persons, in their last run"),
        {
            "as_of": "day",
            "run_at": "moment",
            "case": "text",
            "table": "table",
            "expected": Code("control_expected"),
            "rule_id": Code("rule"),
            "rows": "count",
            "left": "count",
            "passed": "flag",
        },
        reader.classification.query(
            """
            with latest as (
                select as_of, run_at, outcomes
                from ledger.control_runs
                where as_of <= %(as_of)s::date
                order by control_run_id desc
                limit 1
            )
            select latest.as_of, latest.run_at, persons."case", persons.person_table as "table",
                persons.expected, persons.rule_id, persons."rows", persons."left", persons.passed
            from latest
            cross join lateral jsonb_to_recordset(latest.outcomes) as persons (
                "case" text, person_table text, expected text, rule_id text, "rows" bigint,
                "left" bigint, passed boolean
            )
            order by persons.expected, persons."case", persons.person_table
            """
        ),
        {"as_of": reader.as_of},
    )


def checks(reader: Reader) -> Figure:
    """What the checks said last, as the ledger has it."""
    return reader.ask(
        "checks",
        N_("Checks, in their last run"),
        {
            "as_of": "day",
            "run_at": "moment",
            "check": Code("check"),
            "outcome": Code("check_outcome"),
            "severity": Code("severity"),
            "evaluated": "count",
            "failing": "count",
        },
        reader.classification.query(
            """
            with latest as (
                select (body::jsonb ->> 'as_of')::date as as_of, at, body::jsonb -> 'checks' as checks
                from ledger.entries
                where kind = 'check' and body::jsonb ? 'checks'
                    and (body::jsonb ->> 'as_of')::date <= %(as_of)s::date
                order by entry_id desc
                limit 1
            )
            select latest.as_of, latest.at as run_at, results."check", results.outcome,
                results.severity, results.evaluated, results.failing
            from latest
            cross join lateral jsonb_to_recordset(latest.checks) as results (
                "check" text, outcome text, severity text, evaluated bigint, failing bigint
            )
            order by results."check"
            """
        ),
        {"as_of": reader.as_of},
    )


def entries(reader: Reader) -> Figure:
    """The evidence ledger by kind of entry."""
    return reader.ask(
        "entries",
        N_("Entries in the evidence ledger, by kind"),
        {"kind": Code("entry"), "entries": "count", "first_at": "moment", "last_at": "moment"},
        reader.classification.query(
            """
            select kind, count(*) as entries, min(at) as first_at, max(at) as last_at
            from ledger.entries
            where not starts_with(kind, 'report')
                and (%(until)s::date is null or sletteplikt.local_date(at) <= %(until)s::date)
            group by kind
            order by kind
            """
        ),
        {"until": reader.until},
    )


def checkpoints(reader: Reader) -> Figure:
    """The latest signed heads of the ledger that were exported."""
    return reader.ask(
        "checkpoints",
        N_("Checkpoints exported"),
        {"size": "count", "root": "hash", "exported_at": "moment"},
        reader.classification.query(
            """
            select size, encode(root, 'hex') as root, exported_at
            from ledger.checkpoints
            where size <= (
                    select leaves.leaf_index + 1
                    from ledger.leaves as leaves
                    inner join ledger.entries as entries using (entry_id)
                    where not starts_with(entries.kind, 'report')
                    order by leaves.leaf_index desc
                    limit 1
                )
                and (%(until)s::date is null or sletteplikt.local_date(exported_at) <= %(until)s::date)
            order by size desc
            limit %(most)s
            """
        ),
        {"until": reader.until, "most": CHECKPOINTS_SHOWN},
    )


def keys(reader: Reader) -> Figure:
    """The keys in use by their ids; of those that sign, what their signatures are verified with."""
    return reader.ask(
        "keys",
        N_("Keys in use"),
        {
            "kind": Code("key"),
            "key_id": "id",
            "public_key": "hash",
            "in_use_since": "moment",
            "destroyed_at": "moment",
        },
        reader.classification.query(
            """
            select kind, key_id, encode(public_key, 'hex') as public_key, in_use_since,
                case
                    when %(until)s::date is null
                        or sletteplikt.local_date(destroyed_at) <= %(until)s::date
                        then destroyed_at
                end as destroyed_at
            from ledger.keys
            where %(until)s::date is null or sletteplikt.local_date(in_use_since) <= %(until)s::date
            order by kind, in_use_since, key_id
            """
        ),
        {"until": reader.until},
    )
