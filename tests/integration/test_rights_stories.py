"""The stories of the decision table, walked from the landed request to the purge and compared with it.

Belongs here: comparing, record by record. Does not belong here: any expectation of its own (they stand in
`docs/rights-decisions.md`), the lives (`tests/rights_stories.py`) and the steps (`tests/rights_office.py`).
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from urllib.parse import urlsplit, urlunsplit

import pytest

from landing.sample.dates import ONE_DAY, last_day
from landing.sample.scene import Ref
from retention import verify
from retention.plan import Plan
from retention.purge import PurgeResult
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import sample_settings
from tests.rights_found import Found
from tests.rights_office import Office
from tests.rights_stories import Life
from tests.rights_table import Line, locks, stories

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LINES = stories()
COPIED = [line for line in LINES if line.asserted in ("access", "portability")]
CHANGING = [line for line in LINES if line not in COPIED]
IN_USE = ("active", "retained", "due_soon", "overdue", "review")
LOCKS = locks()
#: Told with any other: all data lies on its servers.
EVERYWHERE = "hosting_provider"


@dataclasses.dataclass(frozen=True)
class Walked:
    """`decided` is the latest decision on each record, `between` the classification after it, `after` the
    one after the purge."""

    office: Office
    lay: set[Ref]
    texts: Counter[str]
    copies: Mapping[int, Mapping[Ref, str]]
    decided: Mapping[Ref, str]
    between: Mapping[Ref, Found]
    purges: list[tuple[Plan, PurgeResult]]
    lie: set[Ref]
    after: Mapping[Ref, Found]

    def life(self, line: Line) -> Life:
        return self.office.lives[line.number]

    def records(self, line: Line, outcome: str) -> list[Ref]:
        """The records of a story that shall have that outcome."""
        kinds = self.life(line).kinds
        return [
            self.office.shown(ref)
            for kind, said in line.outcomes.items()
            if said == outcome
            for ref in kinds[kind]
        ]


@pytest.fixture(scope="module")
def walked(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("rights-stories"))
    officer = dataclasses.replace(settings, database_url=server.approver_url(name))
    with connect(settings) as conn, looking_officer(server, name) as url:
        corrector = dataclasses.replace(settings, database_url=url)
        office = Office.open(settings, officer, corrector, conn)
        office.classify()
        office.receive()
        office.block()
        office.verify()
        office.correct()
        lay, texts = office.lying(), office.texts()
        office.decide()
        decided = office.decisions()
        office.withdraw_consents()
        office.classify()
        between = office.found()
        copies = office.copies()
        purges = office.purge()
        office.classify()
        lie, after = office.lying(), office.found()
        yield Walked(office, lay, texts, copies, decided, between, purges, lie, after)
    server.drop(name)


@contextmanager
def looking_officer(server: Server, database: str) -> Iterator[str]:
    """The URL of an officer who may look into landing, as tracing a correction needs."""
    name = "looking_officer"
    with server.admin() as conn:
        conn.execute(
            f"create role {name} login password 'secret'"
            " in role retention_rights_officer, retention_classifier, retention_reader"
        )
    parts = urlsplit(server.url(database))
    netloc = f"{name}:secret@{parts.netloc.rpartition('@')[2]}"
    yield urlunsplit(parts._replace(netloc=netloc))
    with server.admin() as conn:
        conn.execute(f"drop role {name}")


@pytest.mark.parametrize("line", CHANGING, ids=str)
def test_what_goes_is_gone_and_nothing_else(line: Line, walked: Walked) -> None:
    for outcome in line.outcomes.values():
        records = set(walked.records(line, outcome))
        assert records <= walked.lay
        if outcome == "erase":
            assert records & walked.lie == set()
            assert {walked.decided.get(ref) for ref in records} <= {"erase", None}
        else:
            assert records - walked.lie == set()


@pytest.mark.parametrize("line", CHANGING, ids=str)
def test_what_stays_stands_as_the_table_says(line: Line, walked: Walked) -> None:
    for outcome in set(line.outcomes.values()) - {"erase"}:
        for ref in walked.records(line, outcome):
            found = walked.after[ref]
            match outcome:
                case "lock" | "minimise":
                    assert (found.status, found.due_on) == (
                        "locked",
                        due(walked.life(line), ref),
                    ), ref
                    assert walked.decided[ref] == outcome
                case "refuse" | "relay" | "person":
                    blocked = ("held",) if line.besides == "held" else ()
                    assert found.status in (*IN_USE, *blocked), ref
                    if walked.life(line).person is not None and line.asserted == "erasure":
                        assert walked.decided[ref] == outcome, ref
                case "wait":
                    assert (found.status, walked.decided[ref]) == ("overdue", "erase"), ref
                case "held" | "restricted":
                    assert found.status == outcome, ref
                case "keep" | "null":
                    assert found.status in (*IN_USE, "held"), ref


@pytest.mark.parametrize("line", LINES, ids=str)
def test_the_recipients_are_told(line: Line, walked: Walked) -> None:
    told = walked.office.told(line.number)
    assert told - {EVERYWHERE} == line.told
    assert (EVERYWHERE in told) == bool(line.told - {"partner"})


@pytest.mark.parametrize("line", COPIED, ids=str)
def test_a_copy_holds_what_the_table_says_and_nothing_else(line: Line, walked: Walked) -> None:
    """Besides it her own requests: they are records of hers."""
    life = walked.life(line)
    if life.person is None:
        assert line.number not in walked.copies
        return
    copy = {ref: how for ref, how in walked.copies[line.number].items() if ref not in life.requests}
    assert copy == {ref: how for how in ("show", "flag") for ref in walked.records(line, how)}
    if line.asserted == "access":
        assert set(life.requests) <= set(walked.copies[line.number])


def due(life: Life, ref: Ref) -> date:
    """The day on which the record's lock ends, by the periods that the table states."""
    rule = {
        "stripe.charge": ("R5", "primary"),
        "stripe.payment_intent": ("R5", "secondary"),
    }.get(ref[0], ("R4", "will" if "will" in life.line.assignment else ""))
    period = LOCKS[rule]
    anchor = life.completed if period.anchor == "completed" else None
    if period.anchor == "year end":
        assert life.paid is not None
        anchor = date(life.paid.year, 12, 31)
    assert anchor is not None
    return last_day(anchor, period.months, minimum=True) + ONE_DAY


