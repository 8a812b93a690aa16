"""Assignments whose clock is known: completed, open, acknowledged, in versions (R4 and active).

Belongs here: advice with a usable state and date. Does not belong here: assignments that a person
must look at (`undecided`), products without an adviser (`products`).
"""

from datetime import date, timedelta

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.crm_rows import Person
from landing.sample.dates import ONE_DAY, last_day, newest_overdue_anchor
from landing.sample.scene import ACTIVE, ASSIGNMENT, SUPPORTING
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)

ADVICE, WILL = 13 * 12, 20 * 12


def _customer(s: Scene, first_met: date, number: int = 0) -> Person:
    """Someone who registered and called within two weeks."""
    person = s.person(first_met, number=number)
    s.contact(person, first_met + timedelta(days=10), "call")
    return person


@story(42)
def ordinary_advice_overdue(s: Scene) -> None:
    """«Så lenge vi anser det som passende … med hensyn til regler om foreldelse»: 13 years (3 + 10)
    after completion, with a document and a signature that follow the assignment."""
    person = _customer(s, s.ago(months=170))
    advice = s.assignment(
        person, "ordinary_advice", "completed", s.ago(months=169), s.ago(months=166)
    )
    paper = s.document(advice, s.ago(months=167), third_person="Samboer Eksempelsen")
    signed = s.signing(person, advice, s.ago(months=169))
    s.expect(ASSIGNMENT, "overdue", person.row, *advice.rows, paper, *signed)
    s.expect_last_day(last_day(s.ago(months=166), ADVICE, minimum=True), person.row, paper)


@story(43)
def ordinary_advice_retained(s: Scene) -> None:
    """Completed two years ago; a later call about it belongs to the same relationship."""
    person = _customer(s, s.ago(months=28))
    advice = s.assignment(
        person, "ordinary_advice", "completed", s.ago(months=27), s.ago(months=24)
    )
    paper = s.document(advice, s.ago(months=25))
    later = s.contact(person, s.ago(months=20), "call")
    s.expect(ASSIGNMENT, "retained", person.row, *advice.rows, paper)
    s.expect(SUPPORTING, "retained", later)
    s.expect_last_day(last_day(s.ago(months=24), ADVICE, minimum=True), person.row, later)


@story(44, persons=2)
def ordinary_advice_around_the_last_day(s: Scene) -> None:
    """On the first overdue day and on the last, working days counted."""
    anchor = newest_overdue_anchor(s.as_of, ADVICE, minimum=True)
    for number, day, status in ((0, anchor, "overdue"), (1, anchor + ONE_DAY, "due_soon")):
        person = _customer(s, day - timedelta(days=60), number)
        advice = s.assignment(person, "ordinary_advice", "completed", day - timedelta(days=40), day)
        s.expect(ASSIGNMENT, status, person.row, *advice.rows)
        s.expect_last_day(last_day(day, ADVICE, minimum=True), person.row, *advice.rows)


@story(45, persons=4)
def will_and_marriage_contract(s: Scene) -> None:
    """Documents with effect for others: 20 years (foreldelsesloven § 9), so after 14 years still
    kept, after 21 due."""
    lives = (("will", 14), ("will", 21), ("marriage_contract", 14), ("marriage_contract", 21))
    for number, (kind, years) in enumerate(lives):
        completed = s.ago(months=12 * years)
        person = _customer(s, completed - timedelta(days=60), number)
        advice = s.assignment(person, kind, "completed", completed - timedelta(days=30), completed)
        status = "overdue" if years > 20 else "retained"
        s.expect(ASSIGNMENT, status, person.row, *advice.rows)
        s.expect_last_day(last_day(completed, WILL, minimum=True), person.row)


