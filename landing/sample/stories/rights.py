"""Rights requests, objections, and contact persons of other firms.

Belongs here: what has no period in the policy, and what a pending request holds. Does not belong
here: mail that asserts a right (`contacts`).
"""

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.identity import make_identity, spell_phone
from landing.sample.scene import BUSINESS, LEAD_PARTNER, OWN, RIGHTS, SUPPORTING
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)


@story(73)
def rights_request_pending(s: Scene) -> None:
    """A request not yet closed holds the person's records, also those that are due."""
    person = s.person(s.ago(months=8), via_partner=True)
    lead = s.lead(person, s.ago(months=8), partner=1)
    event = s.contact(person, s.ago(days=6), "rights_mail")
    request = s.rights_request(person, "access", "identity_verified", s.ago(days=6))
    s.expect(LEAD_PARTNER, "held", person.row, lead)
    s.expect(SUPPORTING, "held", event)
    s.expect(RIGHTS, "held", request)


@story(74)
def rights_request_closed(s: Scene) -> None:
    """A request that is closed holds nothing; the policy has no period for it: review."""
    person = s.person(s.ago(months=8), via_partner=True)
    lead = s.lead(person, s.ago(months=8), partner=1)
    request = s.rights_request(person, "access", "closed", s.ago(months=7), s.ago(months=6))
    s.expect(LEAD_PARTNER, "overdue", person.row, lead)
    s.expect(RIGHTS, "review", request)


@story(75, persons=0)
def marketing_objection(s: Scene) -> None:
    """«Marketing objections must survive purge as a suppression entry»: kept, no clock."""
    objection = s.add(
        "crm.marketing_objection",
        {
            "email": make_identity(s.first_person, s.random).email,
            "objected_at": s.synced.replace(year=s.as_of.year - 3, day=1),
            "channel": "email",
        },
    )
    s.expect(OWN, "active", objection)


@story(76, persons=0)
def business_contact(s: Scene) -> None:
    """Contact persons of partners and suppliers: no period in the policy, so review."""
    who = make_identity(s.first_person, s.random)
    contact = s.add(
        "crm.business_contact",
        {
            "id": s.next_id("crm.business_contact"),
            "organisation": "Nordlys Trykkeri",
            "name": who.name,
            "email": who.email,
            "phone": spell_phone(who.phone, s.random),
            "created_at": s.synced.replace(year=s.as_of.year - 4, day=1),
        },
    )
    s.expect(BUSINESS, "review", contact)
