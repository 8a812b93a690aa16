"""The person's rights as Dagster shows them: the register, what is out of use, who was told.

Belongs here: the assets and their checks, in counts. Does not belong here: deciding a request, which a
person does, and the purge of what was decided (`purge`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    asset,
)

from orchestration.assets.classification import RECORDS
from orchestration.checks import own_check
from orchestration.guarded import guarded
from orchestration.metadata import Metadata
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.classified import find_classification
from retention.classify import today
from retention.declarations import load_declarations
from retention.errors import Refused
from retention.findings import Finding
from retention.ledger.failures import safe_errors
from retention.policy import in_force, load_versions
from retention.rights import awaited, intake, kept_apart, scans, standing
from retention.rights.consent import marketing
from retention.rights.out_of_use import in_use
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

REGISTER = AssetKey(["rights_register"])
LOCKS = AssetKey(["locks"])
RESTRICTIONS = AssetKey(["restrictions"])
SUPPRESSIONS = AssetKey(["suppressions"])
RECIPIENTS = AssetKey(["recipients"])

GROUP = "rights"

_Checks = Mapping[str, tuple[str, str]]
ALL = (REGISTER, LOCKS, RESTRICTIONS, SUPPRESSIONS, RECIPIENTS)

# Each check with the kind of finding that fails it, and what it promises.
_REGISTER_CHECKS = {
    "requests_in_time": (
        "requests_overdue",
        "No request is past its last day for the answer (§ 8).",
    ),
    "requests_identified": (
        "requests_unidentified",
        "It is known whose every request is, and which right it uses (§ 8).",
    ),
    "identity_scans_gone": (
        "identity_scans_waiting",
        "Scans of identity documents that have served are gone after the days of patience (§ 8).",
    ),
}
_RECIPIENT_CHECKS = {
    "notices_acknowledged": (
        "notice_unacknowledged",
        "Recipients acknowledge what they were told within the days of patience (GDPR art. 19).",
    ),
    "relays_answered": (
        "relay_unanswered",
        "Requests relayed to or from partners are answered (§ 1).",
    ),
    "corrections_through": (
        "rectification_not_clean",
        "A correction reaches every copy within the days of patience (§ 8).",
    ),
}
_SOON = "no_request_due_soon"
_ENDED = "no_lock_past_its_end"
_IN_USE = "nothing_locked_in_use"
_OBJECTED = "nobody_objected_in_marketing"


def _specs(asset_key: AssetKey, checks: _Checks) -> list[AssetCheckSpec]:
    return [own_check(asset_key, name, description) for name, (_, description) in checks.items()]


@asset(
    key=REGISTER,
    group_name=GROUP,
    description="The register of requests by which persons use their rights (§ 8): landed ones taken in,"
    " scans of identity documents that have served ordered from their stores, and how far requests are.",
    deps=[RECORDS],
    check_specs=[
        *_specs(REGISTER, _REGISTER_CHECKS),
        own_check(
            REGISTER,
            _SOON,
            "No request's last day for the answer comes within the days of reminding (§ 8).",
            AssetCheckSeverity.WARN,
        ),
    ],
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def rights_register(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Take in what landed, let scans go, count. As of a past day count alone."""
    settings = run.settings()
    work: Metadata = {}
    if run.day() == today():
        taken, served = intake.take_in(settings), scans.delete(settings)
        for table, why in served.refused.items():
            context.log.warning(f"scans of {table} stay for now: {why}")
        work = {
            "taken_in": taken.registered,
            "taken_in_closed": taken.registered_closed,
            "scans_ordered": served.ordered,
            "scans_emptied": served.emptied,
            "tables_left_out": len(served.refused),
        }
    declarations = load_declarations(settings.declarations_dir)
    policy = in_force(load_versions(settings.policy_dir), today())
    with connect(settings, role=READER, read_only=True) as conn, safe_errors("counting requests"):
        counted = standing.standing(conn, declarations, policy)
        found = list(standing.findings(conn, declarations, policy))
    counts: Metadata = {
        name: number for name, number in vars(counted).items() if isinstance(number, int)
    }
    return MaterializeResult(
        metadata={**counts, **work},
        check_results=[
            *_checked(REGISTER, _REGISTER_CHECKS, found),
            AssetCheckResult(
                asset_key=REGISTER,
                check_name=_SOON,
                passed=not counted.due_soon,
                severity=AssetCheckSeverity.WARN,
                metadata={"requests": counted.due_soon},
            ),
        ],
    )


