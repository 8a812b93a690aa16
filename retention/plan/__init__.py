"""Purge plans: what is frozen, who approves it, what it holds.

Belongs here: everything up to the approval. Does not belong here: deleting anything (`retention.purge`)
and deciding what is overdue (the models).
"""

from retention.plan.amend import amend
from retention.plan.approval import approve, approve_demonstration, reject
from retention.plan.decided import anything_decided, create_decided
from retention.plan.details import PlanDetails, band_names, details
from retention.plan.freeze import create, preview
from retention.plan.model import Plan, PlanCount, PlanPreview
from retention.plan.show import list_plans, of_last_night, show
from retention.plan.unattended import create_unattended, unattended_objection

__all__ = [
    "Plan",
    "PlanCount",
    "PlanDetails",
    "PlanPreview",
    "amend",
    "anything_decided",
    "approve",
    "approve_demonstration",
    "band_names",
    "create",
    "create_decided",
    "create_unattended",
    "details",
    "list_plans",
    "of_last_night",
    "preview",
    "reject",
    "show",
    "unattended_objection",
]
