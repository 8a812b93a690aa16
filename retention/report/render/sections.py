"""What is particular to the report's sections and figures: introductions, what is said of nothing, tones.

Belongs here: sentences, by section and by figure. Does not belong here: arranging anything (generic.py,
population.py, plans.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from retention.language import N_
from retention.report.render.generic import Wish

# Short names for the table of contents; a section without one is named by its title.
SHORT: Mapping[str, str] = {
    "population": N_("Population"),
    "overdue": N_("Overdue"),
    "review": N_("Review"),
    "calendar": N_("Calendar"),
    "purges": N_("Purges"),
    "erasure": N_("Erasure"),
    "blockers": N_("Holds and locks"),
    "rights": N_("Rights"),
    "recipients": N_("Recipients"),
    "concept": N_("Concept"),
    "trust": N_("Controls"),
    "sample": N_("Sample"),
}

INTRODUCTIONS: Mapping[str, str] = {
    "population": N_(
        "Every row of every governed table, old versions and soft-deleted rows included, has exactly one"
        " category and one status."
    ),
    "overdue": N_(
        "Overdue from the day after the last day. Up to {grace} days are given to plan, approve and purge;"
        " what is older than that needs an explanation."
    ),
    "review": N_(
        "Nothing here is purged before a person has decided; the policy gives {review_by} days."
    ),
    "calendar": N_(
        "By the month of the due date, the first and the last month in part; if nothing changes: a contact,"
        " a new assignment or a hold moves it. Held and restricted records are counted, and will wait."
    ),
    "purges": N_(
        "A plan freezes the exact rows under one digest; another login than the planner's approves it. A"
        " row is deleted in the same transaction that writes its tombstone and its evidence."
    ),
    "erasure": N_(
        "What was purged is also deleted in the stores that its rows pointed to, and the files that held it"
        " are rewritten where the policy wants physical erasure."
    ),
    "blockers": N_("Counted: on whom one is placed, and why, stands in the ledger alone."),
    "rights": N_("Counted: who asked stands in the register alone."),
    "recipients": N_(
        "Whom we told of erasures, corrections and restrictions, and what they answered."
    ),
    "concept": N_("Which rules stand behind the records of each table, as they were applied."),
    "trust": N_(
        "Control persons are made up, and their fate is known: they run through the same code in tables of"
        " their own. Checks look at the classification with other code than made it."
    ),
    "sample": N_(
        "Drawn by a seed that anybody can compute and nobody can choose: the hash of the policy's hash and"
        " the day. Left out: records that are held, restricted or locked, and keys that are personal."
        " The command explains the record; compare it with the source system."
    ),
}

WISHES: Mapping[str, Wish] = {
    "movements": Wish(tones={"came_back": "warm"}),
    "overdue": Wish(N_("Nothing is overdue."), tones={"beyond_grace": "hot"}),
    "overdue_because": Wish(N_("Nothing is overdue.")),
    "left_out": Wish(N_("Nothing was left out, or nothing has been planned yet.")),
    "minimisable": Wish(N_("No row is kept whose other columns are due.")),
    "review": Wish(N_("Nothing is under review.")),
    "review_deadlines": Wish(N_("Nothing is under review."), tones={"past_deadline": "hot"}),
    "purged": Wish(N_("Nothing has been purged yet.")),
    "minimised": Wish(N_("Nothing has been minimised yet.")),
    "entries": Wish(N_("The evidence ledger is empty.")),
    "blockers": Wish(
        N_("No hold, restriction or lock is in force."), tones={"past_their_day": "warm"}
    ),
    "blocked": Wish(note=N_("Pending rights requests included.")),
    "requests": Wish(tones={"answered_late": "warm", "open_past_deadline": "hot"}),
    "corrections": Wish(tones={"with_left_over": "hot"}),
    "controls": Wish(
        N_("The controls have not run yet."), told_once=("as_of", "run_at"), total=False
    ),
    "checks": Wish(
        N_("The checks have not run yet."),
        told_once=("as_of", "run_at"),
        tones={"failing": "hot"},
        total=False,
    ),
}
