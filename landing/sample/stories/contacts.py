"""What is contact «via e-post, telefon eller video» and what is not, and when it comes too late.

Belongs here: leads and registrations with contact events. Does not belong here: how long a
customer is kept after the contact (`customers`).
"""

from datetime import timedelta

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.crm_rows import Person
from landing.sample.dates import ONE_DAY, at, last_day
from landing.sample.scene import LEAD_DIRECT, LEAD_PARTNER, NO_ADVICE, SUPPORTING, UNCLASSIFIED
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)


def _lead_that_stays_a_lead(s: Scene, *kinds: str) -> Person:
    """A partner lead of eight months ago with events that are no contact: overdue with its lead."""
    person = s.person(s.ago(months=8), via_partner=True)
    lead = s.lead(person, s.ago(months=8), partner=1)
    for kind in kinds:
        event = s.contact(person, s.ago(months=6, days=10), kind)
        late_event = s.contact(person, s.ago(days=12), kind)
        s.expect(SUPPORTING, "overdue", event, late_event)
    s.expect(LEAD_PARTNER, "overdue", person.row, lead)
    s.expect_last_day(last_day(s.ago(months=8), 6), person.row, lead)
    return person


@story(20)
def partner_lead_becomes_a_customer(s: Scene) -> None:
    """«Et kundeforhold oppstår når det er etablert en form for kontakt via e-post, telefon eller
    video»: an answered call within the six months moves the lead to R3."""
    person = s.person(s.ago(months=7), via_partner=True)
    lead = s.lead(person, s.ago(months=7), partner=1)
    contact = s.contact(person, s.ago(months=4), "call_out")
    s.expect(NO_ADVICE, "retained", person.row, lead)
    s.expect(SUPPORTING, "retained", contact)
    s.expect_last_day(last_day(s.ago(months=4), 12), person.row, lead, contact)


@story(21)
def contact_on_the_last_day(s: Scene) -> None:
    """«Contact on the last day of the six months moves the lead to R3», up to midnight in Oslo."""
    handed_over = s.ago(months=9)
    day = last_day(handed_over, 6)
    person = s.person(handed_over, via_partner=True)
    lead = s.lead(person, handed_over, partner=2)
    contact = s.contact(person, at(day, "23:58"), "call")
    s.expect(NO_ADVICE, "retained", person.row, lead)
    s.expect(SUPPORTING, "retained", contact)
    s.expect_last_day(last_day(day, 12), person.row, lead, contact)


@story(22)
def contact_after_expiry(s: Scene) -> None:
    """«Contact after the period ended, but before the purge ran: already due, goes to review»."""
    person = s.person(s.ago(months=9), via_partner=True)
    lead = s.lead(person, s.ago(months=9), partner=1)
    contact = s.contact(person, s.ago(months=1), "email")
    s.expect(LEAD_PARTNER, "review", lead)
    s.expect(NO_ADVICE, "review", person.row)
    s.expect(SUPPORTING, "review", contact)


@story(23)
def contact_two_minutes_too_late(s: Scene) -> None:
    """The first minutes of the day after the last day, local time: too late, though in UTC it is
    still the last day."""
    handed_over = s.ago(months=9)
    person = s.person(handed_over, via_partner=True)
    lead = s.lead(person, handed_over, partner=2)
    too_late = at(last_day(handed_over, 6) + ONE_DAY, "00:02")
    contact = s.contact(person, too_late, "call")
    s.expect(LEAD_PARTNER, "review", lead)
    s.expect(NO_ADVICE, "review", person.row)
    s.expect(SUPPORTING, "review", contact)


@story(24)
def voicemail_only(s: Scene) -> None:
    """An answering machine is no contact, though Twilio calls it completed and counts seconds."""
    person = _lead_that_stays_a_lead(s, "voicemail")
    call = s.call_to_voicemail(person, at(s.ago(months=6, days=10)))
    s.expect(SUPPORTING, "overdue", call)


@story(25)
def unanswered_calls(s: Scene) -> None:
    """Not answered, and answered for zero seconds: no contact."""
    _lead_that_stays_a_lead(s, "unanswered", "picked_up_and_hung_up")


