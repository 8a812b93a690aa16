"""A purge raced against by everything that may stop it: nothing is deleted that was stopped in time.

Belongs here: the interleavings, how many of them count, and that the same suite finds wrong deletions
once a guard is taken out. Does not belong here: one of each kind told as a story
(integration/test_purge_races.py), and how two sessions are brought together (`racing`).
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from retention.plan import Plan
from retention.purge import guards, live
from tests.crash.books import open_books
from tests.crash.figures import Figures
from tests.crash.gate import BEFORE, INSTANTS, Gate
from tests.crash.racers import RACERS, Racer, book, release_table_holds
from tests.crash.racing import Verdict, race
from tests.factories import LONG_AGO, Shop

SUITE = "raced against"
TAKEN_OUT_SUITE = "guard taken out"
BY_KIND = {racer.kind: racer for racer in RACERS}
BYSTANDERS = 5
# A batch takes about so long here: a racer that starts at random starts within it.
_A_BATCH = 0.08

Scheduled = tuple[Racer, str | float, bool]


def test_nothing_is_deleted_that_was_blocked_before_the_batch_took_its_locks(
    shop: Shop, figures: Figures, long_form: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each interleaving counts only if one of the two was seen waiting for the other."""
    wanted, people = (1_000, 4 * len(RACERS)) if long_form else (20, 2 * len(RACERS))
    schedule = _schedule(random.Random(20_230_112))
    figures.begin(SUITE)
    first = 1
    while figures.of(SUITE)[0] < wanted:
        scheduled = list(itertools.islice(schedule, people))
        with monkeypatch.context() as patch:
            for kind, verdict in _round(shop, figures, SUITE, first, scheduled, Gate(patch)):
                figures.add(SUITE, kind, counted=verdict.waited, wrong=verdict.wrong)
                assert not verdict.needlessly_kept, f"{kind}: it came too late to be heeded"
        first += people + BYSTANDERS
    figures.end(SUITE)
    assert figures.of(SUITE)[1] == 0


def _schedule(chance: random.Random) -> Iterator[Scheduled]:
    """Each kind in turn, at an instant of the batch or at random within it; one in five gives up."""
    for racer in itertools.cycle(RACERS):
        instants: list[str | float] = [*INSTANTS, chance.uniform(0.001, _A_BATCH)]
        yield racer, chance.choice(instants), chance.random() < 0.8


def _round(
    shop: Shop, figures: Figures, suite: str, first: int, scheduled: list[Scheduled], gate: Gate
) -> Iterator[tuple[str, Verdict]]:
    """Land people, plan them, and race against each one's batch; at the end the books must add up."""
    people = range(first, first + len(scheduled))
    plan = _land_and_plan(shop, people)
    books = open_books(shop, plan)
    due = iter(scheduled)
    with race(shop, plan, gate) as racing:
        while (number := racing.next_person()) is not None:
            racer, instant, commit = next(due)
            verdict = racing.run(racer, number, instant, commit=commit)
            if verdict.change:
                book(books, verdict.change)
            release_table_holds(shop)
            yield racer.kind, verdict
    books.check()
    figures.rows_checked[suite] += books.checked
    # Those who were spared are not planned again: the next round's books are its own.
    shop.overdue.difference_update(people)


def _land_and_plan(shop: Shop, people: Iterable[int]) -> Plan:
    """Persons with an assignment, each one case; their recordings were once under review."""
    for number in people:
        shop.person(number)
        for days in (0, 9):
            shop.add(
                "assignment",
                id=number,
                person_id=number,
                _fivetran_start=LONG_AGO + timedelta(days=days),
                _fivetran_active=days == 9,
            )
        shop.add("document", id=number, assignment_id=number)
        shop.judge("recording", number, "review")
    for number in range(max(people) + 1, max(people) + 1 + BYSTANDERS):
        shop.customer(number, overdue=False)
    shop.classify()
    shop.conn.execute(
        "select ledger.decide_review('shop', 'recording', n::text, 'purge', 'r')"
        " from unnest(%s::bigint[]) as n",
        (list(people),),
    )
    shop.conn.commit()
    shop.judged.clear()
    return shop.approved_plan()


class Rewritten:
    """A connection whose statements are changed on their way, None for one that is left out. Raises
    where none was changed: the text that a test takes out must still be there."""

    def __init__(self, conn: psycopg.Connection[Any], change: Callable[[str], str | None]) -> None:
        self.conn, self.change, self.changed = conn, change, False

    def execute(self, statement: str, parameters: Any = None) -> Any:
        text = self.change(statement)
        self.changed |= text != statement
        return None if text is None else self.conn.execute(text, parameters)


def _without(change: Callable[[str], str | None]) -> Callable[..., None]:
    """Our guards, with their statements changed."""
    whole = guards.skip_guarded

    def mutilated(conn: psycopg.Connection[Any], *args: Any) -> None:
        rewritten = Rewritten(conn, change)
        whole(rewritten, *args)  # type: ignore[arg-type]
        assert rewritten.changed, "the guard's text has changed: take it out differently"

    return mutilated


def _nothing(*_: Any, **__: Any) -> None:
    """Stands where a guard stood."""


NO_SECOND_TEST = (
    "create or replace function ledger.refuse_guarded(plan uuid, first_item bigint, last_item bigint,"
    " source_schema text, source_table text) returns void"
    " language sql set search_path = pg_catalog, ledger, pg_temp as ''"
)

#: Builds with one guard taken out, with a racer that then finds a wrong deletion.
TAKEN_OUT: dict[str, tuple[Any, str, Callable[[], Callable[..., None]], str]] = {
    "our guards": (guards, "skip_guarded", lambda: _nothing, "hold on a record"),
    "the lock in our guards": (
        guards,
        "skip_guarded",
        lambda: _without(lambda text: text.replace("for update of guards", "")),
        "hold on a table",
    ),
    "the decisions": (
        guards,
        "skip_guarded",
        lambda: _without(lambda text: None if "review_decisions" in text else text),
        "review",
    ),
    "landing's lock": (guards, "lock_landing", lambda: _nothing, "contact"),
    "the look at the facts": (live, "skip_changed", lambda: _nothing, "re-sync, updated"),
}


@pytest.mark.parametrize("guard", TAKEN_OUT)
def test_without_a_guard_the_same_suite_finds_wrong_deletions(
    shop: Shop, figures: Figures, guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the suite can fail: it is the guards that keep the figure above at zero."""
    module, name, build, kind = TAKEN_OUT[guard]
    monkeypatch.setattr(module, name, build())
    if name == "skip_guarded":
        # The delete path tests the guards once more.
        shop.conn.execute(NO_SECOND_TEST)
        shop.conn.commit()
    figures.begin(TAKEN_OUT_SUITE)
    scheduled: list[Scheduled] = [(BY_KIND[kind], BEFORE, True)] * 4
    with monkeypatch.context() as patch:
        verdicts = list(_round(shop, figures, TAKEN_OUT_SUITE, 1, scheduled, Gate(patch)))
    for _, verdict in verdicts:
        figures.add(TAKEN_OUT_SUITE, guard, counted=verdict.waited, wrong=verdict.wrong)
    figures.end(TAKEN_OUT_SUITE)
    assert any(verdict.wrong for _, verdict in verdicts)
