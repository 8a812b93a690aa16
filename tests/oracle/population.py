"""The people of the warehouse with the facts of their lives, gathered from the landing rows.

Belongs here: whose each row is, who got in touch, who came when, who was handed over, who asserts a
right. Does not belong here: what follows from it (`lifecycle`, `classify`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.oracle.assignments import Stated, entity_key, is_assignment_table, stated_assignments
from tests.oracle.facts import Landing, Row, key_text
from tests.oracle.landing_table import LandingTable, Link
from tests.oracle.lifecycle import Life, Start
from tests.oracle.links import PersonIndex
from tests.oracle.periods import local_date, usable_date, utc_instant
from tests.oracle.tables import BY_NAME

_COUNTING_PURPOSES = frozenset({"inquiry", "service"})


@dataclass(frozen=True)
class Handover:
    """A hand-over to a partner that has happened."""

    at: datetime
    outside: bool
    partner: str | None


@dataclass
class Population:
    """Everything known about people, by the key of the person."""

    landing: Landing
    as_of: date
    index: PersonIndex = field(default_factory=PersonIndex)
    lives: dict[str, Life] = field(default_factory=lambda: defaultdict(Life))
    assignments: dict[str, Stated] = field(default_factory=dict)
    handovers: dict[str, list[Handover]] = field(default_factory=lambda: defaultdict(list))
    pending: set[str] = field(default_factory=set)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    leads: dict[str, Start] = field(default_factory=dict)
    _by_key: dict[str, dict[str, Row]] = field(default_factory=dict)

    def subject(self, table: str, row: Row) -> str | None:
        """Return the one person a row is about, if it names one without doubt."""
        found = self.candidates(table, row)
        return next(iter(found)) if len(found) == 1 else None

    def candidates(self, table: str, row: Row) -> set[str]:
        """Return every person a row may be about: several where they share a contact point."""
        link = BY_NAME[table].link
        values = [row[column] for column in link.columns]
        match link.by:
            case "self":
                return {key_text(row["id"])}
            case "person_key":
                return self.index.of_key(values[0])
            case "email":
                return self.index.of_emails(values)
            case "phone":
                return self.index.of_phones(values)
            case "parent":
                parent = self.parent(link, row)
                return set() if parent is None else self.candidates(link.parent or "", parent)
            case _:
                return set()

    def parent(self, link: Link, row: Row) -> Row | None:
        """Return the row that a link to another table leads to; the speaking version of it."""
        assert link.parent is not None
        value = row[link.columns[0]]
        if value is None:
            return None
        if is_assignment_table(link.parent):
            stated = self.assignments.get(f"{link.parent}:{key_text(value)}")
            return None if stated is None else stated.row
        return self._rows_by_key(link.parent).get(key_text(value))

    def assignment_key(self, table: str, row: Row) -> str | None:
        """Return the key of the assignment that a row is, or belongs to."""
        if is_assignment_table(table):
            return entity_key(table, row)
        link = BY_NAME[table].assignment
        parent = self.parent(link, row)
        return None if parent is None else self.assignment_key(link.parent or "", parent)

    def usable(self, value: object) -> date | None:
        """Return the local day of an event that counts as of this population's date."""
        return usable_date(value, self.as_of)

    def own_day(self, table: LandingTable, row: Row) -> date | None:
        """Return the day of the row's own event if it may count, else None."""
        return None if table.own_date is None else self.usable(row[table.own_date])

    def _rows_by_key(self, table: str) -> dict[str, Row]:
        if table not in self._by_key:
            self._by_key[table] = {row.record_key: row for row in self.landing.rows[table]}
        return self._by_key[table]


def stated_day(table: LandingTable, row: Row) -> date | None:
    """Return the day of the row's own event as it stands there, impossible or not.

    Whoever reviews the record sees it.
    """
    return None if table.own_date is None else local_date(row[table.own_date])


def gather(landing: Landing, as_of: date) -> Population:
    """Gather all lives from the landing rows."""
    people = Population(landing, as_of)
    for row in landing.rows["crm.person"]:
        people.index.add(key_text(row["id"]), row["email"], row["phone"])
    _gather_assignments(people)
    for row in landing.rows["crm.person"]:
        life = people.lives[key_text(row["id"])]
        life.person = f"crm.person:{row.record_key}"
        life.registered = people.usable(row["created_at"])
        life.received_via_partner = row["received_via_partner"] is True
    _gather_contacts(people)
    _gather_leads(people)
    _gather_handovers(people)
    _gather_requests(people)
    _gather_consents(people)
    return people


def _gather_assignments(people: Population) -> None:
    people.assignments = dict(stated_assignments(people.landing, people.as_of))
    for key, stated in people.assignments.items():
        subject = people.subject(key.partition(":")[0], stated.row)
        if subject is not None:
            people.lives[subject].assignments.append(stated.assignment)


