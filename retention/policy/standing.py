"""Whether a person put the policy into force that the records were classified by.

Belongs here: the finding where nobody did. Does not belong here: putting it into force (`activation`).
"""

from typing import Any

import psycopg

from retention.findings import Finding

Connection = psycopg.Connection[Any]


def findings(conn: Connection) -> list[Finding]:
    """A finding where the policy was changed and nobody activated the text that classified."""
    row = conn.execute("select ledger.policy_objection()").fetchone()
    return [Finding("policy_not_activated", row[0])] if row and row[0] is not None else []
