"""Differences of figures about what was done: each has its cause in evidence that was written since.

Belongs here: which kinds of entries move which figure. Does not belong here: figures about records
(`attribution`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from retention.report.history.attribution import spend
from retention.report.history.causes import CHECKPOINT, SUPPRESSION, Causes
from retention.report.history.differences import Difference

_PLAN = frozenset(
    {
        *("plan", "approval", "refusal", "plan_amended", "plan_closed", "execution_started"),
        *("batch", "executed", "read_back", "housekeeping"),
    }
)

#: Which evidence moves a figure that is not about records: kinds of entries, or their beginning and `*`.
LEDGER_FIGURES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("plans", "approvals", "evidence", "left_out", "skipped"), _PLAN),
    "refusals": frozenset({"refusal", "plan_closed"}),
    "orders": frozenset({"orders_*", "batch", "scans_deleted"}),
    "rewritten": frozenset({"compaction"}),
    "levels": _PLAN | {"compaction"},
    "not_rewritten": frozenset({"compaction", "batch"}),
    "blockers": frozenset({"blocker_*", "lock_ended", "request_*", "batch"}),
    "halts": frozenset({"halt", "resume"}),
    "requests": frozenset({"request_*"}),
    "decisions": frozenset({"erasure_decided", "withdrawals", "batch", "request_*"}),
    "suppressions": frozenset({SUPPRESSION}),
    "notices": frozenset({"notices_*", "restriction_notice"}),
    "relays": frozenset({"relay*"}),
    "corrections": frozenset({"rectification_*", "batch"}),
    "controls": frozenset({"controls"}),
    "checks": frozenset({"check"}),
    "entries": frozenset({"*"}),
    "checkpoints": frozenset({CHECKPOINT}),
    "keys": frozenset({"key"}),
}


def attribute_ledger(differences: Iterable[Difference], causes: Causes) -> None:
    """Put the differences of figures about what was done down to the evidence written since."""
    for one in differences:
        if one.figure_id == "entries":
            written = causes.entries.get(one.row["kind"], 0)
            for change in one.changes.values():
                spend(one, abs(change), Counter({"entries": written}))
            if not one.changes:
                one.causes, one.unexplained = ({"entries": written}, 0) if written else ({}, 1)
            continue
        plan = one.row.get("plan_id")
        kinds = LEDGER_FIGURES[one.figure_id]
        written = sum(n for kind, n in causes.entries.items() if _is_of(kind, kinds))
        if plan is not None:
            written = causes.of_plans.get(plan, 0) or causes.entries.get("housekeeping", 0)
        if written:
            one.causes["entries"] = written
        else:
            one.unexplained = max([*map(abs, one.changes.values()), 1])


def _is_of(kind: str, kinds: Iterable[str]) -> bool:
    return any(
        kind.startswith(one.removesuffix("*")) if one.endswith("*") else kind == one
        for one in kinds
    )
