"""The rows of a generated life outside assignments and leads: products, payments, traces.

Belongs here: contracts and orders, payments, messages, calls, visits, requests.
Does not belong here: how a life begins and what decides it most (`lives`).
"""

from __future__ import annotations

from tests.oracle.teller import TYPES, Teller

_OURS = "+47 14 00 00 01"


def products(teller: Teller) -> None:
    for _ in teller.times(1):
        state = teller.pick(("draft", "delivered", "delivered", "cancelled"))
        teller.add(
            "crm.product_order",
            id=teller.id(),
            person_id=teller.number,
            product_type=teller.pick(TYPES),
            state=state,
            ordered_at=teller.landed(),
            delivered_at=teller.landed() if state == "delivered" else None,
            _fivetran_deleted=teller.chance(12),
        )
    for _ in teller.times(1):
        contract = f"agr-{teller.id()}"
        state = teller.pick(("draft", "signed", "cancelled"))
        teller.add(
            "aws_agreements.contract",
            id=contract,
            person_id=teller.number,
            product_type=teller.pick(TYPES),
            state=state,
            created_at=teller.landed(),
            signed_at=teller.landed() if state == "signed" else None,
        )
        teller.add("aws_agreements.contract_party", id=f"pty-{teller.id()}", contract_id=contract)


def payments(teller: Teller) -> None:
    if not teller.chance(2):
        return
    customer, charge = f"cus-{teller.number}", f"ch-{teller.number}"
    address = f"payer{teller.number}@example.no" if teller.chance(8) else teller.email()
    teller.add("stripe.customer", id=customer, email=address, created=teller.landed())
    teller.add("stripe.charge", id=charge, customer_id=customer, created=teller.landed())
    if teller.chance(2):
        teller.add("stripe.refund", id=f"re-{charge}", charge_id=charge, created=teller.landed())
        intent = f"pi-{customer}"
        teller.add(
            "stripe.payment_intent", id=intent, customer_id=customer, created=teller.landed()
        )
        ends = teller.landed()
        teller.add(
            "stripe.invoice",
            id=f"in-{customer}",
            customer_id=customer,
            period_start=ends,
            period_end=ends,
        )
    if teller.chance(6):
        status = teller.pick(("active", "trialing", "past_due", "canceled", "canceled"))
        started = teller.landed()
        teller.add(
            "stripe.subscription_history",
            id=f"sub-{customer}",
            customer_id=customer,
            status=status,
            created=started,
            start_date=started,
            ended_at=teller.landed() if status == "canceled" else None,
            _fivetran_active=not teller.chance(8),
        )


def traces(teller: Teller) -> None:
    """What people leave behind without making a relationship."""
    me, absent = teller.number, teller.chance(6)
    if teller.chance(2):
        teller.add("crm.consent", id=teller.id(), person_id=me, given_at=teller.landed())
        teller.add("crm.recording", id=teller.id(), person_id=me, recorded_at=teller.landed())
        teller.add(
            "crm.public_source_data", id=teller.id(), person_id=me, fetched_at=teller.landed()
        )
    if teller.chance(2):
        teller.add(
            "new_relic.page_view",
            id=f"pv-{teller.id()}",
            person_id=None if absent else me,
            viewed_at=teller.landed(),
        )
        teller.add(
            "google_analytics.event",
            _fivetran_id=f"ga-{teller.id()}",
            user_id=teller.pick((None, "user_123")) if absent else str(me),
            timestamp=teller.landed(),
        )
    if teller.chance(2):
        address = "nobody@example.no" if absent else teller.email()
        teller.add(
            "scrive.authentication",
            id=f"au-{teller.id()}",
            email=address,
            authenticated_at=teller.landed(),
        )
        mine = "+46 70 123 45 67" if absent else teller.phone()
        teller.add(
            "twilio.message",
            **{"id": f"SM{teller.id()}", "from": _OURS, "to": mine, "created_at": teller.landed()},
        )
        teller.add(
            "twilio.call",
            **{
                "id": f"CA{teller.id()}",
                "from": mine,
                "to": _OURS,
                "start_time": teller.landed(),
                "status": teller.pick(("completed", "completed", "no-answer", "busy")),
                "duration": teller.pick((30, 30, 0, None)),
                "answered_by": teller.pick((None, None, "human", "machine_start")),
            },
        )
    if teller.chance(10):
        teller.add(
            "crm.rights_request",
            id=teller.id(),
            person_id=me,
            right_asserted="erasure",
            state=teller.pick(("received", "decided", "closed", "closed")),
            received_at=teller.landed(),
        )
