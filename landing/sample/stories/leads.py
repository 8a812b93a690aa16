"""Leads that nothing came of, and leads that meet each other (R1, R2).

Belongs here: persons without a customer relationship. Does not belong here: contacts and what they
change (`contacts`), month ends (`month_ends`).
"""

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import ONE_DAY, last_day, newest_overdue_anchor
from landing.sample.scene import LEAD_DIRECT, LEAD_PARTNER, NO_ADVICE, SUPPORTING
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)


@story(1)
def partner_lead_overdue(s: Scene) -> None:
    """«Dersom et kundeforhold ikke etableres, vil dine personopplysninger bli slettet etter 6
    måneder dersom [de] ble mottatt via en samarbeidspartner»: handed over eight months ago."""
    person = s.person(s.ago(months=8), via_partner=True)
    lead = s.lead(person, s.ago(months=8), partner=1)
    s.expect(LEAD_PARTNER, "overdue", person.row, lead)
    s.expect_last_day(last_day(s.ago(months=8), 6), person.row, lead)


@story(2)
def partner_lead_on_its_last_day(s: Scene) -> None:
    """The end day is included: on the last day of the six months nothing is overdue yet. (Where no
    anchor ends exactly today, as on 31 August, the next possible day.)"""
    anchor = newest_overdue_anchor(s.as_of, 6) + ONE_DAY
    person = s.person(anchor, via_partner=True)
    lead = s.lead(person, anchor, partner=1)
    s.expect(LEAD_PARTNER, "due_soon", person.row, lead)
    s.expect_last_day(last_day(anchor, 6), person.row, lead)


@story(3)
def partner_lead_on_its_first_overdue_day(s: Scene) -> None:
    """due_on = last day + 1: the day after the last day the row is overdue."""
    anchor = newest_overdue_anchor(s.as_of, 6)
    person = s.person(anchor, via_partner=True)
    lead = s.lead(person, anchor, partner=2)
    s.expect(LEAD_PARTNER, "overdue", person.row, lead)
    s.expect_last_day(last_day(anchor, 6), person.row, lead)


@story(4)
def partner_lead_retained(s: Scene) -> None:
    """A clock runs: handed over a month and a half ago."""
    person = s.person(s.ago(days=45), via_partner=True)
    lead = s.lead(person, s.ago(days=45), partner=4)
    s.expect(LEAD_PARTNER, "retained", person.row, lead)


@story(5)
def direct_lead_overdue(s: Scene) -> None:
    """«Eller blir opplysningene slettet etter 12 måneder»: came by themselves 14 months ago, never
    in contact."""
    person = s.person(s.ago(months=14))
    lead = s.lead(person, s.ago(months=14), partner=None)
    s.expect(LEAD_DIRECT, "overdue", person.row, lead)


@story(6, persons=3)
def registration_around_its_last_day(s: Scene) -> None:
    """Registered without any contact: on the first overdue day, on the last day, and in between."""
    anchor = newest_overdue_anchor(s.as_of, 12)
    first_overdue = s.person(anchor)
    on_last_day = s.person(anchor + ONE_DAY, number=1)
    retained = s.person(s.ago(months=5), number=2)
    s.expect(LEAD_DIRECT, "overdue", first_overdue.row)
    s.expect(LEAD_DIRECT, "due_soon", on_last_day.row)
    s.expect(LEAD_DIRECT, "retained", retained.row)
    s.expect_last_day(last_day(anchor, 12), first_overdue.row)
    s.expect_last_day(last_day(anchor + ONE_DAY, 12), on_last_day.row)


@story(7)
def direct_lead_retained(s: Scene) -> None:
    """A direct lead on its own, three months old, after an older registration that has run out:
    «each lead row keeps its own date; the person's own row takes the latest live ground»."""
    person = s.person(s.ago(months=13))
    lead = s.lead(person, s.ago(months=3), partner=None)
    s.expect(LEAD_DIRECT, "retained", person.row, lead)
    s.expect_last_day(last_day(s.ago(months=3), 12), person.row, lead)


