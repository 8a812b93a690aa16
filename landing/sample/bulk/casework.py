"""Rows around a case: recordings, signatures, orders, contracts, consents, hand-overs, requests.

Belongs here: CRM tables other than the main ones, Scrive and the contract flow. Does not belong
here: payments (`money`) and traces of use (`traces`).
"""

from landing.sample import identity, names
from landing.sample.bulk.block import NULL, Block
from landing.sample.identity import Identity, make_identity, pick, spell_email

#: Third persons get the names that persons of these ids would have, who do not exist.
_THIRD_PERSONS = 4_000_000
PRODUCTS = ("will", "marriage_contract", "document_product", "document_product")
_RIGHTS = ("access", "rectification", "erasure", "restriction", "objection", "portability")


def recording(block: Block, person_id: int, contact_id: int, age: int) -> None:
    """A recording of a contact: a pointer to where the sound lies."""
    lines = block.lines["crm.recording"]
    number = block.next_id("crm.recording")
    lines.append(
        f"{number}\t{person_id}\t{contact_id}\t{block.office(age)}"
        f"\ts3://sample-recordings/{number}.ogg{block.crm_end}"
    )


def signing(block: Block, who: Identity, assignment_id: int, age: int) -> None:
    """An agreement signed in Scrive."""
    documents, signatories = block.lines["scrive.document"], block.lines["scrive.signatory"]
    number = block.next_id("scrive.document")
    when = block.office(age)
    documents.append(
        f"scr-{number}\t{assignment_id}\tOppdragsavtale\tsigned\t{when}\t{when}\t{block.synced}\n"
    )
    signatories.append(
        f"sig-{block.next_id('scrive.signatory')}\tscr-{number}\t{who.name}"
        f"\t{spell_email(who.email, block.random)}\t{identity.national_id(block.random)}"
        f"\t{identity.ip_address(block.random)}\t{when}\t{block.synced}\n"
    )


def order(
    block: Block, person_id: int, kind: str, state: str, ordered: int, delivered: int | None
) -> None:
    """An order of a product made without an adviser."""
    lines = block.lines["crm.product_order"]
    when = NULL if delivered is None else block.office(delivered)
    lines.append(
        f"{block.next_id('crm.product_order')}\t{person_id}\t{kind}\t{state}"
        f"\t{block.office(ordered)}\t{when}"
        f"\t{pick(names.FAMILY_SITUATIONS, block.random)}{block.crm_end}"
    )


def contract(
    block: Block, person_id: int, who: Identity, kind: str, created: int, signed: int | None
) -> None:
    """A contract of the self-service flow, signed or a draft, with one to three third persons."""
    random = block.random
    number = block.next_id("aws_agreements.contract")
    state, when = ("draft", NULL) if signed is None else ("signed", block.office(signed))
    block.lines["aws_agreements.contract"].append(
        f"agr-{number}\t{person_id}\t{kind}\t{state}\t{block.office(created)}\t{when}"
        f"\t{identity.address(random)}\t{block.synced}\n"
    )
    parties = block.lines["aws_agreements.contract_party"]
    parties.append(
        f"pty-{block.next_id('aws_agreements.contract_party')}\tagr-{number}\t{who.name}"
        f"\t{who.email}\t{identity.national_id(random)}\tf\t{block.synced}\n"
    )
    for _ in range(block.between(1, 3)):
        party = block.next_id("aws_agreements.contract_party")
        third = make_identity(_THIRD_PERSONS + party % 700_000, random)
        parties.append(
            f"pty-{party}\tagr-{number}\t{third.name}\t{third.email}"
            f"\t{identity.national_id(random)}\tt\t{block.synced}\n"
        )


def consent(
    block: Block, person_id: int, purpose: str, given: int, withdrawn: int | None = None
) -> None:
    """A consent, perhaps withdrawn since."""
    until = NULL if withdrawn is None else block.office(withdrawn)
    block.lines["crm.consent"].append(
        f"{block.next_id('crm.consent')}\t{person_id}\t{purpose}\t{block.office(given)}"
        f"\t{until}{block.crm_end}"
    )


def handover(block: Block, person_id: int, partner: int, scope: str, age: int) -> None:
    """A hand-over or referral from us to a partner."""
    block.lines["crm.handover"].append(
        f"{block.next_id('crm.handover')}\t{person_id}\t{partner}\t{NULL}\t{scope}"
        f"\t{block.office(age)}{block.crm_end}"
    )


def rights_request(block: Block, person_id: int, age: int, *, pending: bool) -> None:
    """A rights request with its scan of an identity document."""
    number = block.next_id("crm.rights_request")
    state, closed = ("received", NULL) if pending else ("closed", block.office(age // 2))
    block.lines["crm.rights_request"].append(
        f"{number}\t{person_id}\t{pick(_RIGHTS, block.random)}\t{state}\t{block.office(age)}"
        f"\t{closed}\ts3://sample-id-scans/{number}.png{block.crm_end}"
    )


def public_source(block: Block, person_id: int, age: int) -> None:
    """Something looked up in a public register."""
    block.lines["crm.public_source_data"].append(
        f"{block.next_id('crm.public_source_data')}\t{person_id}\tgrunnboken\t{block.office(age)}"
        f"\teiendom ved {identity.address(block.random)}{block.crm_end}"
    )


def inbound_email(block: Block, sender: str, age: int, purpose: str = "inquiry") -> None:
    """A mail in the shared inbox."""
    block.lines["crm.inbound_email"].append(
        f"{block.next_id('crm.inbound_email')}\t{spell_email(sender, block.random)}"
        f"\tinfo@example.com\tHenvendelse\tHei, kan dere hjelpe meg med en avtale?"
        f"\t{purpose}\t{block.office(age)}{block.crm_end}"
    )
