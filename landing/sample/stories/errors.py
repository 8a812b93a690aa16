"""Rows without a usable date or person, and visitors without a name.

Belongs here: bad anchors, orphans, anonymous traces. Does not belong here: assignments without a
date (`undecided`).
"""

from datetime import date

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.contact_kinds import KINDS
from landing.sample.dates import ONE_DAY, at, last_day
from landing.sample.scene import LEAD_DIRECT, LEAD_PARTNER, SUPPORTING, UNCLASSIFIED
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)

EPOCH = date(1970, 1, 1)


@story(77, persons=0)
def anonymous_visitors(s: Scene) -> None:
    """«R2 … also site visitors»: events without a user, 14 months and two weeks old."""
    old = s.web_event(None, at(s.ago(months=14)))
    new = s.web_event(None, at(s.ago(days=14)))
    s.page_view(None, at(s.ago(months=14)))
    s.expect(LEAD_DIRECT, "overdue", old)
    s.expect(LEAD_DIRECT, "retained", new)
    s.expect_last_day(last_day(s.ago(months=14), 12), old)


@story(78, persons=3)
def registrations_without_a_usable_date(s: Scene) -> None:
    """Null, 1970-01-01 and tomorrow are no anchors: review."""
    for number, created in enumerate((None, EPOCH, s.as_of + ONE_DAY)):
        person = s.person(created, number=number)
        s.expect(LEAD_DIRECT, "review", person.row)


@story(79)
def leads_without_a_usable_date(s: Scene) -> None:
    """The same for leads; the person has another partner's lead to go by."""
    person = s.person(s.ago(days=50), via_partner=True)
    good = s.lead(person, s.ago(days=50), partner=1)
    undated = s.lead(person, None, partner=2)
    epoch = s.lead(person, EPOCH, partner=4)
    future = s.lead(person, s.as_of + ONE_DAY, partner=8)
    s.expect(LEAD_PARTNER, "retained", person.row, good)
    s.expect(LEAD_PARTNER, "review", undated, epoch, future)


@story(80)
def contacts_without_a_usable_date(s: Scene) -> None:
    """A contact without a date, of 1970 or of tomorrow is no fact, and is itself to be looked
    at."""
    person = s.person(s.ago(months=8), via_partner=True)
    lead = s.lead(person, s.ago(months=8), partner=1)
    events = [s.contact(person, day, "call") for day in (None, EPOCH, s.as_of + ONE_DAY)]
    s.expect(LEAD_PARTNER, "overdue", person.row, lead)
    s.expect(SUPPORTING, "review", *events)


@story(81, persons=0)
def contact_of_nobody(s: Scene) -> None:
    """A contact event whose person is no longer there: unclassified, review."""
    event = s.add(
        "crm.contact_event",
        {
            "id": s.next_id("crm.contact_event"),
            "person_id": s.first_person + 9,
            "occurred_at": at(s.ago(months=3)),
            **KINDS["call"]._asdict(),
        },
    )
    s.expect(UNCLASSIFIED, "review", event)
