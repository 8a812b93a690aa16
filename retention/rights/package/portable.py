"""What a person provided themselves, and may carry on (GDPR art. 20).

Belongs here: which rows and columns those are, by declaration and policy. Does not belong here: their form.
"""

from __future__ import annotations

from collections.abc import Sequence

from retention.declarations import TableDeclaration
from retention.policy import Policy
from retention.rights.find import PersonRecord
from retention.rights.package.holdings import Holding, with_rows

# Consent and contract, GDPR art. 6(1)(a) and (b), 9(2)(a): the bases that art. 20(1)(a) names.
_BASES = ("art. 6(1)(a)", "art. 6(1)(b)", "art. 9(2)(a)")


def portable(
    holdings: Sequence[Holding], policy: Policy, person: Sequence[PersonRecord]
) -> tuple[Holding, ...]:
    """Of the holdings what the person provided, where we process it on consent or contract.

    A supporting record has the basis of its data subject's own row. Keys stay, so that rows can be told
    apart; what nobody declared to be the person's own is left out.
    """
    own_rule = {
        one.subject_id: one.rule_id
        for one in person
        if one.subject_id and one.subject_id == f"{one.table}:{one.record_key}"
    }
    carried = []
    for holding in holdings:
        provided = {
            name for name in holding.table.personal if holding.table.provider_of(name) == "person"
        }
        based = {
            one.record_key
            for one in holding.records
            if _is_based(policy, one, own_rule.get(one.subject_id or ""), holding.table)
        }
        kept = provided | {*holding.table.key}
        rows = [
            (key, {name: value for name, value in row.items() if name in kept})
            for key, row in holding.rows
            if key in based and any(row.get(name) is not None for name in provided)
        ]
        if rows:
            carried.append(with_rows(holding, rows))
    return tuple(carried)


def _is_based(
    policy: Policy, record: PersonRecord, rule_of_subject: str | None, table: TableDeclaration
) -> bool:
    if table.consent:
        # The consents themselves.
        return True
    rule_id = record.rule_id
    if rule_id is not None and policy.rule(rule_id).period.from_ == "followed_record":
        rule_id = rule_of_subject
    if rule_id is None:
        return False
    basis = policy.rule(rule_id).legal_basis
    return any(named.endswith(one) for named in basis for one in _BASES)
