"""`findings.md`: every kind of finding, what it means and what to do next.

Belongs here: the kinds of `retention status` in words; those of `retention coverage` are read from the
words that the command itself says. Does not belong here: what is a finding (`retention.findings`,
`retention.coverage`). A test compares the kinds with the published schema.
"""

from collections.abc import Mapping

from docs.generate.markdown import code, page_of, prose, sentence, table
from retention.coverage import Finding, FindingKind
from retention.coverage.words import next_steps, said
from retention.settings import load_settings

#: Of each kind: what it means, and what to do next.
Words = Mapping[str, tuple[str, str]]

CLASSIFICATION: Words = {
    "classification_unfinished": (
        "a classification began and has not ended; nothing is planned or purged meanwhile",
        "wait, or `retention run` again",
    ),
    "classification_stale": (
        "nobody has classified since the day before yesterday",
        "`retention run`; see why the schedule did not ([daily job](../runbooks/daily-job.md))",
    ),
    "check_failed": (
        "an integrity check fails, so that the classification cannot be trusted",
        "read [the check](checks.md), do not work around it; no plan is made until it passes",
    ),
    "check_not_evaluated": (
        "a check itself failed, which is not a pass",
        "`retention run` again; then mend the check",
    ),
    "table_set_aside": (
        "the table cannot be read as declared; it has no records, and nothing judged by its"
        " facts is planned",
        "what the finding names next ([schema drift](../runbooks/schema-drift.md))",
    ),
    "table_withheld": (
        "the table is classified, and nothing is purged from it, for something about it is"
        " undeclared",
        "`retention coverage` says where to declare what",
    ),
    "policy_not_activated": (
        "the policy was changed, and no person put the text into force that the records were classified"
        " by; nothing acts by itself under it",
        "`retention what-if` shows what it changes; an approver runs `retention policy activate`"
        " ([decision](../decisions/0020-putting-a-policy-into-force.md))",
    ),
    "rule_matched_nothing": (
        "no record stands under a rule of the policy, which is more likely a fault than a fact",
        "see that its tables are declared and that they land",
    ),
    "nothing_planned": (
        "nothing was due in all the last nights, which is more likely a fault than a fact",
        "see that loads go on and that deadlines move",
    ),
}
DUE: Words = {
    "overdue_beyond_grace": (
        "records are overdue for longer than the policy's days of grace",
        "`retention plan list`, then approve and purge, or find what they wait for",
    ),
    "minimisation_beyond_grace": (
        "rows that accounting alone keeps still hold columns that it does not need",
        "the next plan minimises them: approve it",
    ),
    "review_past_deadline": (
        "records have waited for a person's decision for longer than the policy allows",
        "`retention review list`, `retention review decide`",
    ),
    "resurrection": (
        "rows that were purged have landed again, with nothing newer about them",
        "they are planned again; ask the source why it sent them",
    ),
    "consent_withdrawal_blocked": (
        "a consent was withdrawn, and a hold, restriction or lock keeps what it allowed",
        "a person decides which of the two gives way",
    ),
    "consent_withdrawal_late": (
        "what a withdrawn consent allowed is still held past the policy's days",
        "see why the job did not erase it",
    ),
}
PURGE: Words = {
    "unfinished_plan": (
        "a plan was approved, or begun, and is not carried out",
        "`retention purge PLAN` goes on where it stopped",
    ),
    "halted": (
        "somebody stopped everything that deletes",
        "an approver's `retention resume` ([halt](../runbooks/halt.md))",
    ),
    "copies_unknown": (
        "column lineage cannot be told, so that nobody knows where copies are: nothing can be"
        " purged",
        "the finding says what is in its way; usually `retention run`",
    ),
    "copy_untraceable": (
        "a table or view may hold copies that no key leads to; what it can hold rows of is not"
        " purged",
        "keep the record's key in it, unchanged, or drop it",
    ),
    "order_unacknowledged": (
        "a store outside the warehouse has not answered a deletion order in time",
        "`retention orders list --open` ([external objects](../runbooks/external-objects.md))",
    ),
    "compaction_waiting": (
        "files still hold values of purged records, for longer than the policy's patience",
        "`retention compact` ([erasure](../runbooks/erasure.md))",
    ),
    "controls_missing": (
        "the control persons were not run lately, or not under what is in force",
        "`retention controls`",
    ),
    "controls_failed": (
        "made-up persons did not meet the fate they were made for",
        "purge nothing; `retention controls` says which, and why",
    ),
    "sync_not_ended": (
        "a connector's log shows a sync that began and has not ended; it puts off no purge any"
        " more",
        "see in Fivetran whether it is stuck",
    ),
    "evidence_not_exported": (
        "entries of evidence are a day old and no exported checkpoint covers them",
        "`retention evidence checkpoint` says what is in its way",
    ),
    "hold_past_its_day": (
        "a hold or restriction stands beyond the day expected for it; it holds on",
        "`retention hold confirm`, or `retention hold release`",
    ),
}
RIGHTS: Words = {
    "requests_overdue": (
        "requests of persons are past the last day for the answer",
        "`retention request list` ([requests](../runbooks/requests.md))",
    ),
    "requests_unidentified": (
        "nobody knows whose a request is, or which right it uses",
        "`retention request identify`",
    ),
    "identity_scans_waiting": (
        "scans of identity documents have served and are not gone",
        "`retention request scans` says what is in the way",
    ),
    "notice_channels_unusable": (
        "the file of notice channels cannot be used, so nobody is told what falls due",
        "do what the finding says of the file",
    ),
    "notice_channel_failing": (
        "a channel has not taken what its owner was to be told",
        "`retention notices test`; what was not told is told again by the next job",
    ),
    "owner_without_channel": (
        "an owner of governed tables has no channel, and no default one",
        "name one in the file of notice channels",
    ),
    "notice_unacknowledged": (
        "a recipient has not acknowledged what it was told (GDPR art. 19)",
        "`retention request notices --open`, `retention request acknowledge`",
    ),
    "relay_unanswered": (
        "a request relayed to or from a partner is without an answer",
        "`retention request relays --open`",
    ),
    "rectification_not_clean": (
        "a corrected value is still held somewhere, or nobody has looked",
        "`retention request trace`",
    ),
    "landing_readable": (
        "a role of people can read landing, and with it what is locked or restricted",
        "revoke that ([locks](../runbooks/locks.md))",
    ),
    "landing_closed": (
        "the engine's own services may not read all of landing",
        "have an administrator run the grant that the finding names",
    ),
    "person_in_service_role": (
        "a person's login may act as a service that reads landing without a trace",
        "give the job a login of its own",
    ),
    "withdrawal_waiting": (
        "locks or restrictions were placed since their records were last taken out of models",
        "`retention locked withdraw`, or the next `retention run`",
    ),
    "locked_in_use": (
        "a model, copy or view shows what is locked or restricted",
        "delete those rows there, read landing through `in_use`, then `retention run`",
    ),
    "package_past_its_day": (
        "encrypted copies that were made for persons have outstayed their day",
        "`retention housekeep`",
    ),
}
HOUSE: Words = {
    "housekeeping_stale": (
        "the system's own traces were not looked after for days",
        "`retention housekeep`; look at the job's runs"
        " ([housekeeping](../runbooks/housekeeping.md))",
    ),
    "traces_overdue": (
        "traces of our own are older than the policy keeps them",
        "`retention housekeep` removes them, or says why not",
    ),
    "server_logs_values": (
        "the server would write personal values into its own log",
        "have an administrator run the statements that the finding names",
    ),
}
_OF_COLUMNS = (
    FindingKind.UNDECLARED_COLUMN,
    FindingKind.MISSING_COLUMN,
    FindingKind.TYPE_CHANGED,
    FindingKind.TYPE_DIFFERS,
    FindingKind.COLUMN_NOT_NULLABLE,
    FindingKind.HARMLESS_SEEMS_PERSONAL,
)
SECTIONS: Mapping[str, Words] = {
    "The classification": CLASSIFICATION,
    "What is due": DUE,
    "Plan, purge and evidence": PURGE,
    "Persons' rights": RIGHTS,
    "The house": HOUSE,
}


