"""The demonstration's steps, from an empty embedded warehouse to a purge with its evidence.

Belongs here: which steps come in which order, and where the demonstration refuses. Does not belong
here: any step itself (sample, job, approval and purge are the product's own), and printing.

On an outside database it refuses before it connects: there, nothing is landed or approved by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from cli.jobs import run_job
from expectations.standing import integrity_findings
from retention import holds, orders, purge
from retention.classify import today
from retention.controls import standing as controls
from retention.errors import Refused, RetentionError
from retention.ledger.failures import safe_errors
from retention.plan import Plan, approve_demonstration, list_plans, of_last_night, show
from retention.report import deletion
from retention.settings import Settings
from retention.status import Status, read_status
from retention.warehouse.connection import connect, is_embedded
from retention.warehouse.migrate import migrate
from retention.warehouse.roles import READER

if TYPE_CHECKING:
    from landing.sample import SampleSummary

PEOPLE = 2000
SEED = 1
AUTHORITY = "demonstration"

#: Shown while a step runs: a function that says what is being done.
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Example:
    """A blocker of the sample, on the person of a story by its number in `landing.sample`."""

    kind: holds.Kind
    story: str
    reason: str
    days: int | None = None


EXAMPLES = (
    Example("hold", "complaint", "A complaint about advice is being handled"),
    Example("restriction", "direct_lead_overdue", "The person contests the data (GDPR art. 18)"),
    Example(
        "lock",
        "ordinary_advice_overdue",
        "Erasure was asked for and refused: a legal claim is pending (GDPR art. 17(3)(e))",
        days=180,
    ),
)


@dataclass(frozen=True)
class Demonstration:
    """What it did. Without a plan carried out, every overdue record waits: `waiting` says for what.
    `left` counts what the read-back found of purged records."""

    sample: "SampleSummary"
    placed: int
    before: Status
    waiting: Mapping[str, int]
    plans: tuple[Plan, ...]
    left: int
    after: Status
    seconds: Mapping[str, float] = field(default_factory=dict)


def demonstrate(settings: Settings, tell: Tell) -> Demonstration:
    """Land the sample, run the job, approve and purge, classify again.

    Raises Refused on an outside database and where a landing schema lacks the sample's marker;
    otherwise whatever a step raises. Run again, it keeps what is there and does what is left.
    """
    if not is_embedded(settings):
        raise Refused(
            "the demonstration runs in the embedded warehouse alone: unset RETENTION_DATABASE_URL;"
            " on this database use `retention run`"
        )
    seconds: dict[str, float] = {}
    with _step(tell, seconds, "landing the sample"):
        sample = _land(settings)
    classified, purged = _history(settings)
    if not classified:
        # A hold names a person that a classification knows: the first one comes before it.
        with _step(tell, seconds, "classifying for the first time"):
            _run(settings, "classify_records")
    placed = 0
    if not purged:
        with _step(tell, seconds, "placing a hold, a restriction and a lock"):
            placed = _place_examples(settings)
    if not _controlled(settings):
        with _step(tell, seconds, "running the control persons"):
            _run(settings, "run_controls")
    with _step(tell, seconds, "classifying, checking, planning"):
        _run(settings, "apply_retention")
    before = _status(settings)
    made = of_last_night(settings)
    # The ordinary plan alone knows of every overdue record that waits.
    waiting = made[0].waiting
    approved = _approve(settings, made)
    if not approved:
        return Demonstration(sample, placed, before, waiting, (), 0, before, seconds)
    with _step(tell, seconds, "purging what was approved, and reading back"):
        for plan_id in approved:
            # The sample's stores do not exist: nobody else could answer for them.
            purge.order_objects(settings, plan_id)
            orders.acknowledge_demonstration(settings)
            _run(settings, "execute_purge", plan_id)
    with _step(tell, seconds, "classifying and checking again"):
        _run(settings, "classify_records")
        _run(settings, "check_records")
    return Demonstration(
        sample,
        placed,
        before,
        waiting,
        tuple(show(settings, plan_id) for plan_id in approved),
        sum(_left(settings, plan_id) for plan_id in approved),
        _status(settings),
        seconds,
    )


@contextmanager
def _step(tell: Tell, seconds: dict[str, float], what: str) -> Iterator[None]:
    """Tell a step and keep how long it took."""
    tell(what)
    began = monotonic()
    yield
    seconds[what] = round(monotonic() - began, 1)


def _land(settings: Settings) -> "SampleSummary":
    # Not at the top: it is a generator of its own, and `retention run` needs none of it.
    from landing.sample import land_sample

    with connect(settings) as conn:
        migrate(conn)
    with connect(settings) as conn, safe_errors("landing the sample"):
        return land_sample(conn, people=PEOPLE, seed=SEED, as_of=today())


def _history(settings: Settings) -> tuple[bool, bool]:
    """Whether anything was ever classified here, and whether anything was ever purged."""
    with connect(settings, role=READER, read_only=True) as conn, safe_errors("looking around"):
        row = conn.execute(
            "select exists (select from ledger.classifications where finished_at is not null),"
            " exists (select from ledger.tombstones)"
        ).fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, False)


def _controlled(settings: Settings) -> bool:
    """Whether today's controls stand already."""
    with connect(settings, role=READER, read_only=True) as conn, safe_errors("looking around"):
        return controls.objection(conn) is None


def _place_examples(settings: Settings) -> int:
    """Place the examples of which there is none yet, and return how many."""
    from landing.sample.stories import STORIES_BY_NAME

    there = {
        blocker.kind
        for blocker in holds.list_(settings, released=True)
        if blocker.authority == AUTHORITY
    }
    missing = [example for example in EXAMPLES if example.kind not in there]
    for example in missing:
        person = STORIES_BY_NAME[example.story].persons[0]
        holds.place(
            settings,
            kind=example.kind,
            scope="subject",
            target=f"crm.person:{person}",
            reason=example.reason,
            authority=AUTHORITY,
            until_on=_until(example),
        )
    return len(missing)


def _until(example: Example) -> date | None:
    return today() + timedelta(days=example.days) if example.days else None


def _approve(settings: Settings, made: list[Plan]) -> list[UUID]:
    """Approve through the second login what the policy did not approve by itself, and return what is to
    be carried out, oldest first: a demonstration that was cut short may have left a plan approved."""
    for plan in made:
        if plan.state == "proposed":
            approve_demonstration(settings, plan.plan_id, plan.digest)
    return [
        plan.plan_id
        for plan in reversed(list_plans(settings))
        if plan.state in ("approved", "executing")
    ]


def _left(settings: Settings, plan_id: UUID) -> int:
    """What the last read-back of the plan found: nothing, if the purge kept its promise."""
    read_back = deletion.build(settings, plan_id)["read_back"]
    return sum(finding["count"] for finding in read_back["findings"])


def _run(settings: Settings, job: str, plan_id: UUID | None = None) -> None:
    """Run a job to its end. Raises RetentionError when it did not succeed."""
    result = run_job(settings, job, plan_id=plan_id)
    if not result.success:
        raise RetentionError(
            f"{job} failed in {', '.join(result.failed_steps) or 'a step'}: `retention up` shows run"
            f" {result.run_id}"
        )


def _status(settings: Settings) -> Status:
    with (
        connect(settings, role=READER, read_only=True, autocommit=True) as conn,
        safe_errors("reading the status"),
    ):
        return read_status(conn, settings, integrity_findings)
