"""The stories of the decision table as landing rows: a life, its partners and accounts, a request.

Belongs here: what comes on top of any life, and landing all of it. Does not belong here: the lives
(`rights_lives`), and what becomes of them, which only the table says (`docs/rights-decisions.md`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import psycopg

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.copy_text import copy_line
from landing.sample.crm_rows import Person
from landing.sample.dates import at
from landing.sample.tables import TABLES_BY_NAME
from tests.rights_lives import TELLERS, Life, began
from tests.rights_table import NONE, Line

#: Ids of the stories' persons: beyond the sample's own.
FIRST_PERSON = 5_000
PERSONS_PER_STORY = 10

JOINT_PARTNER, INSTRUCTING, SILENT = 1, 5, 6


def tell(line: Line, as_of: date) -> Life:
    """The rows of one story. Raises KeyError for a life that nobody has told yet."""
    first = FIRST_PERSON + line.number * PERSONS_PER_STORY
    life = Life(line, Scene(as_of, 1, first, 30))
    TELLERS[line.who](life)
    if life.person is not None:
        if line.accounting != NONE:
            _paid(life, life.person)
        _with_partner(life, life.person)
        _besides(life, life.person)
        _asks(life, life.person)
    return life


def _paid(life: Life, person: Person) -> None:
    """A payer with a receipt and an intent, of a year whose duty to keep runs or is over."""
    months = 75 if life.line.accounting == "past" else min(30, began(life.line) - 1)
    life.paid = life.ago(months=months)
    payer = life.scene.stripe_customer(person, life.paid)
    life.have("payer", payer)
    life.have("charge", life.scene.charge(payer, life.paid, receipt_to=person))
    life.have("intent", life.scene.payment_intent(payer, life.paid))


def _with_partner(life: Life, person: Person) -> None:
    s, state = life.scene, life.line.partner
    if state == "joint":
        life.partner = JOINT_PARTNER
        when = at(life.ago(months=1, days=5), "15:00")
        life.have("handover", s.handover(person, JOINT_PARTNER, "in_scope", when))
    elif state.startswith("referred"):
        life.partner = SILENT if state == "referred silent" else INSTRUCTING
        when = at(life.ago(months=3), "10:00")
        life.have("handover", s.handover(person, life.partner, "outside_scope", when))
        life.have("later contact", s.contact(person, life.ago(months=2), "email"))


def _besides(life: Life, person: Person) -> None:
    s = life.scene
    if life.line.besides == "same address":
        s.person(life.ago(months=5), number=1, email=person.who.email)
        life.have("payer", s.stripe_customer(person, life.ago(months=4)))
    elif life.line.besides == "objected":
        objection = {"email": person.who.email, "objected_at": s.synced, "channel": "email"}
        life.have("objection", s.add("crm.marketing_objection", objection))


def _asks(life: Life, person: Person) -> None:
    """What the person asks for. A consent is withdrawn at the source, which is no request."""
    rights = {
        "asked twice": ("erasure", "erasure"),
        "access pending": ("erasure", "access"),
        "locked before": (life.line.asserted, "erasure"),
    }.get(life.line.besides, (life.line.asserted,))
    for right in rights if life.line.asserted != "withdrawal" else ():
        request = life.scene.rights_request(person, right, "received", life.ago(days=6))
        life.requests.append(request)


def land(conn: psycopg.Connection[Any], lives: Iterable[Life]) -> None:
    """Add the lives' rows to a sample that has landed, in one transaction of `conn`."""
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for life in lives:
        for table, given in life.told().rows.items():
            rows[table].extend(given)
    with conn.transaction(), conn.cursor() as cursor:
        for table, given in rows.items():
            columns = TABLES_BY_NAME[table].column_names
            names = ", ".join(f'"{name}"' for name in columns)
            with cursor.copy(f"copy {table} ({names}) from stdin") as stream:  # type: ignore[arg-type]
                stream.write("".join(copy_line(row, columns) for row in given))
