"""The lives of the many: what happens to whom, in which shares.

Belongs here: one function a kind of life, and their weights. Does not belong here: how rows look.

Ages are days before the as-of date, so a larger one is earlier. 180 days are safely within six
months and 360 within twelve; the lives that mean to end in review step over those.
"""

from bisect import bisect
from collections.abc import Callable
from itertools import accumulate

from landing.sample.bulk import casework, money, traces
from landing.sample.bulk.block import Block
from landing.sample.identity import Identity
from landing.sample.reference import PARTNERS, REFERRED_TO

_UNIONS = frozenset(number for number, partner in PARTNERS.items() if partner[1])
_ADVICE = (
    *("ordinary_advice",) * 4,
    "cohabitation_agreement",
    "will",
    "marriage_contract",
    "lasting_power_of_attorney",
)
_THIRTEEN_YEARS = frozenset({"ordinary_advice", "cohabitation_agreement"})


def live(block: Block, person_id: int) -> None:
    """Give this person a life."""
    _LIVES[bisect(_SHARES, block.random() * _SHARES[-1])](block, person_id)


def _partner_lead(b: Block, person_id: int) -> None:
    age = b.between(1, 330)
    who = b.person(person_id, age, via_partner=True)
    partner = b.partner()
    b.lead(person_id, who, age, partner)
    if b.chance(0.15):
        b.lead(person_id, who, b.between(0, age), partner if b.chance(0.4) else b.partner())
    if partner in _UNIONS:
        withdrawn = b.between(0, age) if b.chance(0.2) else None
        casework.consent(b, person_id, "union_membership", age, withdrawn)
    b.noise(person_id, 3, 0, age)
    if b.chance(0.5):
        traces.call(b, who, b.between(0, age), 0)
    traces.usual(b, person_id, who, 0, age)


def _registration(b: Block, person_id: int) -> None:
    age = b.between(1, 560)
    who = b.person(person_id, age)
    if b.chance(0.2):
        b.lead(person_id, who, b.between(0, age), None)
    if b.chance(0.5):
        casework.consent(b, person_id, "optional_cookies", age)
    b.noise(person_id, 2, 0, age)
    traces.usual(b, person_id, who, 0, age)
    traces.usual(b, person_id, who, 0, age)


