"""Period arithmetic at month ends, leap days, clock changes and midnight (requirements § 6).

Belongs here: the table of month-end anchors, with last days written out, and local dates. Does not
belong here: fiscal years (`accounting`), working days (`advice`).
"""

from datetime import date, timedelta

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import ONE_DAY, at, at_utc, clock_change, last_day
from landing.sample.scene import LEAD_DIRECT, LEAD_PARTNER
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)

SIX_MONTHS = (
    (date(2022, 8, 31), date(2023, 2, 28)),
    (date(2023, 8, 29), date(2024, 2, 29)),
    (date(2023, 8, 30), date(2024, 2, 29)),
    (date(2023, 8, 31), date(2024, 2, 29)),
    (date(2023, 12, 31), date(2024, 6, 30)),
)
TWELVE_MONTHS = (
    (date(2024, 2, 29), date(2025, 2, 28)),
    (date(2023, 2, 28), date(2024, 2, 28)),
)


@story(15, persons=5)
def partner_leads_at_month_ends(s: Scene) -> None:
    """Six months after a day that the last month does not have: the last day of that month."""
    for number, (anchor, ends) in enumerate(SIX_MONTHS):
        person = s.person(anchor, via_partner=True, number=number)
        lead = s.lead(person, anchor, partner=1)
        if anchor <= s.as_of:
            s.expect_from(LEAD_PARTNER, ends, person.row, lead)
        else:
            s.expect(LEAD_PARTNER, "review", person.row, lead)


@story(16, persons=2)
def registrations_at_month_ends(s: Scene) -> None:
    """Twelve months from and to a 29 February."""
    for number, (anchor, ends) in enumerate(TWELVE_MONTHS):
        person = s.person(anchor, number=number)
        if anchor <= s.as_of:
            s.expect_from(LEAD_DIRECT, ends, person.row)
        else:
            s.expect(LEAD_DIRECT, "review", person.row)


@story(17, persons=4)
def registrations_on_clock_change_days(s: Scene) -> None:
    """The local date decides: on the Sunday with 23 hours 22:30Z is already Monday, on the one
    with 25 hours it is still Sunday; the hour that comes twice and the one that is left out are
    days like any other."""
    spring, autumn = clock_change(s.as_of, 3), clock_change(s.as_of, 10)
    moments = (
        (at_utc(spring, "22:30"), spring + ONE_DAY),
        (at_utc(spring, "01:00"), spring),
        (at_utc(autumn, "22:30"), autumn),
        (at_utc(autumn, "01:30"), autumn),
    )
    for number, (moment, day) in enumerate(moments):
        person = s.person(moment, number=number)
        s.expect_from(LEAD_DIRECT, last_day(day, 12), person.row)


@story(18, persons=2)
def leads_around_midnight(s: Scene) -> None:
    """One minute before and one after midnight in Oslo lie an hour or two earlier in UTC: two
    neighbouring local dates, a day apart in what they end on."""
    day = s.ago(months=8)
    for number, clock, local in ((0, "23:59", day), (1, "00:01", day + ONE_DAY)):
        received = at(local, clock)
        person = s.person(received, via_partner=True, number=number)
        lead = s.lead(person, received, partner=2)
        s.expect(LEAD_PARTNER, "overdue", person.row, lead)
        s.expect_last_day(last_day(local, 6), person.row, lead)


@story(19, persons=4)
def leads_at_the_end_of_a_month(s: Scene) -> None:
    """The last four days of a month about half a year ago: several may end on the same day."""
    first_of_next = (s.ago(months=5, days=15).replace(day=1) + timedelta(days=32)).replace(day=1)
    for number in range(4):
        anchor = first_of_next - timedelta(days=number + 1)
        person = s.person(anchor, via_partner=True, number=number)
        lead = s.lead(person, anchor, partner=4)
        s.expect_from(LEAD_PARTNER, last_day(anchor, 6), person.row, lead)