def test_marketing_stops_for_who_objected_and_for_nobody_else(walked: Walked) -> None:
    people = {
        life.person.who.email: line.asserted == "objection" or line.besides == "objected"
        for line in LINES
        if (life := walked.life(line)).person is not None
    }
    found = walked.office.rows(
        "select email, suppressed from unnest(%s::text[]) as email inner join"
        " ledger.contact_points_checked on link_hash = sletteplikt.link_hash('email', email)",
        list(people),
    )
    assert sum(suppressed for _, suppressed in found) >= sum(people.values()) - 1
    assert dict(found) == {email: people[email] for email, _ in found}


def test_minimised_columns_are_null_and_the_others_are_not(walked: Walked) -> None:
    minimised = {key for line in CHANGING for _, key in walked.records(line, "minimise")}
    assert minimised
    rows = walked.office.rows(
        "select id, num_nonnulls(receipt_email, shipping_name, shipping_phone, description),"
        " num_nonnulls(amount, created, customer_id) from stripe.charge where id = any(%s)",
        list(minimised),
    )
    assert {(needed, other) for _, other, needed in rows} == {(3, 0)}
    assert len(rows) == len(minimised)


def test_partners_of_a_withdrawn_membership_are_null_and_the_rule_stays(walked: Walked) -> None:
    for line in CHANGING:
        for ref in walked.records(line, "null"):
            ((partner,),) = walked.office.rows(
                "select partner_id from crm.lead where id::text = %s", ref[1]
            )
            assert partner is None
            assert walked.after[ref].rule_id == "R1"
            assert walked.after[ref].due_on == walked.between[ref].due_on


def test_nobody_elses_row_is_touched(walked: Walked) -> None:
    """Rows that no story says go or change are the same, bit for bit."""
    gone = Counter(text.split(" ")[0] for text in walked.texts - walked.office.texts())
    told = Counter(
        ref[0]
        for line in CHANGING
        for outcome in ("erase", "minimise", "null")
        for ref in walked.records(line, outcome)
    )
    told["crm.consent"] += sum(line.asserted == "withdrawal" for line in LINES)
    assert gone == told + walked.office.beside


def test_every_plan_was_approved_by_the_decisions_and_is_read_back(walked: Walked) -> None:
    assert walked.purges
    for plan, result in walked.purges:
        assert result.purged + result.minimised > 0
        assert verify.read_back(walked.office.settings, plan.plan_id).findings == ()
