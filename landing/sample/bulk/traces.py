"""Traces of use: log-ins, page views, analytics events, text messages, calls.

Belongs here: lines of `new_relic`, `google_analytics`, `twilio` and Scrive's log-ins. Does not
belong here: the CRM's own record of a contact.
"""

from landing.sample import identity, names
from landing.sample.bulk.block import NULL, Block
from landing.sample.identity import Identity, pick, spell_email

ACCOUNT = "AC00000000000000000000000000000001"
OWN_NUMBER = "+4718000001"
_EVENTS = ("page_view", "page_view", "scroll", "session_start", "form_start", "purchase")
_DEVICES = ("mobile", "mobile", "desktop", "tablet")
_CITIES = tuple(town for _, town in names.TOWNS)


def visit(block: Block, person_id: int | None, age: int) -> None:
    """A visit to the web site: one to four page views and as many analytics events."""
    random = block.random
    views, events = block.lines["new_relic.page_view"], block.lines["google_analytics.event"]
    who = NULL if person_id is None else person_id
    ip, browser = identity.ip_address(random), pick(names.BROWSERS, random)
    device, city = pick(_DEVICES, random), pick(_CITIES, random)
    session = block.next_id("new_relic.page_view")
    for _ in range(1 + int(random() * 4)):
        when = block.any_time(age)
        number = block.next_id("google_analytics.event")
        views.append(
            f"pv-{block.next_id('new_relic.page_view')}\t{who}\ts{session}\t{ip}\t{browser}\t{when}"
            f"\t{block.synced}\n"
        )
        events.append(
            f"ga-{number}\t{when[:10]}\t{when}\t{pick(_EVENTS, random)}\tWEB\t{device}"
            f"\t{city}\tNorway\t{who}\t{session}.1\t{when}\twww.example.no\t{session}"
            f"\t{int(random() * 9e4)}\tf\t{block.synced}\n"
        )


def log_in(block: Block, who: Identity, age: int) -> None:
    """A log-in with Scrive."""
    block.lines["scrive.authentication"].append(
        f"aut-{block.next_id('scrive.authentication')}\t{spell_email(who.email, block.random)}"
        f"\t{block.any_time(age)}\t{identity.ip_address(block.random)}\t{block.synced}\n"
    )


def message(block: Block, who: Identity, age: int) -> None:
    """A text message from us."""
    when = block.office(age)
    block.lines["twilio.message"].append(
        f"SM{block.next_id('twilio.message'):032d}\t{ACCOUNT}\tHei {who.first_name}, husk avtalen"
        f"\t{when}\t{when}\toutbound-api\t{OWN_NUMBER}\t+47{who.phone}\t0\t1\tNOK\tdelivered"
        f"\t{when}\t{block.synced}\n"
    )


def call(block: Block, who: Identity, age: int, seconds: int) -> None:
    """A call to the person: answered by a human where it has seconds, else not answered."""
    when = block.office(age)
    status, answered_by = ("completed", "human") if seconds else ("no-answer", NULL)
    block.lines["twilio.call"].append(
        f"CA{block.next_id('twilio.call'):032d}\t{ACCOUNT}\t{answered_by}\t{when}\toutbound-api"
        f"\t{seconds}\t{when}\t{OWN_NUMBER}\t+47{who.phone}\t{when}\t{status}\t0\t{when}"
        f"\t{block.synced}\n"
    )


def usual(block: Block, person_id: int, who: Identity, newest: int, oldest: int) -> None:
    """What anyone leaves behind between two days: visits, messages, a log-in."""
    random = block.random
    for _ in range(int(random() * 3)):
        visit(block, person_id, block.between(newest, oldest))
    for _ in range(int(random() * 3)):
        message(block, who, block.between(newest, oldest))
    if random() < 0.4:
        log_in(block, who, block.between(newest, oldest))