@story(8)
def two_partners_hand_over_the_same_person(s: Scene) -> None:
    """Each partner's lead has its own clock; the person's row lives as long as the later one."""
    person = s.person(s.ago(months=8), via_partner=True)
    first = s.lead(person, s.ago(months=8), partner=1)
    second = s.lead(person, s.ago(months=2), partner=2)
    s.expect(LEAD_PARTNER, "overdue", first)
    s.expect(LEAD_PARTNER, "retained", second, person.row)
    s.expect_last_day(last_day(s.ago(months=2), 6), second, person.row)


@story(9)
def same_partner_hands_over_again(s: Scene) -> None:
    """«The same partner sending it again does not restart it»: both rows count from the first."""
    person = s.person(s.ago(months=8), via_partner=True)
    first = s.lead(person, s.ago(months=8), partner=1)
    again = s.lead(person, s.ago(months=1), partner=1)
    s.expect(LEAD_PARTNER, "overdue", first, again, person.row)
    s.expect_last_day(last_day(s.ago(months=8), 6), first, again, person.row)


@story(10)
def contact_before_the_hand_over(s: Scene) -> None:
    """«Contact before the partner's hand-over, within a relationship still alive, means the person
    was a customer already (never R1)»."""
    person = s.person(s.ago(months=6))
    contact = s.contact(person, s.ago(months=5), "call")
    lead = s.lead(person, s.ago(months=3), partner=1)
    s.expect(NO_ADVICE, "retained", person.row, lead)
    s.expect(SUPPORTING, "retained", contact)
    s.expect_last_day(last_day(s.ago(months=5), 12), person.row, lead, contact)


@story(11, persons=2)
def lapsed_relationship_then_a_new_lead(s: Scene) -> None:
    """«A lapsed relationship does not bar R1»: once in contact, long ended, then handed over: one
    eight months ago, one two months ago."""
    for number, months, status in ((0, 8, "overdue"), (1, 2, "retained")):
        person = s.person(s.ago(months=40), number=number)
        contact = s.contact(person, s.ago(months=38), "email")
        lead = s.lead(person, s.ago(months=months), partner=2)
        s.expect(LEAD_PARTNER, status, person.row, lead)
        s.expect(SUPPORTING, status, contact)
        s.expect_last_day(last_day(s.ago(months=months), 6), person.row, lead, contact)


@story(12)
def union_lead_with_consent(s: Scene) -> None:
    """The partner is a union, the membership is processed with consent: R1 like any partner
    lead."""
    person = s.person(s.ago(months=2), via_partner=True)
    lead = s.lead(person, s.ago(months=2), partner=3)
    s.consent(person, "union_membership", s.ago(months=2))
    s.expect(LEAD_PARTNER, "retained", person.row, lead)


@story(13)
def union_lead_with_consent_withdrawn(s: Scene) -> None:
    """Consent withdrawn a week ago, the partner's id not yet taken out: still R1."""
    person = s.person(s.ago(months=2), via_partner=True)
    lead = s.lead(person, s.ago(months=2), partner=3)
    s.consent(person, "union_membership", s.ago(months=2), withdrawn=s.ago(days=7))
    s.expect(LEAD_PARTNER, "retained", person.row, lead)


@story(14, persons=2)
def received_via_partner_without_a_lead(s: Scene) -> None:
    """«A neutral received_via_partner keeps the record in R1»: the lead row that named the union is
    gone. Seven months old (R2 would keep it), and two and a half."""
    overdue = s.person(s.ago(months=7), via_partner=True)
    retained = s.person(s.ago(days=75), via_partner=True, number=1)
    s.expect(LEAD_PARTNER, "overdue", overdue.row)
    s.expect(LEAD_PARTNER, "retained", retained.row)
    s.expect_last_day(last_day(s.ago(months=7), 6), overdue.row)
