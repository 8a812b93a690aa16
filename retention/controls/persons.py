"""Who the control persons are, and which tables hold a row of whom.

Belongs here: one person for each category whose end is a purge, and one that must stay. Does not belong
here: the values of their rows (`rows`), and any database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from retention.declarations import Declarations, TableDeclaration
from retention.declarations.parts import RuleName
from retention.policy import Policy
from retention.policy.periods import parse_period
from retention.policy.rules import RuleId

STAYS = "stays"
_CASES: dict[str, RuleId | None] = {
    "lead_partner": "R1",
    "lead_direct": "R2",
    "customer_no_advice": "R3",
    "assignment": "R4",
    "accounting": "R5",
    STAYS: None,
}
_IN_CONTACT = frozenset({"customer_no_advice", "assignment", "accounting", STAYS})
# Beyond the longest period of the policy, so that every clock has run out and no working day matters.
_YEARS_BEYOND = 3


@dataclass(frozen=True)
class ControlPerson:
    """One control person: a number that is part of every key, the case, the table of the person's row,
    the rule expected to decide, the day of everything that happened, and the tables with a row."""

    number: int
    case: str
    person_table: str
    rule_id: RuleId | None
    day: date
    tables: tuple[TableDeclaration, ...]

    @property
    def decided_at(self) -> tuple[TableDeclaration, ...]:
        """The tables whose row shows the expected rule."""
        if self.case == "accounting":
            return tuple(table for table in self.tables if table.accounting)
        if self.case == "assignment":
            return tuple(table for table in self.tables if table.assignment_fact)
        return tuple(table for table in self.tables if table.person)


def control_persons(
    policy: Policy, declarations: Declarations, tables: set[str], as_of: date
) -> list[ControlPerson]:
    """One person a case for each declared table of persons, as far as its tables allow.

    `tables` are the qualified names that are there. A case that no declared table can show is left out.
    """
    there = [t for t in declarations.governed if t.qualified in tables and t.key]
    by_name = {table.qualified: table for table in there}
    long_ago = _long_ago(policy, as_of)
    made: list[ControlPerson] = []
    for person in (table for table in there if table.person):
        linked = [t for t in there if person.qualified in _reached(t, by_name)]
        for case, rule_id in _CASES.items():
            chosen = tuple(t for t in linked if _takes_part(t, case))
            one = ControlPerson(
                number=len(made) + 1,
                case=case,
                person_table=person.qualified,
                rule_id=rule_id,
                day=date.fromordinal(as_of.toordinal() - 1) if case == STAYS else long_ago,
                tables=chosen,
            )
            if _shows_its_case(one):
                made.append(one)
    return made


def _takes_part(table: TableDeclaration, case: str) -> bool:
    if table.handover or table.request or isinstance(table.follows, RuleName):
        return False
    if table.lead:
        return case == "lead_partner"
    if table.contact_event:
        return case in _IN_CONTACT
    if table.assignment_fact or table.follows == "assignment":
        return case in ("assignment", STAYS)
    if table.accounting:
        return case in ("accounting", STAYS)
    return True


def _shows_its_case(person: ControlPerson) -> bool:
    if person.case == "lead_partner":
        return any(table.lead and table.lead.partner for table in person.tables)
    if person.case == "customer_no_advice":
        return any(table.contact_event for table in person.tables)
    return bool(person.decided_at)


def _reached(table: TableDeclaration, by_name: dict[str, TableDeclaration]) -> set[str]:
    """The table and every table that a row of it needs a row in."""
    reached: set[str] = set()
    pending = [table.qualified]
    while pending:
        name = pending.pop()
        if name not in reached and name in by_name:
            reached.add(name)
            pending += _parents(by_name[name])
    return reached


def _parents(table: TableDeclaration) -> Iterator[str]:
    if table.subject and table.subject.to:
        yield table.subject.to
    if table.assignment:
        yield table.assignment.to


def _long_ago(policy: Policy, as_of: date) -> date:
    periods = [parse_period(rule.period.value) for rule in policy.rules if rule.period.value]
    periods += [marked.length for marked in policy.assignment_types.values()]
    periods += [marked.length for marked in policy.accounting.classes.values()]
    years = max(-(-period.months // 12) for period in periods)
    return date(as_of.year - years - _YEARS_BEYOND, 1, 15)
