"""The reasons that the engine gives in its own English, which stand as text in the database.

Belongs here: each of them as it is written there, with a name in braces for what varies. Does not
belong here: reasons that people gave (they stand as they were written), and those of the policy.

A reason that is not listed is shown in English, marked as such; a test compares this list with the SQL
and the modules that give them.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SENTENCES = (
    # Under review (int_records_decided, int_record_grounds, int_person_grounds).
    "contact came after the period had ended",
    "its accounting class is not in the policy",
    "its key is not unique",
    "its own date is missing, unreadable or impossible",
    "its own date lies in the future",
    "its table has no declared unique key",
    "it was purged before and its date is not known",
    "it was purged before and is open again",
    "no person, assignment or rule is known for it",
    "nobody approved the period of its class",
    "nobody approved the reading or period it stands on",
    "nobody approved the reading or period it was purged under",
    "nobody approved the rule by which its erasure was decided",
    "nothing dates this person",
    "several persons have its contact point",
    "taken out of a plan for review",
    "the assignment it names is not known",
    "the hindrance of a lock on its person has ended, who is several data subjects",
    "the partner has recorded no instruction",
    # Of an assignment (int_assignments_decided).
    "assignment: {reason}",
    "it ended without a usable date",
    "its state is not declared",
    "its type is not in the policy",
    "nobody approved the period of its type",
    # Why it is as it is (int_records_decided).
    "columns that were minimised hold values again: a sync restored them",
    "decided by a person",
    "it was purged before and landed again",
    "its clock starts with {event}",
    "its clock was restarted on {day} by {law}",
    "its erasure was decided on {day}",
    "open, but idle for longer than the policy expects",
    "the hindrance of its lock has ended",
    # Left out of a plan (ledger.plannable, retention.plan.tables).
    "a claim was acknowledged since the classification",
    "a column of it that is to be minimised cannot become null",
    "a foreign key would carry the deletion on to other tables",
    "a record that may be this person's is under review or held",
    "another lead of the same hand-over stays",
    "held, restricted or locked since the classification",
    "it depends on {table}, which is set aside",
    "it stands in the plan of what was decided",
    "its assignment has records that stay",
    "its case stands in a plan of what was decided",
    "its table has a trigger or a rule on delete",
    "its table has a trigger or a rule on update",
    "its table is exempt",
    "its table is not declared",
    "its table is set aside",
    "not due",
    "other records stand on what it shows",
    # Skipped by a purge (retention.purge).
    "classified differently since it was planned",
    "decided in review since it was planned",
    "decided otherwise since it was planned",
    "facts changed since it was planned",
    "facts changed since the classification",
    "held, restricted or locked since it was planned",
    "its columns hold no value any more",
    "its external object is not confirmed deleted",
    "its table is not declared or not there any more",
    "no longer found by its key",
    "no longer overdue",
    "other records of its case stay",
    "the plan expired",
    # Why a job may not, and a person has to (ledger.unattended_objection, ledger.outside_radius).
    "nobody approved the policy's section `unattended`: have somebody approve it",
    "nobody put this text of the policy into force ({version}, {hash}): an approver does, with"
    " `retention policy activate {name}`",
    "the approval of the policy's section `unattended` is an example, which counts in a sample alone:"
    " have somebody approve the section",
    "the policy marks no rule as unattended: a person approves every plan",
    "outside the policy's blast radius: {reasons}: a person decides",
    "{records} records, at most {most} are allowed",
    "{records} of the {rows} rows of {table}, at most {percent} percent are allowed",
    "{tables} tables would lose more than {percent} percent, most of all {records} of the {rows} rows of"
    " {table}",
    "overdue for {least} to {most} days, expected are {at_least} to {at_most}",
    "{table} is never purged unattended",
    "{left} of {cases} cases hold what the policy leaves to a person",
)

REASONS = {sentence: sentence for sentence in _SENTENCES}

_HOLE = re.compile(r"\\\{(\w+)\\\}")


def recognised(text: str) -> tuple[str, dict[str, str]] | None:
    """The listed sentence that `text` is, and what varies in it; None for any other text."""
    if text in REASONS:
        return text, {}
    for sentence, pattern in _patterns():
        if match := pattern.fullmatch(text):
            return sentence, match.groupdict()
    return None


@lru_cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [
        (sentence, re.compile(_HOLE.sub(r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL))
        for sentence in _SENTENCES
        if "{" in sentence
    ]