@story(46, persons=3)
def last_day_on_a_weekend_or_holiday(s: Scene) -> None:
    """For minimum periods the last day moves to the next working day: from a Saturday, from
    Christmas Day, and from the national day."""
    saturday = s.ago(days=20)
    saturday -= timedelta(days=(saturday.weekday() - 5) % 7)
    if (saturday.month, saturday.day) == (2, 29):
        # Thirteen years before there is no such day.
        saturday -= timedelta(days=7)
    christmas = date(s.ago(days=20 + 365).year, 12, 25)
    national_day = date(s.ago(days=20 + 365).year, 5, 17)
    for number, unmoved in enumerate((saturday, christmas, national_day)):
        completed = unmoved.replace(year=unmoved.year - 13)
        person = _customer(s, completed - timedelta(days=50), number)
        advice = s.assignment(
            person, "ordinary_advice", "completed", completed - timedelta(days=30), completed
        )
        ends = last_day(completed, ADVICE, minimum=True)
        s.expect_from(ASSIGNMENT, ends, person.row, *advice.rows)


@story(47)
def open_assignment_beside_an_old_one(s: Scene) -> None:
    """«Covers the person's own row and the records of that assignment, never the person's older
    assignments»: the old one is due while the person is active."""
    person = _customer(s, s.ago(months=172))
    old = s.assignment(person, "ordinary_advice", "completed", s.ago(months=170), s.ago(months=168))
    old_paper = s.document(old, s.ago(months=169))
    current = s.assignment(person, "ordinary_advice", "open", s.ago(months=3))
    new_paper = s.document(current, s.ago(months=2))
    event = s.contact(person, s.ago(months=2), "video")
    s.expect(ASSIGNMENT, "overdue", *old.rows, old_paper)
    s.expect(ACTIVE, "active", person.row, *current.rows, new_paper)
    s.expect(SUPPORTING, "active", event)


@story(48)
def active_but_idle(s: Scene) -> None:
    """Open for three years and nothing heard for twenty months: flagged, still active."""
    person = _customer(s, s.ago(months=38))
    advice = s.assignment(person, "will", "open", s.ago(months=36))
    event = s.contact(person, s.ago(months=20), "email")
    s.expect(ACTIVE, "active", person.row, *advice.rows)
    s.expect(SUPPORTING, "active", event)


@story(49)
def claim_acknowledged(s: Scene) -> None:
    """«An acknowledgement of the claim re-anchors R4»: completed 15 years ago, acknowledged two
    years ago."""
    person = _customer(s, s.ago(months=184))
    advice = s.assignment(
        person,
        "ordinary_advice",
        "completed",
        s.ago(months=182),
        s.ago(months=180),
        acknowledged=s.ago(months=24),
    )
    s.expect(ASSIGNMENT, "retained", person.row, *advice.rows)
    s.expect_last_day(last_day(s.ago(months=24), ADVICE, minimum=True), person.row, *advice.rows)


@story(50)
def complaint(s: Scene) -> None:
    """A complaint is a legal hold. No hold is placed here: without one the assignment is due."""
    person = _customer(s, s.ago(months=172))
    advice = s.assignment(
        person,
        "ordinary_advice",
        "completed",
        s.ago(months=171),
        s.ago(months=168),
        title="Klage på rådgivning",
    )
    s.expect(ASSIGNMENT, "overdue", person.row, *advice.rows)


@story(51, persons=2)
def versions_of_an_assignment(s: Scene) -> None:
    """History mode keeps every version: old ones are records like any other and share the deadline
    of what the current one states, completed or opened again."""
    person = _customer(s, s.ago(months=30))
    advice = s.assignment(
        person, "ordinary_advice", "completed", s.ago(months=29), s.ago(months=24)
    )
    s.expect(ASSIGNMENT, "retained", person.row, *advice.rows)
    again = _customer(s, s.ago(months=30), 1)
    reopened = s.assignment(again, "ordinary_advice", "open", s.ago(months=29), reopened=True)
    s.expect(ACTIVE, "active", again.row, *reopened.rows)


@story(52)
def closed_with_a_date(s: Scene) -> None:
    """Closed before it was completed, with a usable date: R4 from that day."""
    person = _customer(s, s.ago(months=20))
    advice = s.assignment(person, "ordinary_advice", "closed", s.ago(months=19), s.ago(months=15))
    s.expect(ASSIGNMENT, "retained", person.row, *advice.rows)
    s.expect_last_day(last_day(s.ago(months=15), ADVICE, minimum=True), person.row, *advice.rows)
