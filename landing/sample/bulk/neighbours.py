"""Rows of people who are no persons of the CRM: visitors, senders, contact persons, objectors.

Belongs here: what a block holds besides its persons' lives. Does not belong here: those lives.
"""

from landing.sample import names
from landing.sample.bulk import casework, traces
from landing.sample.bulk.block import Block
from landing.sample.identity import make_identity, pick, spell_phone

#: Neighbours get the addresses that persons of these ids would have, who do not exist.
_NEIGHBOURS = 4_700_000


def add_neighbours(block: Block, people: int) -> None:
    """Add as many of each as a block of so many people has around it."""
    for _ in range(people // 4):
        traces.visit(block, None, block.between(1, 520))
    for number in range(people // 15 + 1):
        casework.inbound_email(block, _address(block, number), block.between(0, 520))
    for _ in range(people // 80 + 1):
        _business_contact(block)
    for number in range(people // 60 + 1):
        block.lines["crm.marketing_objection"].append(
            f"{_address(block, 500 + number).replace('@', f'.{block.number}@')}"
            f"\t{block.office(block.between(0, 1500))}\temail{block.crm_end}"
        )


def _address(block: Block, number: int) -> str:
    return make_identity(_NEIGHBOURS + number, block.random).email


def _business_contact(block: Block) -> None:
    number = block.next_id("crm.business_contact")
    who = make_identity(_NEIGHBOURS + number % 90_000, block.random)
    block.lines["crm.business_contact"].append(
        f"{number}\t{pick(names.ORGANISATIONS, block.random)}\t{who.name}\t{who.email}"
        f"\t{spell_phone(who.phone, block.random)}\t{block.office(block.between(0, 2000))}"
        f"{block.crm_end}"
    )