@asset(
    key=LOCKS,
    group_name=GROUP,
    description="Locks (§ 8): erasures that a law forbids until a day, and those that have ended.",
    deps=[RECORDS, REGISTER],
    check_specs=[
        own_check(
            LOCKS,
            _ENDED,
            "What was locked is gone when the days of grace after its lock have passed (§ 8).",
        ),
        own_check(
            LOCKS,
            _IN_USE,
            "No model, copy or view shows a record that is locked or restricted (§ 8).",
        ),
    ],
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def locks(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Count them."""
    with (
        connect(run.settings(), role=READER, read_only=True) as conn,
        safe_errors("counting locks"),
    ):
        counted = kept_apart.locks(conn, find_classification(conn, run.day()))
    return MaterializeResult(
        metadata=vars(counted),
        check_results=[
            AssetCheckResult(
                asset_key=LOCKS,
                check_name=_ENDED,
                passed=not counted.late_records,
                severity=AssetCheckSeverity.ERROR,
                metadata={"records": counted.late_records},
            ),
            _looked_at(LOCKS, _IN_USE, run, lambda: in_use.check(run.settings()).shown),
        ],
    )


@asset(
    key=RESTRICTIONS,
    group_name=GROUP,
    description="Restrictions (GDPR art. 18): data that is stored and used for nothing, until lifted.",
    deps=[RECORDS, REGISTER],
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def restrictions(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Count them."""
    with (
        connect(run.settings(), role=READER, read_only=True) as conn,
        safe_errors("counting restrictions"),
    ):
        counted = kept_apart.restrictions(conn, find_classification(conn, run.day()))
    return MaterializeResult(metadata=vars(counted))


@asset(
    key=SUPPRESSIONS,
    group_name=GROUP,
    description="The suppression list (§ 4): objections to marketing, as keyed tokens kept for ever.",
    deps=[RECORDS, REGISTER],
    check_specs=[
        own_check(
            SUPPRESSIONS,
            _OBJECTED,
            "No model for marketing shows a contact point whose owner objected (§ 4).",
        )
    ],
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def suppressions(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Count the entries by kind."""
    with (
        connect(run.settings(), role=READER, read_only=True) as conn,
        safe_errors("counting the suppression list"),
    ):
        counted = kept_apart.suppressions(conn)
    return MaterializeResult(
        metadata=counted,
        check_results=[
            _looked_at(SUPPRESSIONS, _OBJECTED, run, lambda: marketing.check(run.settings()).shown)
        ],
    )


@asset(
    key=RECIPIENTS,
    group_name=GROUP,
    description="Recipients and partners to be told of an erasure, a correction, a restriction"
    " or a withdrawal (GDPR art. 19), or to whom a request was relayed (§ 1), and have not answered.",
    deps=[RECORDS, REGISTER],
    check_specs=_specs(RECIPIENTS, _RECIPIENT_CHECKS),
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def recipients(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Count what is awaited of them."""
    settings = run.settings()
    policy = in_force(load_versions(settings.policy_dir), today())
    with connect(settings, role=READER, read_only=True) as conn, safe_errors("counting notices"):
        counted = awaited.standing(conn, policy)
        found = list(awaited.findings(conn, policy))
    return MaterializeResult(
        metadata=vars(counted), check_results=_checked(RECIPIENTS, _RECIPIENT_CHECKS, found)
    )


class _Message(Protocol):
    """Something that should not be there, and what to do about it."""

    @property
    def message(self) -> str: ...


def _looked_at(
    asset_key: AssetKey, name: str, run: Run, look: Callable[[], Sequence[_Message]]
) -> AssetCheckResult:
    """A look at what people see, which fails on whatever it finds, and where it cannot be done. Today's
    records alone are looked for: a run as of a past day shows them to nobody."""
    if run.day() != today():
        said = ["not looked at: this run is as of a past day"]
        passed = True
    else:
        try:
            said = [one.message for one in look()]
        except Refused as refusal:
            said = [str(refusal)]
        passed = not said
    return AssetCheckResult(
        asset_key=asset_key,
        check_name=name,
        passed=passed,
        severity=AssetCheckSeverity.ERROR,
        description="; ".join(said) or None,
    )


def _checked(
    asset_key: AssetKey, checks: _Checks, found: Sequence[Finding]
) -> list[AssetCheckResult]:
    """Each check fails on findings of its kind, and says how many there are."""
    results = []
    for name, (kind, _) in checks.items():
        failing = [one for one in found if one.kind == kind]
        results.append(
            AssetCheckResult(
                asset_key=asset_key,
                check_name=name,
                passed=not failing,
                severity=AssetCheckSeverity.ERROR,
                metadata={
                    "findings": len(failing),
                    "records": sum(one.records or 0 for one in failing),
                },
            )
        )
    return results
