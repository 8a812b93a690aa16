"""Consents that were withdrawn, given again, or withdrawn while something holds the person.

Belongs here: what a withdrawal erases, and what it leaves. Does not belong here: leads of a union in
general (`leads`), and sharing by a hand-over (`sharing`).
"""

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import at, last_day
from landing.sample.scene import LEAD_DIRECT, LEAD_PARTNER, RIGHTS, SUPPORTING
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)

#: A trade union of `reference`.
UNION = 3


@story(83, persons=2)
def union_consent_withdrawn_before_and_after_the_six_months(s: Scene) -> None:
    """«When consent is withdrawn the id becomes null, never a hash, while a neutral flag keeps the record
    in R1»: withdrawn while the six months ran, and after they had ended. The rows keep their clock."""
    for number, months, status in ((0, 3, "retained"), (1, 8, "overdue")):
        person = s.person(s.ago(months=months), via_partner=True, number=number)
        lead = s.lead(person, s.ago(months=months), partner=UNION)
        proof = s.consent(
            person, "union_membership", s.ago(months=months), withdrawn=s.ago(days=2 + 40 * number)
        )
        s.expect(LEAD_PARTNER, status, person.row, lead)
        s.expect(SUPPORTING, status, proof)
        s.expect_last_day(last_day(s.ago(months=months), 6), person.row, lead)


@story(84)
def cookies_withdrawn(s: Scene) -> None:
    """«Optional cookies»: analysis of the site's use rests on consent, and goes with it, whatever period
    runs; monitoring does not, and stays. The proof of the consent stays."""
    person = s.person(s.ago(months=4))
    analysed = s.web_event(person, at(s.ago(days=20), "10:00"))
    monitored = s.page_view(person, at(s.ago(days=20), "10:00"))
    proof = s.consent(person, "optional_cookies", s.ago(months=4), withdrawn=s.ago(days=3))
    s.expect(LEAD_DIRECT, "retained", person.row)
    s.expect(SUPPORTING, "overdue", analysed)
    s.expect(SUPPORTING, "retained", monitored, proof)
    s.expect_last_day(s.ago(days=1), analysed)


@story(85)
def consent_given_again(s: Scene) -> None:
    """Withdrawn, and given again later for the same purpose: it is in force."""
    person = s.person(s.ago(months=5))
    analysed = s.web_event(person, at(s.ago(days=20), "10:00"))
    s.consent(person, "optional_cookies", s.ago(months=5), withdrawn=s.ago(months=3))
    s.consent(person, "optional_cookies", s.ago(months=2))
    s.expect(LEAD_DIRECT, "retained", person.row)
    s.expect(SUPPORTING, "retained", analysed)


@story(86)
def sharing_back_withdrawn(s: Scene) -> None:
    """«Dele dataene tilbake til samarbeidspartneren, dersom du har gitt ditt samtykke til dette»:
    withdrawn, the sharing stops, and nothing is erased here."""
    person = s.person(s.ago(months=3), via_partner=True)
    lead = s.lead(person, s.ago(months=3), partner=1)
    proof = s.consent(person, "share_back", s.ago(months=3), withdrawn=s.ago(days=5))
    s.expect(LEAD_PARTNER, "retained", person.row, lead)
    s.expect(SUPPORTING, "retained", proof)


@story(87)
def cookies_withdrawn_while_a_request_is_pending(s: Scene) -> None:
    """«A legal hold naming that column goes to a person»: a copy of everything was asked for, and nothing
    may vanish before that was answered."""
    person = s.person(s.ago(months=4))
    analysed = s.web_event(person, at(s.ago(days=20), "10:00"))
    s.consent(person, "optional_cookies", s.ago(months=4), withdrawn=s.ago(days=3))
    request = s.rights_request(person, "access", "received", s.ago(days=4))
    s.expect(LEAD_DIRECT, "held", person.row)
    s.expect(SUPPORTING, "held", analysed)
    s.expect(RIGHTS, "held", request)
