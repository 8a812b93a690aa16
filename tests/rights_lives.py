"""What each kind of person has in the stories of the decision table, as landing rows.

Belongs here: a customer with a finished assignment, a lead of a union, a visitor. Does not belong here:
what comes on top of any life (`rights_stories`), and what becomes of it (`docs/rights-decisions.md`).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.crm_rows import Person
from landing.sample.dates import at
from landing.sample.identity import ip_address
from landing.sample.scene import Ref, Told
from tests.rights_table import NONE, Line

LEAD_PARTNER, UNION = 1, 3
TYPES = {"finished will": "will", "finished dispute": "dispute"}


@dataclass
class Life:
    """What one story lands. `kinds` are its records by the table's words; `completed` is the day its
    assignment ended, `paid` that of its accounting documents. `person` is None where the source knows
    no person who could ask; `requests` are her requests as they landed, that of the story first."""

    line: Line
    scene: Scene
    kinds: dict[str, list[Ref]] = field(default_factory=lambda: defaultdict(list))
    person: Person | None = None
    completed: date | None = None
    paid: date | None = None
    partner: int | None = None
    requests: list[Ref] = field(default_factory=list)

    def have(self, kind: str, *refs: Ref) -> None:
        self.kinds[kind].extend(refs)

    def ago(self, *, months: int = 0, days: int = 0) -> date:
        return self.scene.ago(months=months, days=days)

    def told(self) -> Told:
        return self.scene.told()


def began(line: Line) -> int:
    """How many months ago the person came."""
    if line.assignment == "past":
        return 175
    if line.accounting == "past":
        return 80
    return 30 if line.assignment.startswith("finished") else 5


def _customer(life: Life) -> None:
    line, s, months = life.line, life.scene, began(life.line)
    person = _registered(life, life.ago(months=months))
    life.have("contact", s.contact(person, life.ago(months=months - 1), "email"))
    if line.besides != "locked before":  # The erasure before took the session with it.
        life.have("session", s.page_view(person, at(life.ago(months=1))))
    ended = {"finished": 24, "past": 160}
    for state in line.assignment.split(" and ") if line.assignment != NONE else ():
        ago = ended.get(state.split()[0])
        kind = TYPES.get(state, "ordinary_advice")
        if ago is None:
            made = s.assignment(person, kind, "open", life.ago(months=2))
        else:
            life.completed = life.ago(months=ago)
            opened = life.ago(months=ago + 4)
            made = s.assignment(person, kind, "completed", opened, life.completed)
        prefix = "open " if line.assignment == "finished and open" and ago is None else ""
        life.have(f"{prefix}assignment", *made.rows)
        day = life.ago(months=(ago or 0) + 1)
        life.have(f"{prefix}document", s.document(made, day, "Samboer Eksempelsen"))


def _registered_user(life: Life) -> None:
    line, s = life.line, life.scene
    person = _registered(life, life.ago(months=5))
    life.have("session", s.page_view(person, at(life.ago(months=1))))
    life.have("visit", s.web_event(person, at(life.ago(months=1))))
    life.have("log-in", _log_in(life, person))
    if line.assignment == "draft":
        contract = s.contract(person, "marriage_contract", "draft", life.ago(months=4))
        life.have("contract", contract)
        life.have("party", s.party(contract))
    elif line.assignment == "finished":
        life.completed = life.ago(months=4)
        life.have(
            "order",
            s.order(person, "document_product", "delivered", life.completed, life.completed),
        )
    elif line.assignment == "open":
        payer = s.stripe_customer(person, life.ago(months=4))
        life.have("payer", payer)
        life.have("subscription", s.subscription(payer, "active", life.ago(months=4)))
    if line.purpose == "optional_cookies":
        life.have("consent", s.consent(person, "optional_cookies", life.ago(months=5)))


def _lead(life: Life) -> None:
    line, s = life.line, life.scene
    partner = UNION if line.who == "union lead" else LEAD_PARTNER
    received = life.ago(months=8 if line.besides in ("overdue", "late contact") else 3)
    person = life.person = s.person(received, via_partner=True)
    life.have("person", person.row)
    life.have("lead", s.lead(person, received, partner))
    if partner == UNION:
        life.have("consent", s.consent(person, "union_membership", received))
    if line.besides == "late contact" or line.partner == "joint":
        life.have("contact", s.contact(person, life.ago(months=1, days=10), "email"))
    if line.besides == "shared back":
        life.partner = partner
        life.have("consent", s.consent(person, "share_back", received))


def _third_person(life: Life) -> None:
    s = life.scene
    owner = s.person(life.ago(months=25))
    contract = s.contract(
        owner, "marriage_contract", "signed", life.ago(months=25), life.ago(months=24)
    )
    life.have("contract", contract)
    life.have("party", s.party(contract))


def _business_contact(life: Life) -> None:
    s = life.scene
    number = s.next_id("crm.business_contact")
    life.have(
        "colleague",
        s.add(
            "crm.business_contact",
            {
                "id": number,
                "organisation": "Nordlys Trykkeri",
                "name": "Kontakt Eksempelsen",
                "email": f"kontakt{number}@example.com",
                "created_at": at(life.ago(months=20)),
            },
        ),
    )


def _sender(life: Life) -> None:
    sender = f"avsender{life.scene.first_person}@example.com"
    life.have("mail", life.scene.inbound_email(sender, life.ago(months=2)))


def _visitor(life: Life) -> None:
    life.have("session", life.scene.page_view(None, at(life.ago(months=2))))
    life.have("visit", life.scene.web_event(None, at(life.ago(months=2))))


def _registered(life: Life, day: date) -> Person:
    person = life.person = life.scene.person(day)
    life.have("person", person.row)
    return person


def _log_in(life: Life, person: Person) -> Ref:
    s = life.scene
    when: datetime = at(life.ago(months=2))
    return s.add(
        "scrive.authentication",
        {
            "id": f"aut-{s.next_id('scrive.authentication', person.id)}",
            "email": person.who.email,
            "authenticated_at": when,
            "ip_address": ip_address(s.random),
        },
    )


TELLERS = {
    "customer": _customer,
    "registered user": _registered_user,
    "partner lead": _lead,
    "union lead": _lead,
    "third person": _third_person,
    "business contact": _business_contact,
    "e-mail sender": _sender,
    "site visitor": _visitor,
}