def page() -> str:
    """The findings of the status by subject, then those of coverage."""
    return page_of(
        "Findings",
        "`docs/generate/findings.py` and `retention/coverage/words.py`",
        prose(
            """
            `retention status` lists what somebody must look at, and ends with 1 while there is
            any. In `--json` each has a `kind`; these are all of them. A finding names tables,
            rules, counts and days, never a value. How long the policy is patient:
            [`operations`](policy-file.md#operations).
            """
        ),
        *(f"## {title}\n\n{_table(words)}" for title, words in SECTIONS.items()),
        prose(
            """
            ## Coverage: what is declared, and what is there

            Also listed by `retention coverage`, with the day since which each stands. Whether one
            is a warning or an error, and whether it keeps its table from the purge, the policy
            says ([`coverage.findings`](policy-file.md#findingrules)); a warning that outlasts its
            patience becomes an error.
            """
        ),
        table(("kind", "what it says", "next"), (_of_coverage(kind) for kind in FindingKind)),
    )


def _table(words: Words) -> str:
    return table(
        ("kind", "means", "next"),
        [(code(kind), sentence(means), sentence(do)) for kind, (means, do) in words.items()],
    )


def _of_coverage(kind: FindingKind) -> tuple[str, str, str]:
    """The command's own words, of a table that is called TABLE."""
    table_name = None if kind is FindingKind.UNDECLARED_SCHEMA else "TABLE"
    finding = Finding("SCHEMA", table_name, "COLUMN" if kind in _OF_COLUMNS else None, kind, "…")
    (step,) = next_steps([finding], load_settings({}))
    return code(kind.value), sentence(said(finding)), sentence(step)
