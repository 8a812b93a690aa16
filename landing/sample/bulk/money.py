"""Payments: Stripe customers, charges with their intents and invoices, refunds, subscriptions.

Belongs here: lines of schema `stripe`. Does not belong here: who pays for what (`lives`).
"""

from landing.sample import identity
from landing.sample.bulk.block import NULL, Block
from landing.sample.identity import Identity, spell_email

_PRICES = (49_000, 99_000, 149_000, 199_000, 349_000, 990_000)


def customer(block: Block, who: Identity, age: int) -> str:
    """A paying customer; returns its id."""
    lines, random = block.lines["stripe.customer"], block.random
    customer_id = f"cus_{block.next_id('stripe.customer')}"
    lines.append(
        f"{customer_id}\t{block.office(age)}\tnok\t{spell_email(who.email, random)}\t{who.name}"
        f"\t+47{who.phone}\t{identity.street(random)}\tOslo\tNO\tf\tt\t{{}}\t{block.synced}\n"
    )
    return customer_id


def payment(
    block: Block,
    customer_id: str,
    who: Identity,
    age: int,
    *,
    amount: int | None = None,
    subscription: str = NULL,
) -> None:
    """A charge with its intent and invoice; one in forty is paid back."""
    amount = amount or _PRICES[int(block.random() * len(_PRICES))]
    number = block.next_id("stripe.charge")
    when, synced = block.any_time(age), block.synced
    block.lines["stripe.charge"].append(
        f"ch_{number}\t{amount}\t0\tt\t{when}\tnok\t{customer_id}\tJuridisk bistand\tin_{number}\tt"
        f"\tt\tpi_{number}\t{who.email}\tf\tsucceeded\t{{}}\t{synced}\n"
    )
    block.lines["stripe.payment_intent"].append(
        f"pi_{number}\t{amount}\t{amount}\t{when}\tnok\t{customer_id}\tt\tsucceeded\t{synced}\n"
    )
    block.lines["stripe.invoice"].append(
        f"il_{number}\tin_{number}\t{amount}\tnok\t{customer_id}\tJuridisk bistand\tf\tt"
        f"\t{when}\t{when}\t{amount}\t{amount}\t{amount}\tLX-{number}\tt\tpaid\t{subscription}"
        f"\t{synced}\n"
    )
    if block.chance(0.025):
        block.lines["stripe.refund"].append(
            f"re_{number}\t{amount}\tch_{number}\t{block.office(max(age - 9, 0))}\tnok"
            f"\trequested_by_customer\tsucceeded\t{synced}\n"
        )


def subscription(
    block: Block, customer_id: str, who: Identity, started: int, ended: int | None
) -> None:
    """A monthly subscription with a payment for each month, at most the latest eighteen."""
    subscription_id = f"sub_{block.next_id('stripe.subscription_history')}"
    start = block.office(started)
    end, status = (NULL, "active") if ended is None else (block.office(ended), "canceled")
    last = 0 if ended is None else ended
    block.lines["stripe.subscription_history"].append(
        f"{subscription_id}\tt\tcharge_automatically\t{start}\tf\t{end}\t{start}\t{start}"
        f"\t{block.office(last - 30) if ended is None else end}\t{customer_id}\t{end}\tt\t1"
        f"\t{start}\t{status}\t{block.synced}\n"
    )
    months = min((started - last) // 30, 18)
    for month in range(months, 0, -1):
        payment(
            block,
            customer_id,
            who,
            last + 30 * (month - 1) + 3,
            amount=19_900,
            subscription=subscription_id,
        )
