"""What each kind of finding of `retention status` means, and what to do next.

Belongs here: the words, by subject. Does not belong here: the page that they stand on (`findings`), and the
kinds of coverage, whose words the command itself says.
"""

from collections.abc import Mapping

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
        "the policy's text is in force and nobody put it there: nothing is purged without a person",
        "`retention policy activate` ([change the policy](../how-to/change-the-policy.md))",
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
    "notice_channels_unusable": (
        "the file of channels cannot be used: nobody is told what falls due",
        "mend it as the finding says ([tell owners](../how-to/tell-owners-what-falls-due.md))",
    ),
    "owner_without_channel": (
        "an owner of governed tables is not told what falls due in them",
        "name a channel for that owner, or one under `default`",
    ),
    "notice_channel_failing": (
        "a channel has taken no notice for days",
        "`retention notices test` says what it answers",
    ),
    "server_logs_values": (
        "the server would write personal values into its own log",
        "have an administrator run the statements that the finding names",
    ),
}
SECTIONS: Mapping[str, Words] = {
    "The classification": CLASSIFICATION,
    "What is due": DUE,
    "Plan, purge and evidence": PURGE,
    "Persons' rights": RIGHTS,
    "The house": HOUSE,
}
