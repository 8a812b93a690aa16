"""The retention concept: classes of records with period, starting event and owner, after ISO/IEC 27555.

Belongs here: what the policy and the declarations say of each class, and where its records lie. Does not
belong here: how many records there are (`retention.report.figures`), and the policy's unclear places
(`policy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from retention.declarations import TableDeclaration
from retention.declarations.parts import RuleName, Subject
from retention.lineage.personal import kinds_of
from retention.policy import Policy
from retention.policy.model import ErasureLevel
from retention.policy.rules import Rule
from retention.report.parts.policy import describe_rule

STANDARD = "ISO/IEC 27555"


def describe_concept(
    policy: Policy,
    tables: Iterable[TableDeclaration],
    rules: Mapping[str, list[str]],
    copies: Mapping[str, list[str]],
) -> dict[str, Any]:
    """The concept as plain data. `tables` are the governed ones that have landed, `rules` those that stand
    behind the records of each, `copies` the relations that hold what it handed on."""
    return {
        "standard": STANDARD,
        "classes": [_class(policy, rule) for rule in policy.rules],
        "tables": [
            _table(policy, table, rules.get(table.qualified, []), copies.get(table.qualified, []))
            for table in tables
        ],
    }


def _class(policy: Policy, rule: Rule) -> dict[str, Any]:
    """A class of records: what the rule says, and how thoroughly its records are erased."""
    level = getattr(policy.erasure, rule.category or "", None)
    told = describe_rule(policy, rule)
    wanted = ("id", "category", "clause", "summary", "trigger", "legal_basis")
    return {
        **{name: told[name] for name in wanted},
        "period": rule.period.value,
        "period_from": rule.period.from_,
        "starting_event": rule.trigger.event,
        "is_minimum": rule.is_minimum,
        "disposition": rule.disposition,
        "needs_person": not rule.unattended,
        "mark": told["mark"],
        "approval": told["approval"],
        "level": level.value if isinstance(level, ErasureLevel) else None,
        "level_reason": level.reason if isinstance(level, ErasureLevel) else None,
    }


def _table(
    policy: Policy, table: TableDeclaration, rules: list[str], copies: list[str]
) -> dict[str, Any]:
    own = policy.supporting_periods.get(table.period) if table.period else None
    return {
        "table": table.qualified,
        "system": table.system,
        "owner": table.owner,
        "description": table.description,
        "rules": rules,
        "follows": table.follows.rule if isinstance(table.follows, RuleName) else table.follows,
        "subject": _subject(table.subject),
        "dated_by": list(table.anchor_columns),
        "own_period": own.period if own else None,
        "accounting_class": table.accounting.class_ if table.accounting else None,
        "key": list(table.key),
        "personal": [
            {
                "column": column,
                "kind": kind,
                "about": table.personal[column].about if column in table.personal else "subject",
                "provided_by": table.provider_of(column),
            }
            for column, kind in sorted(kinds_of(table).items())
        ],
        "minimised_columns": list(table.minimisable),
        "consented_columns": list(table.consented_columns),
        "copies": copies,
        "stores": sorted(set(table.stores.values())),
    }


def _subject(subject: Subject | None) -> dict[str, Any] | None:
    """How a row finds its person; None where it has none of its own."""
    return {"link": subject.link, "to": subject.to} if subject else None
