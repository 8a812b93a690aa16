"""Products made without an adviser: orders, contracts with third persons, subscriptions.

Belongs here: deliveries, drafts and running contracts. Does not belong here: advice (`advice`),
what is kept for the accounts (`accounting`).
"""

from datetime import timedelta

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import last_day
from landing.sample.scene import ACTIVE, ASSIGNMENT, LEAD_DIRECT
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)


@story(60, persons=2)
def purchase_without_contact(s: Scene) -> None:
    """«A one-off purchase is a delivered product: R4 by its type»: a will two years ago, another
    document fourteen years ago, neither with a word of contact."""
    for number, kind, months, years, status in (
        (0, "will", 24, 20, "retained"),
        (1, "document_product", 168, 13, "overdue"),
    ):
        delivered = s.ago(months=months)
        ordered = delivered - timedelta(days=2)
        person = s.person(ordered, number=number)
        order = s.order(person, kind, "delivered", ordered, delivered)
        s.expect(ASSIGNMENT, status, person.row, order)
        s.expect_last_day(last_day(delivered, 12 * years, minimum=True), person.row, order)


@story(61)
def drafts_only(s: Scene) -> None:
    """Begun and never finished: a draft is no assignment, so its rows go with the registration."""
    person = s.person(s.ago(months=14))
    order = s.order(person, "will", "draft", s.ago(months=14))
    contract = s.contract(person, "marriage_contract", "draft", s.ago(months=13))
    party = s.party(contract)
    s.expect(LEAD_DIRECT, "overdue", person.row, order, contract, party)


@story(62)
def third_persons_in_a_contract(s: Scene) -> None:
    """«Third person named in a product or document (no contact of their own: follows the
    document)»."""
    person = s.person(s.ago(months=25))
    contract = s.contract(person, "marriage_contract", "signed", s.ago(months=25), s.ago(months=24))
    parties = [
        s.party(contract, email=person.who.email, third=False),
        s.party(contract),
        s.party(contract),
    ]
    s.expect(ASSIGNMENT, "retained", person.row, contract, *parties)


@story(63, persons=2)
def customer_and_lead_and_third_person(s: Scene) -> None:
    """«One human can be several at once, so classify per record and purpose»: a customer with
    advice of two years ago, handed over by a partner since, and named in someone else's contract
    that is due."""
    other = s.person(s.ago(months=253), number=1)
    contract = s.contract(
        other, "marriage_contract", "signed", s.ago(months=253), s.ago(months=252)
    )
    person = s.person(s.ago(months=26))
    s.contact(person, s.ago(months=26), "email")
    advice = s.assignment(
        person, "ordinary_advice", "completed", s.ago(months=26), s.ago(months=24)
    )
    lead = s.lead(person, s.ago(months=8), partner=2)
    party = s.party(contract, email=person.who.email.upper())
    s.expect(ASSIGNMENT, "retained", person.row, *advice.rows, lead)
    s.expect(ASSIGNMENT, "overdue", other.row, contract, party)


@story(64)
def subscription_running(s: Scene) -> None:
    """A subscription between its start and its end: active, no clock."""
    person = s.person(s.ago(months=25))
    customer = s.stripe_customer(person, s.ago(months=25))
    subscription = s.subscription(customer, "active", s.ago(months=25))
    s.charge(customer, s.ago(months=2), 19_900)
    s.expect(ACTIVE, "active", person.row, subscription)


@story(65)
def subscription_ended(s: Scene) -> None:
    """Ended two years ago: a service delivered."""
    person = s.person(s.ago(months=40))
    customer = s.stripe_customer(person, s.ago(months=40))
    subscription = s.subscription(customer, "canceled", s.ago(months=40), s.ago(months=24))
    s.charge(customer, s.ago(months=25), 19_900)
    s.expect(ASSIGNMENT, "retained", person.row, subscription)
