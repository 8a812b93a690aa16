"""Accounting material: fiscal years, primary and secondary, and that it keeps nothing else (R5).

Belongs here: Stripe documents of persons who are otherwise due. Does not belong here: subscriptions
as contracts (`products`).
"""

from datetime import date

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import at_utc, last_day
from landing.sample.scene import ACCOUNTING, NO_ADVICE, SUPPORTING, Ref
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)

PRIMARY, SECONDARY = 5 * 12, 3 * 12 + 6


def _former_customer(s: Scene, met: date) -> Ref:
    """Someone who once wrote, paid, and is long overdue; returns the Stripe customer."""
    person = s.person(met)
    event = s.contact(person, met, "email")
    s.expect(NO_ADVICE, "overdue", person.row)
    s.expect(SUPPORTING, "overdue", event)
    return s.stripe_customer(person, met)


def _kept_until(fiscal_year: int, months: int) -> date:
    """The last day of the duty to keep a document of a fiscal year."""
    return last_day(date(fiscal_year, 12, 31), months, minimum=True)


@story(66)
def accounting_keeps_only_the_accounts(s: Scene) -> None:
    """«An accounting duty on a charge does not keep the CRM notes of the same person»."""
    met = s.ago(months=40)
    charge = s.charge(_former_customer(s, met), met)
    s.expect(ACCOUNTING, "retained", charge)
    s.expect_last_day(_kept_until(met.year, PRIMARY), charge)


@story(67)
def fiscal_years_back_and_forth(s: Scene) -> None:
    """Five years after the end of the fiscal year, on a working day: documents of the sixth and the
    fifth year before this one, from both ends of the year."""
    year = s.as_of.year
    customer = _former_customer(s, date(year - 6, 1, 2))
    for day in (
        date(year - 6, 1, 2),
        date(year - 6, 12, 30),
        date(year - 5, 1, 2),
        date(year - 5, 12, 30),
    ):
        charge = s.charge(customer, day)
        s.expect_from(ACCOUNTING, _kept_until(day.year, PRIMARY), charge)


@story(68)
def fiscal_year_at_midnight(s: Scene) -> None:
    """«2023-12-31 23:30Z is 2024 in Oslo: another fiscal year»; an hour before that it is not."""
    year = s.as_of.year - 6
    customer = _former_customer(s, date(year, 12, 1))
    after = s.charge(customer, at_utc(date(year, 12, 31), "23:30"))
    before = s.charge(customer, at_utc(date(year, 12, 31), "22:30"))
    s.expect_from(ACCOUNTING, _kept_until(year + 1, PRIMARY), after)
    s.expect_from(ACCOUNTING, _kept_until(year, PRIMARY), before)


@story(69)
def secondary_material(s: Scene) -> None:
    """Three years and six months: the 30th of June, or the working day after it."""
    year = s.as_of.year
    customer = _former_customer(s, date(year - 6, 6, 1))
    for fiscal_year in (year - 5, year - 4, year - 3):
        intent = s.payment_intent(customer, date(fiscal_year, 3, 15))
        s.expect_from(ACCOUNTING, _kept_until(fiscal_year, SECONDARY), intent)


@story(82, persons=2)
def what_accounting_does_not_need(s: Scene) -> None:
    """Columns that accounting does not need go with the person, and the row stays: of somebody long
    gone they are due now, of a customer of last month they are not."""
    long_ago, lately = s.ago(months=30), s.ago(months=1)
    for number, day in enumerate((long_ago, lately)):
        person = s.person(day, number=number)
        s.contact(person, day, "email")
        charge = s.charge(s.stripe_customer(person, day), day, receipt_to=person)
        s.expect(ACCOUNTING, "retained", charge)