def _gather_contacts(people: Population) -> None:
    tests = {
        "crm.contact_event": _event_counts,
        "crm.inbound_email": _purpose_counts,
        "twilio.call": _call_counts,
    }
    for table, counts in tests.items():
        own_date = BY_NAME[table].own_date or ""
        for row in people.landing.rows[table]:
            day = people.usable(row[own_date])
            subject = people.subject(table, row)
            if day is not None and subject is not None and counts(row):
                people.lives[subject].contacts.append(day)


def _event_counts(row: Row) -> bool:
    if row["automated"] is True or not _purpose_counts(row):
        return False
    match row["channel"]:
        case "email":
            return row["direction"] == "inbound"
        case "phone":
            duration = row["duration_seconds"]
            return row["outcome"] == "answered" and isinstance(duration, int) and duration > 0
        case "video":
            return row["outcome"] == "held"
        case _:
            return False


def _call_counts(row: Row) -> bool:
    """An answered call: somebody spoke for a while, and no machine or fax picked up."""
    duration, answered_by = row["duration"], str(row["answered_by"] or "")
    if row["status"] != "completed" or answered_by.startswith(("machine", "fax")):
        return False
    return isinstance(duration, int) and duration > 0


def _purpose_counts(row: Row) -> bool:
    return row["purpose"] in _COUNTING_PURPOSES


def _gather_leads(people: Population) -> None:
    """A partner's lead counts from the first time this partner sent it; a direct one as it is."""
    first: dict[tuple[str, str], date] = {}
    dated: list[tuple[str, Row, date]] = []
    for row in people.landing.rows["crm.lead"]:
        subject = people.subject("crm.lead", row)
        day = people.usable(row["received_at"])
        if subject is None or day is None:
            continue
        dated.append((subject, row, day))
        if row["partner_id"] is not None:
            sent = (subject, str(row["partner_id"]))
            first[sent] = min(day, first.get(sent, day))
    landing = people.landing
    # Which union it was is not known any more: another row of a union counts from the earliest day.
    earliest: dict[str, date] = {}
    for row in landing.rows["crm.lead"]:
        subject = people.subject("crm.lead", row)
        day = landing.remembered.get(row.record_key)
        if subject is not None and day is not None:
            earliest[subject] = min(day, earliest.get(subject, day))
    for subject, row, day in dated:
        partner = row["partner_id"]
        counts = day if partner is None else first[subject, str(partner)]
        if str(partner) in landing.unions:
            counts = min(counts, earliest.get(subject, counts))
        start = Start(
            rule_id="R2" if partner is None and row.record_key not in landing.remembered else "R1",
            first=landing.remembered.get(row.record_key) or counts,
            event=f"crm.lead:{row.record_key}",
        )
        people.lives[subject].starts.append(start)
        people.leads[row.record_key] = start


def _gather_handovers(people: Population) -> None:
    for row in people.landing.rows["crm.handover"]:
        subject = people.subject("crm.handover", row)
        instant = utc_instant(row["handed_over_at"])
        if subject is None or instant is None or people.usable(row["handed_over_at"]) is None:
            continue
        partner = row["partner_id"]
        people.handovers[subject].append(
            Handover(
                at=instant,
                outside=row["scope"] == "outside_scope",
                partner=None if partner is None else str(partner),
            )
        )


def _gather_consents(people: Population) -> None:
    """A consent is withdrawn where its last withdrawal came when, or after, it was last given."""
    given: dict[tuple[str, str], datetime] = {}
    withdrawn: dict[tuple[str, str], datetime] = {}
    for row in people.landing.rows["crm.consent"]:
        subject = people.subject("crm.consent", row)
        if subject is None or row["purpose"] is None:
            continue
        consent = (subject, str(row["purpose"]))
        for column, last in (("given_at", given), ("withdrawn_at", withdrawn)):
            instant = utc_instant(row[column])
            if instant is not None and people.usable(row[column]) is not None:
                last[consent] = max(instant, last.get(consent, instant))
    people.withdrawn = {
        consent for consent, instant in withdrawn.items() if instant >= given.get(consent, instant)
    }


def _gather_requests(people: Population) -> None:
    """A request that is not closed is pending; one that is still to come does not exist yet.

    Without a readable date it is pending all the same: a hold fails closed.
    """
    for row in people.landing.rows["crm.rights_request"]:
        subjects = people.candidates("crm.rights_request", row)
        day = local_date(row["received_at"])
        is_to_come = day is not None and day > people.as_of
        if row["state"] != "closed" and not is_to_come:
            people.pending |= subjects
