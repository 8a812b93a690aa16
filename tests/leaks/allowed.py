"""What may be where, each with its reason: every exception that the scanner makes is here.

Belongs here: columns of the ledger and of the models that hold keys, folders that hold secrets, commands
whose answer names a record, processes that are given a secret. Does not belong here: anything by habit; a
place without a reason is a leak.
"""

import re
from dataclasses import dataclass

from tests.leaks.patterns import Kind

_KEYS = frozenset({Kind.KEY, Kind.MOMENT})


@dataclass(frozen=True)
class Allowed:
    """What may be in a place (a regular expression over its whole name), and why."""

    place: str
    kinds: frozenset[Kind]
    why: str


def is_allowed(exceptions: tuple[Allowed, ...], place: str, kind: Kind) -> bool:
    """True where one of `exceptions` lets `kind` be in `place`."""
    return any(
        kind in each.kinds and re.fullmatch(each.place, place, re.DOTALL) for each in exceptions
    )


#: Columns by `schema.table.column`. A key that is itself personal is a token in all of them.
COLUMNS = (
    Allowed(
        r"ledger\.(plan_items|deletion_orders)\.(record_key|case_id|guard_keys)",
        _KEYS,
        "what is planned is found by its key; null once it is purged",
    ),
    Allowed(
        r"ledger\.deletion_orders\.object_pointer",
        _KEYS | {Kind.VALUE},
        "a store must be told what to delete; null once the row is purged",
    ),
    Allowed(
        r"ledger\.guards\.(guard_key|records)",
        _KEYS,
        "what a purge locks: the persons, assignments and records of a plan",
    ),
    Allowed(
        r"ledger\.blockers\.target", _KEYS, "a hold names what it covers; null once that is purged"
    ),
    Allowed(
        r"ledger\.(review_decisions|column_grounds|returned_records|requests|erasure_decisions)\.record_key",
        _KEYS,
        "names a record that lies in landing; forgotten when that is purged",
    ),
    Allowed(
        r"ledger\.notice_pointers\.record_key",
        _KEYS,
        "a recipient must be told what to erase; gone with its answer",
    ),
    Allowed(
        r"ledger\.subject_tokens\.subject_id",
        _KEYS,
        "the person behind a token; forgotten with the person's last record",
    ),
    Allowed(
        r"ledger\.assignment_restarts\.assignment_id",
        _KEYS,
        "names an assignment; forgotten with its last record",
    ),
    Allowed(
        r"ledger\.link_salt\.salt",
        frozenset({Kind.SECRET}),
        "where the salt of the link hashes is kept, beside the hashes' own source",
    ),
    Allowed(
        r"(staging|intermediate|retention)\..*",
        _KEYS,
        "the models name every record by its key and hold its dates; the values stay in landing",
    ),
)

#: Files by their path below the folder that is searched.
FILES = (
    Allowed(
        r"state/(keys|secrets)/[^/]+",
        frozenset({Kind.SECRET}),
        "where the keys and passwords are kept, readable by their owner alone",
    ),
    Allowed(
        r"state/reports/[\d-]+/(replay/)?"
        r"(retention-report(\.[a-z]{2})?\.(json|html|pdf)|csv/sample\.csv)",
        _KEYS,
        "the sample that an auditor tests by hand names records; none by a key that is personal",
    ),
)

#: What a command prints for the person who called it, by the command's words.
OUTPUT = (
    Allowed(r"url .*", frozenset({Kind.SECRET}), "asked for the URL, password included"),
    Allowed(
        r"(explain|review list|hold list|plan show) .*",
        _KEYS,
        "asked for records, which are named by their keys",
    ),
    Allowed(
        r"orders (export|list .*--pointers).*",
        _KEYS | {Kind.VALUE},
        "hands the pointers over to the store that is to delete the objects; leaves evidence",
    ),
)

#: Arguments of processes, by the command line.
ARGUMENTS = (
    Allowed(
        r".* cli\.main (explain|hold add|review decide) .*",
        _KEYS,
        "the person who calls the command names the record; a personal key is named by its token",
    ),
)

#: Environments of processes, by the command line. They can be read by the same account and by root.
ENVIRONMENTS = (
    Allowed(
        r"\S*python\S* (-[A-Z] )*"
        r"(-c|-m (cli\.main|dagster|dagster\._daemon|dagster_webserver|pytest))\b.*",
        frozenset({Kind.SECRET}),
        "the engine's own processes, which connect and which compute tokens",
    ),
    Allowed(
        r"file -b \S+",
        frozenset({Kind.SECRET}),
        "a library of Dagster's asks what kind of program Python is; it ends at once",
    ),
)

#: A password of the database, which these need besides.
DATABASE_PASSWORD = (
    Allowed(
        r"\S*python\S* -m (orchestration\.dbt_command|dbt\.cli\.main)\b.*",
        frozenset({Kind.SECRET}),
        "dbt connects to the warehouse by itself; it gets no key",
    ),
    Allowed(
        r"\S*python\S* -m orchestration\.auditors\b.*",
        frozenset({Kind.SECRET}),
        "the auditors' webserver reads Dagster's database, on the same server; it gets no key",
    ),
)
