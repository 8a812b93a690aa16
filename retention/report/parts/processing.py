"""The record of processing activities (GDPR art. 30(1)), as far as policy and declarations say it.

Belongs here: what art. 30(1)(a) to (g) asks for. None, or an empty list, is what neither of them states:
a report says so, and nobody guesses. Does not belong here: how long each class is kept in detail
(`concept`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retention.declarations import TableDeclaration
from retention.lineage.personal import kinds_of
from retention.policy import Policy
from retention.policy.processing import DataCategory, Recipient, SubjectKind


def describe_processing(policy: Policy, tables: Sequence[TableDeclaration]) -> dict[str, Any]:
    """The record as plain data. `tables` are the governed ones that have landed."""
    return {
        "controller": policy.controller.model_dump(mode="json"),
        "joint_controllers": [
            one.id for one in policy.recipients if one.role == "joint_controller"
        ],
        "representative": None,
        "data_protection_officer": None,
        "purposes": [
            {
                "id": purpose.id,
                "description": purpose.description,
                "norwegian": purpose.norwegian,
                "legal_basis": list(purpose.legal_basis),
                "stated_in_policy": purpose.stated_in_policy,
                "consent_only": purpose.consent_only,
                "clause": purpose.clause.label,
                "quote": purpose.clause.quote,
            }
            for purpose in policy.purposes
        ],
        "subjects": [_named(kind) for kind in policy.subject_kinds],
        "categories": [
            {**_named(category), "special_category": category.special_category}
            for category in policy.data_categories
        ],
        "systems": _systems(tables),
        "recipients": [_recipient(one, tables) for one in policy.recipients],
        "transfers": None,
        "time_limits": [
            {
                "rule": rule.id,
                "category": rule.category,
                "period": rule.period.value,
                "period_from": rule.period.from_,
                "trigger": rule.trigger.description,
                "clause": rule.clause.label,
            }
            for rule in policy.rules
        ],
        "security": None,
    }


def _named(one: SubjectKind | DataCategory) -> dict[str, Any]:
    return {
        "id": one.id,
        "norwegian": one.norwegian,
        "description": one.description,
        "clause": one.clause.label,
        "quote": one.clause.quote,
        "rules": list(one.rules),
    }


def _systems(tables: Sequence[TableDeclaration]) -> list[dict[str, Any]]:
    """The systems that the data comes from, with the kinds of personal data declared of each."""
    systems: dict[str, list[TableDeclaration]] = {}
    for table in tables:
        systems.setdefault(table.system, []).append(table)
    return [
        {
            "system": system,
            "owners": sorted({table.owner for table in listed}),
            "tables": [table.qualified for table in listed],
            "kinds": sorted({kind for table in listed for kind in kinds_of(table).values()}),
        }
        for system, listed in sorted(systems.items())
    ]


def _recipient(recipient: Recipient, tables: Sequence[TableDeclaration]) -> dict[str, Any]:
    return {
        "id": recipient.id,
        "name": recipient.name,
        "norwegian_name": recipient.norwegian_name,
        "role": recipient.role,
        "purpose": recipient.purpose,
        "norwegian": recipient.norwegian,
        "notified": recipient.notify,
        "tables": [table.qualified for table in tables if table.schema_ in recipient.schemas],
        "clause": recipient.clause.label,
        "quote": recipient.clause.quote,
    }
