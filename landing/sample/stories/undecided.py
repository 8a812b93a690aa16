"""Assignments that no rule decides alone: without a date, of an unknown type, deleted at the
source.

Belongs here: «closed or cancelled without a usable date, unknown type … → review», and soft
deletes. Does not belong here: assignments whose clock is known (`advice`).
"""

from datetime import date, timedelta

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import ONE_DAY, last_day
from landing.sample.scene import ASSIGNMENT, LEAD_PARTNER, NO_ADVICE, SUPPORTING
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)


def _to_review(
    s: Scene, kind: str, state: str, completed: date | None, *, deleted: bool = False
) -> None:
    """A customer with one assignment that a person must look at, and so must the person's row."""
    person = s.person(s.ago(months=30))
    event = s.contact(person, s.ago(months=29), "call")
    advice = s.assignment(person, kind, state, s.ago(months=28), completed, deleted=deleted)
    paper = s.document(advice, s.ago(months=27))
    s.expect(ASSIGNMENT, "review", person.row, *advice.rows, paper)
    s.expect(SUPPORTING, "review", event)


@story(53)
def cancelled_without_a_date(s: Scene) -> None:
    """Cancelled, and nothing says when."""
    _to_review(s, "ordinary_advice", "cancelled", None)


@story(54)
def unknown_assignment_type(s: Scene) -> None:
    """A type from an older system, for which nobody approved a period."""
    _to_review(s, "legacy_misc", "completed", s.ago(months=24))


@story(59)
def type_without_an_approved_period(s: Scene) -> None:
    """A type whose period nobody has approved: the proposed date is shown, nothing is purged."""
    _to_review(s, "dispute", "completed", s.ago(months=24))


@story(55)
def completed_without_a_date(s: Scene) -> None:
    """The state says completed, completed_at is null."""
    _to_review(s, "ordinary_advice", "completed", None)


@story(56)
def completed_in_the_future(s: Scene) -> None:
    """Completed next month: an impossible anchor."""
    _to_review(s, "ordinary_advice", "completed", s.as_of + timedelta(days=30))


@story(57)
def open_assignment_deleted_at_the_source(s: Scene) -> None:
    """The source deleted an assignment that was open: it ended, and nothing says when."""
    _to_review(s, "will", "open", None, deleted=True)


@story(58, persons=2)
def soft_deleted_rows(s: Scene) -> None:
    """«_fivetran_deleted = true is not deletion»: the rows are still there and due like any other;
    a deleted contact event still happened."""
    gone = s.person(s.ago(months=8), via_partner=True, deleted=True)
    lead = s.lead(gone, s.ago(months=8), partner=1, deleted=True)
    s.expect(LEAD_PARTNER, "overdue", gone.row, lead)
    customer = s.person(s.ago(months=8), via_partner=True, number=1)
    other_lead = s.lead(customer, s.ago(months=8), partner=1)
    event = s.contact(customer, s.ago(months=8) + ONE_DAY, "call", deleted=True)
    s.expect(NO_ADVICE, "retained", customer.row, other_lead)
    s.expect(SUPPORTING, "retained", event)
    s.expect_last_day(last_day(s.ago(months=8) + ONE_DAY, 12), customer.row, event)
