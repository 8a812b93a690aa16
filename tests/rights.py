"""What the tests of the person's rights share: persons by number, and requests that were verified.

Belongs here: rows of the register, and decisions, as the functions that make them leave them. Does not
belong here: those functions.
"""

from datetime import timedelta
from uuid import UUID

from tests.factories import Shop, today


def token_of(shop: Shop, number: int) -> UUID:
    """The token of the shop's person of that number."""
    token: UUID = shop.one(
        "select subject_token from ledger.subject_tokens where subject_id = %s",
        f"shop.person:{number}",
    )
    return token


def verified_request(
    shop: Shop, number: int, *, right: str = "access", verified: bool = True
) -> UUID:
    """A request of that person, with their identity verified."""
    day = today(shop.conn)
    request: UUID = shop.one(
        "insert into ledger.requests (asserted, state, received_on, answer_by, subject_token, verified_how,"
        " verified_by, verified_at) values (%s, %s, %s, %s, %s, %s, %s, case when %s then now() end)"
        " returning request_id",
        right,
        "identity_verified" if verified else "received",
        day,
        day + timedelta(days=30),
        token_of(shop, number),
        "in_person" if verified else None,
        "an officer" if verified else None,
        verified,
    )
    return request


def request_of(shop: Shop, number: int, right: str = "erasure") -> UUID:
    """A request of that person that was decided."""
    request = verified_request(shop, number, right=right)
    shop.conn.execute(
        "update ledger.requests set state = 'decided', outcome = 'granted', decided_by = 'officer',"
        " decided_at = now() where request_id = %s",
        (request,),
    )
    shop.conn.commit()
    return request


def decide(shop: Shop, request: UUID, table: str, key: object, outcome: str) -> UUID:
    """A decision on one record of the request's person."""
    found: UUID = shop.one(
        "insert into ledger.erasure_decisions (basis, request_id, source_schema, source_table,"
        " record_key, outcome, law, until_on)"
        " values ('request', %s, 'shop', %s, %s, %s, 'a law', ledger.today()) returning decision_id",
        request,
        table,
        str(key),
        outcome,
    )
    return found
