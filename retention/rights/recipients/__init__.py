"""Recipients of personal data (§ 5), who are told of what became of it (GDPR art. 19).

Belongs here: whom a person's data went to; the notices to them, from opening to their answer. Does not
belong here: deciding, purging and restricting, whose transactions open the notices (`ledger.notify`), and
requests that go to partners (`retention.rights.partners`).
"""

from retention.rights.recipients.find import RecipientOf, recipients_of
from retention.rights.recipients.notices import (
    Notice,
    Told,
    acknowledge,
    give_up,
    list_,
    of_occasion,
    send,
)

__all__ = [
    "Notice",
    "RecipientOf",
    "Told",
    "acknowledge",
    "give_up",
    "list_",
    "of_occasion",
    "recipients_of",
    "send",
]
