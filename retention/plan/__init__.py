"""Purge plans: what is frozen, who approves it, what it holds.

Belongs here: everything up to the approval. Does not belong here: deleting anything (`retention.purge`)
and deciding what is overdue (the models).
"""

from retention.plan.approval import approve, approve_demonstration, reject
from retention.plan.freeze import create, preview
from retention.plan.model import Plan, PlanCount, PlanPreview
from retention.plan.show import list_plans, of_last_night, show
from retention.plan.unattended import create_unattended, unattended_objection

__all__ = [
    "Plan",
    "PlanCount",
    "PlanPreview",
    "approve",
    "approve_demonstration",
    "create",
    "create_unattended",
    "list_plans",
    "of_last_night",
    "preview",
    "reject",
    "show",
    "unattended_objection",
]
