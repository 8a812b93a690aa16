"""Running the checks on a classification.

Belongs here: from settings and a day to a list of results, and the guard that a plan stands behind. Does
not belong here: the checks themselves (`catalogue`, `suites`) and who asks.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import psycopg

from expectations.catalogue import CHECKS, FINDINGS_OF_CATALOGUE, INTEGRITY, Check, Severity
from expectations.counting import tally, tally_of
from expectations.results import CheckResult, Tally, counted, not_evaluated, result_of
from retention.classified import Classification, find_classification
from retention.coverage.examine import examine
from retention.declarations import load_declarations
from retention.errors import Refused
from retention.ledger.failures import safe_errors
from retention.policy import in_force, load_versions
from retention.settings import Settings
from retention.warehouse.connection import connect, warehouse_url
from retention.warehouse.roles import READER

# What a plan is the cure for.
_WITH_GRACE = ("nothing_overdue", "nothing_left_to_minimise")


def run_checks(
    settings: Settings, as_of: date | None = None, *, names: Collection[str] | None = None
) -> list[CheckResult]:
    """Run the checks (or those in `names`) on the classification as of `as_of`, or the one in force.

    Reads only, as `retention_reader`. Raises UsageError where nothing is classified as of that day,
    WarehouseError where the database is lost.
    """
    chosen = [check for check in CHECKS if names is None or check.name in names]
    declarations = load_declarations(settings.declarations_dir)
    with (
        connect(settings, role=READER, read_only=True, autocommit=True) as conn,
        safe_errors("checking the classification"),
    ):
        classification = find_classification(conn, as_of)
        schema = f"retention{classification.suffix}"
        is_whole = _is_whole(conn, classification)
        policy = in_force(load_versions(settings.policy_dir), classification.as_of)
        coverage = examine(conn, settings, declarations, policy, classification.as_of)
        tallies: dict[str, Tally | None] = {}
        for check in chosen:
            if check.mart == FINDINGS_OF_CATALOGUE:
                tallies[check.name] = tally_of(coverage)
            elif is_whole:
                tallies[check.name] = tally(conn, schema, check, classification.as_of)
            else:
                tallies[check.name] = None
    verdicts = _verdicts(warehouse_url(settings), schema, {check.mart for check in chosen})
    return [
        _result(check, verdicts.get(check.name), tallies[check.name], classification)
        for check in chosen
    ]


def require_integrity(settings: Settings, as_of: date | None = None) -> list[CheckResult]:
    """The guard of a plan: run the integrity checks and return their results.

    Raises Refused where one failed or could not be evaluated.
    """
    results = run_checks(settings, as_of, names=INTEGRITY)
    stopping = [
        f"{result.name} ({result.outcome.value})" for result in results if result.stops_plan
    ]
    if stopping:
        raise Refused(
            f"nothing can be planned, an integrity check stands against it: {', '.join(stopping)};"
            " `retention status` shows the counts"
        )
    return results


def _is_whole(conn: psycopg.Connection[Any], classification: Classification) -> bool:
    """False while the classification in force is being built, and after a build that was cut short:
    its relations may then stem from two of them."""
    if classification.suffix:
        return True
    row = conn.execute(
        "select finished_at is not null from ledger.classifications"
        " order by classification_id desc limit 1"
    ).fetchone()
    return row is None or bool(row[0])


def _verdicts(url: str, schema: str, marts: Collection[str]) -> Mapping[str, Any]:
    # Slow to import, and not needed by whoever only asks what the checks are.
    from expectations.context import validate, warehouse_source
    from expectations.suites import SUITES

    verdicts: dict[str, Any] = {}
    judged = [mart for mart in SUITES if mart in marts]
    if judged:
        with warehouse_source(url) as source:
            for mart in judged:
                verdicts |= validate(source, schema, mart, SUITES[mart]())
    return verdicts


def _result(
    check: Check, verdict: Any, counts: Tally | None, classification: Classification
) -> CheckResult:
    if check.mart == FINDINGS_OF_CATALOGUE:
        if counts is None:
            return not_evaluated(check, "the catalogue could not be read")
        only_warnings = counts.failing == counts.details.get(Severity.WARN)
        severity = Severity.WARN if only_warnings else check.severity
        return counted(check, counts, severity, good=counts.failing == 0)
    return result_of(check, verdict, counts, _severity(check, counts, classification))


def _severity(check: Check, counts: Tally | None, classification: Classification) -> Severity:
    """Overdue data is a warning as long as the days of grace last that planning and approving take."""
    if check.name not in _WITH_GRACE or counts is None or counts.oldest_on is None:
        return check.severity
    late = (classification.as_of - counts.oldest_on).days
    return Severity.WARN if late <= classification.grace_days else Severity.ERROR
