"""How rows of the CRM look, with defaults, so that a story shows only what matters to it.

Belongs here: the CRM's tables about persons. Does not belong here: assignments and orders
(`case_rows`), other systems (`connector_rows`), and what a story expects.
"""

from dataclasses import dataclass
from datetime import date, datetime

from landing.sample import identity
from landing.sample.contact_kinds import KINDS
from landing.sample.dates import at
from landing.sample.identity import Identity, make_identity, spell_email, spell_phone
from landing.sample.scene import Ref, Scene


@dataclass(frozen=True)
class Person:
    """A person of a story: the id, the row, and the values that other systems repeat."""

    id: int
    row: Ref
    who: Identity


class CrmRows(Scene):
    """A scene that knows the CRM's persons."""

    def person(
        self,
        created: date | datetime | None,
        *,
        via_partner: bool = False,
        number: int = 0,
        email: str | None = None,
        deleted: bool = False,
    ) -> Person:
        """Register a person: `number` 0–9 within the story's block."""
        person_id = self.first_person + number
        who = make_identity(person_id, self.random)
        if email is not None:
            who = Identity(who.first_name, who.last_name, email, who.phone)
        row = self.add(
            "crm.person",
            {
                "id": person_id,
                "created_at": moment(created),
                "first_name": who.first_name,
                "last_name": who.last_name,
                "national_id": None if via_partner else identity.national_id(self.random),
                "email": who.email,
                "phone": spell_phone(who.phone, self.random),
                "ip_address": None if via_partner else identity.ip_address(self.random),
                "address": None if via_partner else identity.address(self.random),
                "family_situation": None,
                "housing_type": None,
                "account_number": None,
                "received_via_partner": via_partner,
                "source": "partner" if via_partner else "web",
                "_fivetran_deleted": deleted,
            },
        )
        return Person(person_id, row, who)

    def lead(
        self,
        person: Person,
        received: date | datetime | None,
        partner: int | None,
        *,
        deleted: bool = False,
    ) -> Ref:
        """A lead handed over to us by `partner`; None is a direct lead."""
        return self.add(
            "crm.lead",
            {
                "id": self.next_id("crm.lead", person.id),
                "person_id": person.id,
                "partner_id": partner,
                "received_at": moment(received),
                "name": person.who.name,
                "email": spell_email(person.who.email, self.random),
                "phone": spell_phone(person.who.phone, self.random),
                "campaign": "medlemsfordel" if partner else "gratis-samtale",
                "_fivetran_deleted": deleted,
            },
        )

    def contact(
        self,
        person: Person,
        when: date | datetime | None,
        kind: str,
        *,
        deleted: bool = False,
    ) -> Ref:
        """A contact event of a kind of `contact_kinds`."""
        return self.add(
            "crm.contact_event",
            {
                "id": self.next_id("crm.contact_event", person.id),
                "person_id": person.id,
                "occurred_at": moment(when),
                "_fivetran_deleted": deleted,
                **KINDS[kind]._asdict(),
            },
        )

    def inbound_email(self, sender: str, when: date | datetime, *, purpose: str = "inquiry") -> Ref:
        """A mail in the shared inbox; only its address says whose it is."""
        return self.add(
            "crm.inbound_email",
            {
                "id": self.next_id("crm.inbound_email"),
                "from_address": sender,
                "to_address": "info@example.com",
                "subject": "Henvendelse",
                "body": "Hei, jeg lurer på noe og håper dere kan svare. Hilsen avsenderen",
                "purpose": purpose,
                "received_at": moment(when),
            },
        )

    def handover(self, person: Person, partner: int, scope: str, when: datetime) -> Ref:
        """A hand-over or referral of the person from us to a partner."""
        return self.add(
            "crm.handover",
            {
                "id": self.next_id("crm.handover", person.id),
                "person_id": person.id,
                "partner_id": partner,
                "scope": scope,
                "handed_over_at": when,
            },
        )

    def consent(
        self, person: Person, purpose: str, given: date, withdrawn: date | None = None
    ) -> Ref:
        """A consent and, where it was, its withdrawal."""
        return self.add(
            "crm.consent",
            {
                "id": self.next_id("crm.consent", person.id),
                "person_id": person.id,
                "purpose": purpose,
                "given_at": at(given),
                "withdrawn_at": moment(withdrawn),
            },
        )

    def rights_request(
        self, person: Person, right: str, state: str, received: date, closed: date | None = None
    ) -> Ref:
        """A request under the policy's section 8; pending until its state is closed."""
        request_id = self.next_id("crm.rights_request", person.id)
        return self.add(
            "crm.rights_request",
            {
                "id": request_id,
                "person_id": person.id,
                "right_asserted": right,
                "state": state,
                "received_at": at(received),
                "closed_at": moment(closed),
                "id_scan_url": f"s3://sample-id-scans/{request_id}.png",
            },
        )


def moment(day: date | datetime | None) -> datetime | None:
    """Noon in Oslo for a date; a stated instant stays what it is."""
    if day is None or isinstance(day, datetime):
        return day
    return at(day)