@story(26)
def automated_mail(s: Scene) -> None:
    """Automated mail in both directions, and mail that only we sent: no contact."""
    _lead_that_stays_a_lead(s, "automated_mail", "auto_reply", "automated_inbound", "mail_out")


@story(27)
def mail_that_asserts_a_right(s: Scene) -> None:
    """«Asking for erasure never restarts a clock», by mail, by telephone or to the inbox."""
    _lead_that_stays_a_lead(s, "rights_mail", "rights_call")


@story(28)
def supplier_mail(s: Scene) -> None:
    """Mail from a supplier is no contact of a customer."""
    _lead_that_stays_a_lead(s, "supplier_mail")


@story(29)
def bounced_mail(s: Scene) -> None:
    """A mail that came back is no contact."""
    _lead_that_stays_a_lead(s, "bounce")


@story(30)
def web_visits_only(s: Scene) -> None:
    """«Visits do not restart it»: registered 14 months ago, on the web site last week."""
    person = s.person(s.ago(months=14))
    visit = s.contact(person, s.ago(days=7), "web")
    s.page_view(person, at(s.ago(days=7)))
    s.web_event(person, at(s.ago(days=7)))
    s.expect(LEAD_DIRECT, "overdue", person.row)
    s.expect(SUPPORTING, "overdue", visit)


@story(31)
def text_messages_and_a_cancelled_meeting(s: Scene) -> None:
    """SMS in both directions and a video meeting that was not held: no contact."""
    _lead_that_stays_a_lead(s, "sms_in", "sms_out", "video_cancelled")


@story(32, persons=2)
def mail_to_the_inbox(s: Scene) -> None:
    """A mail found by its sender's address, in other letters' case: contact. The same mail when it
    asserts a right: none."""
    asked = s.person(s.ago(months=7), via_partner=True)
    lead = s.lead(asked, s.ago(months=7), partner=1)
    mail = s.inbound_email(f" {asked.who.email.upper()}", s.ago(months=3))
    s.expect(NO_ADVICE, "retained", asked.row, lead)
    s.expect(SUPPORTING, "retained", mail)
    s.expect_last_day(last_day(s.ago(months=3), 12), asked.row, lead)
    objected = s.person(s.ago(months=8), via_partner=True, number=1)
    other_lead = s.lead(objected, s.ago(months=8), partner=1)
    s.inbound_email(objected.who.email, s.ago(months=3), purpose="rights_request")
    s.expect(LEAD_PARTNER, "overdue", objected.row, other_lead)


@story(33, persons=0)
def unknown_senders(s: Scene) -> None:
    """An e-mail sender we know nothing else of: the mail is the contact (R3)."""
    old = s.inbound_email("ukjent.avsender@example.org", s.ago(months=14))
    new = s.inbound_email("Annen.Avsender@Example.org", s.ago(months=4))
    s.expect(NO_ADVICE, "overdue", old)
    s.expect(NO_ADVICE, "retained", new)
    s.expect_last_day(last_day(s.ago(months=14), 12), old)


@story(34, persons=2)
def two_persons_share_an_address(s: Scene) -> None:
    """A couple with one e-mail address: the mail belongs to neither for certain, so it is nobody's
    contact, and a person must say whose it is."""
    shared = "familien.felles@example.no"
    for number in (0, 1):
        person = s.person(s.ago(months=2), via_partner=True, number=number, email=shared)
        lead = s.lead(person, s.ago(months=2), partner=4)
        s.expect(LEAD_PARTNER, "retained", person.row, lead)
    mail = s.inbound_email(shared.title(), s.ago(months=1))
    s.expect(UNCLASSIFIED, "review", mail)


@story(35)
def contact_on_the_day_of_the_hand_over(s: Scene) -> None:
    """Handed over at noon, called an hour later: in time."""
    day = s.ago(months=8)
    person = s.person(day, via_partner=True)
    lead = s.lead(person, at(day), partner=1)
    contact = s.contact(person, at(day) + timedelta(hours=1), "call_out")
    s.expect(NO_ADVICE, "retained", person.row, lead)
    s.expect(SUPPORTING, "retained", contact)
    s.expect_last_day(last_day(day, 12), person.row, lead, contact)
