"""The whole answer for whoever asks about coverage: compared, remembered and judged.

Belongs here: what a command, a report and a check need besides the comparison. Does not belong here:
any of its parts.
"""

from datetime import date
from typing import Any

import psycopg

from retention.coverage.compare import compare
from retention.coverage.downstream import with_downstream
from retention.coverage.judge import judge
from retention.coverage.memory import recall, remember
from retention.coverage.model import Coverage
from retention.declarations import Declarations
from retention.ledger.failures import safe_errors
from retention.lineage import built_relations
from retention.policy import Policy
from retention.settings import Settings
from retention.warehouse.clock import today
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

Connection = psycopg.Connection[Any]


def examine(
    conn: Connection, settings: Settings, declarations: Declarations, policy: Policy, as_of: date
) -> Coverage:
    """Compare the catalogue with the declarations and with what dbt built, as of a day, and judge each
    finding by the policy. Reads names and types only, and writes nothing."""
    coverage = _compared(conn, settings, declarations, as_of)
    return judge(coverage, policy.coverage, recall(conn, coverage), as_of)


def remember_today(settings: Settings, declarations: Declarations) -> None:
    """Write down what the catalogue holds today and what is found, so that later days know since when.

    For a classification as of today, as the classifier."""
    with (
        connect(settings, role=CLASSIFIER) as conn,
        safe_errors("remembering what the catalogue holds"),
    ):
        remember(conn, _compared(conn, settings, declarations, today(conn)))


def _compared(
    conn: Connection, settings: Settings, declarations: Declarations, as_of: date
) -> Coverage:
    coverage = compare(conn, declarations, built_relations(settings), as_of=as_of)
    return with_downstream(conn, settings, declarations, coverage, as_of)
