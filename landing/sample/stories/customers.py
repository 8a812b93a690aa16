"""Customers without advice (R3): from the latest contact, back and forth over its end.

Belongs here: relationships in which nothing was delivered. Does not belong here: whether a contact
counts (`contacts`), advice (`advice`).
"""

from datetime import timedelta

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import ONE_DAY, last_day, newest_overdue_anchor
from landing.sample.scene import ASSIGNMENT, NO_ADVICE, SUPPORTING
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)


@story(36)
def customer_without_advice_overdue(s: Scene) -> None:
    """«Hvis et kundeforhold etableres, men uten at du mottar rådgivning»: last heard of 14 months
    ago. A web visit since then keeps nobody."""
    person = s.person(s.ago(months=18))
    first = s.contact(person, s.ago(months=17), "email")
    latest = s.contact(person, s.ago(months=14), "video")
    visit = s.contact(person, s.ago(months=1), "web")
    s.expect(NO_ADVICE, "overdue", person.row)
    s.expect(SUPPORTING, "overdue", first, latest, visit)
    s.expect_last_day(last_day(s.ago(months=14), 12), person.row, first, latest, visit)


@story(37)
def customer_without_advice_due_soon(s: Scene) -> None:
    """The twelve months end within the notice days."""
    anchor = newest_overdue_anchor(s.as_of, 12) + timedelta(days=6)
    person = s.person(s.ago(months=15))
    contact = s.contact(person, anchor, "call")
    s.expect(NO_ADVICE, "due_soon", person.row)
    s.expect(SUPPORTING, "due_soon", contact)


@story(38, persons=2)
def customer_without_advice_around_the_last_day(s: Scene) -> None:
    """On the first overdue day, and on the last day."""
    anchor = newest_overdue_anchor(s.as_of, 12)
    for number, day, status in ((0, anchor, "overdue"), (1, anchor + ONE_DAY, "due_soon")):
        person = s.person(s.ago(months=15), number=number)
        contact = s.contact(person, day, "email")
        s.expect(NO_ADVICE, status, person.row)
        s.expect(SUPPORTING, status, contact)
        s.expect_last_day(last_day(day, 12), person.row, contact)


@story(39)
def customer_without_advice_retained(s: Scene) -> None:
    """Each contact continues the relationship: the latest one counts."""
    person = s.person(s.ago(months=30))
    first = s.contact(person, s.ago(months=29), "email")
    latest = s.contact(person, s.ago(months=2), "call")
    s.expect(NO_ADVICE, "retained", person.row)
    s.expect(SUPPORTING, "retained", first, latest)
    s.expect_last_day(last_day(s.ago(months=2), 12), person.row, first, latest)


@story(40)
def returning_person(s: Scene) -> None:
    """In contact five years ago, then nothing, then a mail two months ago: a customer again."""
    person = s.person(s.ago(months=61))
    old = s.contact(person, s.ago(months=60), "call")
    new = s.contact(person, s.ago(months=2), "email")
    s.expect(NO_ADVICE, "retained", person.row)
    s.expect(SUPPORTING, "retained", old, new)
    s.expect_last_day(last_day(s.ago(months=2), 12), person.row)


@story(41)
def returning_after_advice_ran_out(s: Scene) -> None:
    """Advice of fifteen years ago is due, but the person wrote again three months ago: the old
    assignment goes, the person stays as a customer without advice."""
    person = s.person(s.ago(months=182))
    first = s.contact(person, s.ago(months=181), "call")
    advice = s.assignment(
        person, "ordinary_advice", "completed", s.ago(months=181), s.ago(months=180)
    )
    latest = s.contact(person, s.ago(months=3), "email")
    s.expect(ASSIGNMENT, "overdue", *advice.rows)
    s.expect(NO_ADVICE, "retained", person.row)
    s.expect(SUPPORTING, "retained", first, latest)
    s.expect_last_day(last_day(s.ago(months=3), 12), person.row)
