"""What the checks said, as evidence.

Belongs here: the one entry that a night's results become. Does not belong here: running a check (`run`),
and the ledger itself.
"""

from collections.abc import Sequence
from datetime import date

from expectations.results import CheckResult
from retention.ledger import entries
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PURGER


def leave_evidence(settings: Settings, as_of: date, results: Sequence[CheckResult]) -> None:
    """Write down what came of the checks on the classification as of `as_of`: names and counts."""
    with connect(settings, role=PURGER) as conn, safe_errors("recording the checks"):
        entries.append(
            conn,
            "check",
            {
                "as_of": as_of.isoformat(),
                "checks": [
                    {
                        "check": result.name,
                        "outcome": result.outcome.value,
                        "severity": result.severity.value,
                        "evaluated": result.evaluated,
                        "failing": result.failing,
                    }
                    for result in results
                ],
            },
        )
