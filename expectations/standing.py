"""How the integrity checks stand right now, by our own counts alone.

Belongs here: what `retention status` shows of the checks in well under a second. Does not belong
here: the verdicts that a plan stands behind; they are Great Expectations' too, and take seconds.
"""

from collections.abc import Iterator

import psycopg

from expectations.catalogue import CHECKS
from expectations.counting import tally
from retention.classified import Classification
from retention.findings import Finding


def integrity_findings(
    conn: psycopg.Connection[object], classification: Classification
) -> Iterator[Finding]:
    """A finding per table and rule for each integrity check that fails, or cannot be counted.

    The connection must be in autocommit mode.
    """
    schema = f"retention{classification.suffix}"
    for check in CHECKS:
        if not check.blocks_plan:
            continue
        counted = tally(conn, schema, check, classification.as_of)
        if counted is None:
            yield Finding("check_not_evaluated", f"{check.name} could not be counted")
            continue
        for count in counted.counts:
            under = f" under {count.rule_id}" if count.rule_id else ""
            yield Finding(
                "check_failed",
                f"{count.table}: {check.name} fails for {count.records}{under}",
                table=count.table,
                rule_id=count.rule_id,
                records=count.records,
            )
