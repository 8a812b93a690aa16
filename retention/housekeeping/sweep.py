"""Applying every rule once: to the ledger, to schemas and databases of ours, and to the state
folder.

Belongs here: the order, the roles, and the evidence that is left. Does not belong here: how one
kind of trace is removed, and the orchestrator's traces, which only the orchestrator's code may
touch.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from psycopg.types.json import Jsonb

from retention import halts
from retention.classify import today
from retention.declarations import load_declarations
from retention.errors import Refused
from retention.housekeeping import deltas, files, kept_reports, notices, places, plans, schemas
from retention.housekeeping.places import Place
from retention.housekeeping.rules import Rule, Swept, traces
from retention.ledger.failures import safe_errors
from retention.policy import Policy, in_force, load_versions
from retention.rights.package import expiry as packages
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER, PURGER, READER

# Whatever their age: one written again today would hold the tokens as well.
_ANY_AGE = datetime.max.replace(tzinfo=UTC)


def policy_of_today(settings: Settings) -> Policy:
    """The policy whose rules apply now. Raises UsageError where none does."""
    return in_force(load_versions(settings.policy_dir), today())


def sweep(settings: Settings, *, dry_run: bool = False) -> list[Swept]:
    """Remove what is past its day, and return what each rule did; a dry run only counts.

    For whoever keeps other runs out meanwhile. Raises Refused while everything that deletes is halted and
    where the login lacks a role, UsageError where files belong to another account.
    """
    policy, day = policy_of_today(settings), today()
    if not dry_run:
        _refuse_while_halted(settings)
    swept, without_tokens = _ledger(settings, policy, day, remove=not dry_run)
    swept += [
        _replays(settings, policy, day, remove=not dry_run),
        schemas.drop_controls(settings, remove=not dry_run),
        _packages(settings, policy, day, remove=not dry_run),
    ]
    if not dry_run:
        for base, log in places.live_logs(settings):
            files.set_aside(base, log, day)
    swept += in_state_folder(settings, policy, day, remove=not dry_run)
    swept += [_deletion_reports(settings, without_tokens, remove=not dry_run)]
    return swept


def record(settings: Settings, swept: Sequence[Swept]) -> None:
    """Leave the evidence of a sweep: how much of each kind was removed, how much had to stay."""
    with (
        connect(settings, role=PURGER) as conn,
        safe_errors("recording the housekeeping"),
    ):
        conn.execute(
            "select ledger.record_housekeeping(%s, %s)",
            (
                Jsonb({one.kind: one.removed for one in swept}),
                Jsonb({one.kind: one.remaining for one in swept if one.remaining}),
            ),
        )


def in_state_folder(
    settings: Settings, policy: Policy, day: date, *, remove: bool, grace: int = 0
) -> list[Swept]:
    """Apply the rules on files, `grace` days more patient than they are."""
    kept = traces(policy)
    written = "the day it was last written"
    logs = Rule("logs", kept.logs.value, written).with_grace(grace)
    told = Rule("notices", kept.logs.value, "the notice").with_grace(grace)
    builds = Rule("builds", kept.builds.value, written).with_grace(grace)
    reports = Rule("reports", kept.reports.value, written).with_grace(grace)
    found = notices.sweep(settings, told.before(day), remove=remove)
    return [
        _files(logs, places.logs(settings), day, remove=remove),
        Swept(told.kind, told.kept, found, found if remove else 0),
        _files(builds, places.builds(settings), day, remove=remove),
        _files(reports, places.reports(settings), day, remove=remove),
    ]


def _refuse_while_halted(settings: Settings) -> None:
    """Before anything; whoever looks into what went wrong wants the traces."""
    with connect(settings, role=PURGER, read_only=True) as conn, safe_errors("keeping house"):
        halt = halts.in_force(conn)
    if halt is not None:
        raise Refused(f"everything that deletes is {halt}; an approver may `retention resume`")


def _ledger(
    settings: Settings, policy: Policy, day: date, *, remove: bool
) -> tuple[list[Swept], list[str]]:
    """The rules on plans and kept reports, and the plans whose tokens are gone."""
    items = Rule("plan_items", traces(policy).plans.value, "the end of their plan")
    figures = Rule("report_figures", traces(policy).reports.value, "the day the report was kept")
    declarations = load_declarations(settings.declarations_dir)
    role = PURGER if remove else READER
    with (
        connect(settings, role=role, read_only=not remove) as conn,
        safe_errors("keeping house in the ledger"),
    ):
        swept = [
            plans.close_expired(conn, remove=remove),
            plans.forget_items(conn, items, day, remove=remove),
            kept_reports.forget(conn, figures, day, remove=remove),
            plans.forget_tombstones(conn, policy, declarations, day, remove=remove),
            deltas.forget(settings, conn, policy, day, remove=remove),
        ]
        return swept, plans.without_tokens(conn)


def _replays(settings: Settings, policy: Policy, day: date, *, remove: bool) -> Swept:
    rule = replay_rule(policy)
    role = CLASSIFIER if remove else READER
    with (
        connect(settings, role=role, read_only=not remove) as conn,
        safe_errors("dropping the schemas of replays"),
    ):
        if remove:
            return schemas.drop_replays(conn, rule, day)
        return Swept(rule.kind, rule.kept, len(schemas.due_replays(conn, rule, day)))


def _packages(settings: Settings, policy: Policy, day: date, *, remove: bool) -> Swept:
    role = PURGER if remove else READER
    with (
        connect(settings, role=role, read_only=not remove) as conn,
        safe_errors("removing copies made for persons"),
    ):
        return packages.sweep(settings, conn, policy, day, remove=remove)


def replay_rule(policy: Policy) -> Rule:
    """How long a replay is kept."""
    return Rule("replays", traces(policy).replays.value, "the day it was built, or first seen")


def _deletion_reports(settings: Settings, plan_ids: list[str], *, remove: bool) -> Swept:
    found = _sweep_all(places.deletion_reports(settings, plan_ids), _ANY_AGE, remove=remove)
    kept = "as long as their plan's tombstones"
    return Swept("deletion_reports", kept, found, found if remove else 0)


def _files(rule: Rule, found_in: list[Place], day: date, *, remove: bool) -> Swept:
    found = _sweep_all(found_in, rule.before(day), remove=remove)
    return Swept(rule.kind, rule.kept, found, found if remove else 0)


def _sweep_all(found_in: list[Place], before: datetime, *, remove: bool) -> int:
    return sum(
        files.sweep(place.base, place.folder, place.names, before, remove=remove)
        for place in found_in
    )
