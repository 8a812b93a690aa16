"""How rows of the other systems look: contracts, Scrive, Stripe, Twilio, the web.

Belongs here: one method a table outside the CRM, filling the columns that carry personal data or
a date. Does not belong here: the CRM's own tables (`crm_rows`, `case_rows`), and what a story
expects.
"""

from datetime import date, datetime, timedelta

from landing.sample import identity, names
from landing.sample.case_rows import Assignment, CaseRows
from landing.sample.crm_rows import Person, moment
from landing.sample.identity import make_identity, spell_email
from landing.sample.scene import Ref, Value

ACCOUNT = "AC00000000000000000000000000000001"
OWN_NUMBER = "+4718000001"
#: Third persons get names and addresses as persons of these ids would, who do not exist.
THIRD_PERSONS = 4_800_000


class ConnectorRows(CaseRows):
    """A scene that knows every landing table."""

    def contract(
        self, person: Person, kind: str, state: str, created: date, signed: date | None = None
    ) -> Ref:
        """A contract made in the self-service flow."""
        return self.add(
            "aws_agreements.contract",
            {
                "id": f"agr-{self.next_id('aws_agreements.contract', person.id)}",
                "person_id": person.id,
                "product_type": kind,
                "state": state,
                "created_at": moment(created),
                "signed_at": moment(signed),
                "counterparty_address": identity.address(self.random),
            },
        )

    def party(self, contract: Ref, *, email: str | None = None, third: bool = True) -> Ref:
        """A party named in a contract: by default a third person without contact of their own."""
        number = self.next_id("aws_agreements.contract_party")
        who = make_identity(THIRD_PERSONS + number, self.random)
        return self.add(
            "aws_agreements.contract_party",
            {
                "id": f"pty-{number}",
                "contract_id": contract[1],
                "name": who.name,
                "email": email or who.email,
                "national_id": identity.national_id(self.random),
                "is_third_person": third,
            },
        )

    def signing(self, person: Person, assignment: Assignment, signed: date) -> tuple[Ref, Ref]:
        """A document signed in Scrive for an assignment, and the person's signature on it."""
        number = self.next_id("scrive.document", person.id)
        document = self.add(
            "scrive.document",
            {
                "id": f"scr-{number}",
                "assignment_id": assignment.id,
                "title": "Oppdragsavtale",
                "status": "signed",
                "created_at": moment(signed),
                "signed_at": moment(signed),
            },
        )
        signatory = self.add(
            "scrive.signatory",
            {
                "id": f"sig-{number}",
                "document_id": document[1],
                "name": person.who.name,
                "email": spell_email(person.who.email, self.random),
                "national_id": identity.national_id(self.random),
                "ip_address": identity.ip_address(self.random),
                "signed_at": moment(signed),
            },
        )
        return document, signatory

    def stripe_customer(self, person: Person, created: date) -> Ref:
        """A paying customer; only the e-mail address says which person it is."""
        return self.add(
            "stripe.customer",
            {
                "id": f"cus_{self.next_id('stripe.customer', person.id)}",
                "created": moment(created),
                "currency": "nok",
                "delinquent": False,
                "email": spell_email(person.who.email, self.random),
                "name": person.who.name,
                "phone": f"+47{person.who.phone}",
                "address_line_1": identity.street(self.random),
                "address_city": "Oslo",
                "address_country": "NO",
                "address_postal_code": "0181",
                "is_deleted": False,
                "livemode": True,
                "metadata": "{}",
            },
        )

    def charge(
        self,
        customer: Ref,
        when: date | datetime,
        amount: int = 199_000,
        receipt_to: Person | None = None,
    ) -> Ref:
        """A paid charge: primary accounting material; with the person that the receipt went to, and
        the papers, it holds more than the accounts need."""
        number = customer[1].removeprefix("cus_")
        charge_id = f"ch_{number}_{self.next_id('stripe.charge', int(number)) % 100:02d}"
        return self.add(
            "stripe.charge",
            {
                "id": charge_id,
                "amount": amount,
                "amount_refunded": 0,
                "captured": True,
                "created": moment(when),
                "currency": "nok",
                "customer_id": customer[1],
                "description": "Juridisk bistand",
                "livemode": True,
                "paid": True,
                "refunded": False,
                "status": "succeeded",
                "metadata": "{}",
                **(self._receipt(receipt_to) if receipt_to else {}),
            },
        )

    def _receipt(self, person: Person) -> dict[str, Value]:
        """What a charge holds of the person who got its receipt."""
        return {
            "receipt_email": person.who.email,
            "shipping_name": person.who.name,
            "shipping_phone": f"+47{person.who.phone}",
            "shipping_address_line_1": identity.street(self.random),
            "shipping_address_city": "Oslo",
        }

    def payment_intent(self, customer: Ref, when: date | datetime) -> Ref:
        """The intent behind a payment: secondary accounting material."""
        number = customer[1].removeprefix("cus_")
        intent_id = f"pi_{number}_{self.next_id('stripe.payment_intent', int(number)) % 100:02d}"
        return self.add(
            "stripe.payment_intent",
            {
                "id": intent_id,
                "amount": 199_000,
                "amount_received": 199_000,
                "created": moment(when),
                "currency": "nok",
                "customer_id": customer[1],
                "livemode": True,
                "status": "succeeded",
            },
        )

    def subscription(
        self, customer: Ref, status: str, started: date, ended: date | None = None
    ) -> Ref:
        """A subscription as its current version states it."""
        return self.add(
            "stripe.subscription_history",
            {
                "id": f"sub_{customer[1].removeprefix('cus_')}",
                "_fivetran_active": True,
                "billing": "charge_automatically",
                "billing_cycle_anchor": moment(started),
                "cancel_at_period_end": False,
                "canceled_at": moment(ended),
                "created": moment(started),
                "current_period_start": moment(started),
                "current_period_end": moment(ended or self.as_of + timedelta(20)),
                "customer_id": customer[1],
                "ended_at": moment(ended),
                "livemode": True,
                "metadata": "{}",
                "quantity": 1,
                "start_date": moment(started),
                "status": status,
            },
        )

    def call_to_voicemail(self, person: Person, when: datetime) -> Ref:
        """Twilio's side of a call that a machine answered: completed, and with a duration."""
        return self.add(
            "twilio.call",
            {
                "id": f"CA{self.next_id('twilio.call', person.id):032d}",
                "account_id": ACCOUNT,
                "answered_by": "machine_end_beep",
                "created_at": when,
                "start_time": when,
                "end_time": when + timedelta(seconds=27),
                "direction": "outbound-api",
                "duration": 27,
                "from": OWN_NUMBER,
                "to": f"+47{person.who.phone}",
                "price_unit": "NOK",
                "queue_time": 0,
                "status": "completed",
                "updated_at": when,
            },
        )

    def page_view(self, person: Person | None, when: datetime) -> Ref:
        """A page someone looked at; without a person it is a visitor."""
        number = self.next_id("new_relic.page_view", person.id if person else None)
        return self.add(
            "new_relic.page_view",
            {
                "id": f"pv-{number}",
                "person_id": person.id if person else None,
                "session_id": f"s{number}",
                "ip_address": identity.ip_address(self.random),
                "user_agent": identity.pick(names.BROWSERS, self.random),
                "viewed_at": when,
            },
        )

    def web_event(self, person: Person | None, when: datetime) -> Ref:
        """An analytics event; without a person it is a visitor."""
        number = self.next_id("google_analytics.event", person.id if person else None)
        return self.add(
            "google_analytics.event",
            {
                "_fivetran_id": f"ga-{number}",
                "date": when.date(),
                "timestamp": when,
                "name": "page_view",
                "platform": "WEB",
                "device_category": "mobile",
                "geo_city": "Oslo",
                "geo_country": "Norway",
                "user_id": str(person.id) if person else None,
                "user_pseudo_id": f"{number}.{when:%Y%m%d}",
                "user_first_touch_timestamp": when,
                "event_dimensions_hostname": "www.example.no",
                "param_ga_session_id": str(number),
                "is_intraday": False,
            },
        )