def _contact_in_time(b: Block, person_id: int) -> None:
    """Handed over or registered, then in contact: a customer, so far without advice."""
    age = b.between(5, 800)
    if b.chance(0.5):
        who = b.person(person_id, age, via_partner=True)
        b.lead(person_id, who, age, b.partner())
        first = b.between(max(age - 180, 0), age)
    else:
        who = b.person(person_id, age)
        first = b.between(max(age - 360, 0), age)
    contact_id = b.contact(person_id, first)
    if b.chance(0.6):
        casework.recording(b, person_id, contact_id, first)
        traces.call(b, who, first, 200)
    if b.chance(0.2):
        casework.inbound_email(b, who.email, b.between(first // 2, first))
    for _ in range(int(b.random() * 4)):
        b.contact(person_id, b.between(first // 2, first))
    if b.chance(0.1):
        casework.public_source(b, person_id, first)
    if b.chance(0.06):
        casework.handover(b, person_id, b.partner(), "in_scope", b.between(0, first))
    traces.usual(b, person_id, who, 0, age)


def _met(b: Block, person_id: int, age: int) -> Identity:
    """Someone who registered and was in contact a day or two later."""
    who = b.person(person_id, age + 2)
    contact_id = b.contact(person_id, age)
    if b.chance(0.3):
        casework.recording(b, person_id, contact_id, age)
    return who


def _advised(b: Block, person_id: int, who: Identity, kind: str, opened: int, ended: int) -> None:
    """An assignment that was completed, with its papers and payments."""
    acknowledged = b.between(0, ended) if b.chance(0.03) else None
    assignment_id = b.assignment(person_id, kind, "completed", opened, ended, acknowledged)
    for _ in range(1 + int(b.random() * 3)):
        b.document(assignment_id, b.between(ended, opened))
    casework.signing(b, who, assignment_id, opened)
    customer_id = money.customer(b, who, opened)
    for _ in range(1 + int(b.random() * 3)):
        money.payment(b, customer_id, who, b.between(ended, opened))


def _advice(b: Block, person_id: int) -> None:
    kind = _ADVICE[int(b.random() * len(_ADVICE))]
    oldest = 5600 if kind in _THIRTEEN_YEARS else 8400
    ended = b.between(0, 2500) if b.chance(0.5) else b.between(2500, oldest)
    opened = ended + b.between(5, 90)
    who = _met(b, person_id, opened + b.between(0, 20))
    _advised(b, person_id, who, kind, opened, ended)
    if b.chance(0.2):
        b.contact(person_id, b.between(0, ended))
    if b.chance(0.1):
        b.lead(person_id, who, b.between(0, ended), b.partner())
    traces.usual(b, person_id, who, 0, opened)


def _open_assignment(b: Block, person_id: int) -> None:
    opened = b.between(0, 900)
    if b.chance(0.3):
        ended = b.between(opened + 30, 5600)
        who = _met(b, person_id, ended + 60)
        _advised(b, person_id, who, "ordinary_advice", ended + 50, ended)
    else:
        who = _met(b, person_id, opened + 3)
    assignment_id = b.assignment(person_id, "ordinary_advice", "open", opened)
    b.document(assignment_id, b.between(0, opened))
    for _ in range(int(b.random() * 4)):
        b.contact(person_id, b.between(0, opened))
    traces.usual(b, person_id, who, 0, opened)


def _subscriber(b: Block, person_id: int) -> None:
    started = b.between(20, 1500)
    ended = b.between(0, started - 15) if b.chance(0.35) else None
    who = _met(b, person_id, started + 1)
    money.subscription(b, money.customer(b, who, started), who, started, ended)
    traces.usual(b, person_id, who, ended or 0, started)


def _buyer(b: Block, person_id: int) -> None:
    """A product without a word of contact: an order or a signed contract."""
    delivered = b.between(0, 2500) if b.chance(0.7) else b.between(2500, 5600)
    ordered = delivered + b.between(0, 4)
    who = b.person(person_id, ordered)
    kind = casework.PRODUCTS[int(b.random() * len(casework.PRODUCTS))]
    if b.chance(0.5):
        casework.order(b, person_id, kind, "delivered", ordered, delivered)
    else:
        casework.contract(b, person_id, who, kind, ordered, delivered)
    money.payment(b, money.customer(b, who, ordered), who, ordered)
    traces.usual(b, person_id, who, delivered, ordered)


def _drafter(b: Block, person_id: int) -> None:
    age = b.between(0, 560)
    who = b.person(person_id, age)
    if b.chance(0.5):
        casework.order(b, person_id, "will", "draft", age, None)
    else:
        casework.contract(b, person_id, who, "marriage_contract", age, None)
    traces.usual(b, person_id, who, 0, age)


def _referred(b: Block, person_id: int) -> None:
    """Referred outside our business area, with events before and after."""
    age = b.between(30, 700)
    who = _met(b, person_id, age)
    referred = b.between(age // 2, age)
    partner = REFERRED_TO[int(b.random() * len(REFERRED_TO))]
    casework.handover(b, person_id, partner, "outside_scope", referred)
    for _ in range(1 + int(b.random() * 4)):
        b.contact(person_id, b.between(0, age))
    traces.usual(b, person_id, who, 0, age)


def _too_late(b: Block, person_id: int) -> None:
    age = b.between(400, 760)
    via_partner = b.chance(0.6)
    who = b.person(person_id, age, via_partner=via_partner)
    if via_partner:
        b.lead(person_id, who, age, b.partner())
    b.contact(person_id, b.between(0, age - (190 if via_partner else 372)))
    traces.usual(b, person_id, who, 0, age)


def _undecided(b: Block, person_id: int) -> None:
    opened = b.between(40, 2000)
    who = _met(b, person_id, opened + 1)
    kind, state, ended = (
        ("legacy_misc", "completed", opened - 30),
        ("dispute", "completed", opened - 30),
        ("ordinary_advice", "cancelled", None),
        ("ordinary_advice", "completed", None),
        ("ordinary_advice", "completed", -20),
    )[int(b.random() * 5)]
    assignment_id = b.assignment(person_id, kind, state, opened, ended)
    b.document(assignment_id, opened)
    traces.usual(b, person_id, who, 0, opened)


def _undated(b: Block, person_id: int) -> None:
    created = ("\\N", "1970-01-01 00:00:00+00", b.office(-9))[int(b.random() * 3)]
    who = b.person(person_id, 0, created=created)
    traces.usual(b, person_id, who, 0, 300)


def _returning(b: Block, person_id: int) -> None:
    """In contact years ago and again of late, by themselves or through a partner."""
    who = _met(b, person_id, b.between(900, 2200))
    back = b.between(0, 300)
    if b.chance(0.5):
        b.contact(person_id, back)
    else:
        b.lead(person_id, who, back, b.partner())
    traces.usual(b, person_id, who, 0, back)


def _asserting(b: Block, person_id: int) -> None:
    """Asks for a right, in some cases not yet answered."""
    age = b.between(60, 500)
    who = _met(b, person_id, age)
    if b.chance(0.4):
        ended = b.between(0, age)
        _advised(b, person_id, who, "ordinary_advice", age, ended)
    asked = b.between(0, 55)
    casework.rights_request(b, person_id, asked, pending=b.chance(0.4))
    b.contact(person_id, asked, "rights_mail")
    casework.inbound_email(b, who.email, asked, "rights_request")
    traces.usual(b, person_id, who, 0, age)


_WEIGHTED: tuple[tuple[int, Callable[[Block, int], None]], ...] = (
    (190, _partner_lead),
    (150, _registration),
    (170, _contact_in_time),
    (170, _advice),
    (70, _open_assignment),
    (50, _subscriber),
    (50, _buyer),
    (30, _drafter),
    (25, _referred),
    (25, _too_late),
    (20, _undecided),
    (10, _undated),
    (25, _returning),
    (15, _asserting),
)
_LIVES = tuple(life for _, life in _WEIGHTED)
_SHARES = tuple(accumulate(weight for weight, _ in _WEIGHTED))
