"""The catalogue of stories: complete, countable, and right about its own days on any as-of date."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from landing.sample.bulk.block import FIRST_PERSON
from landing.sample.scene import Told
from landing.sample.stories import STORIES, STORIES_BY_NAME, tell_all
from landing.sample.tables import TABLES_BY_NAME
from tests.oracle.periods import (
    Period,
    is_working_day,
    last_day,
)

pytestmark = pytest.mark.unit

AS_OF = date(2026, 11, 23)
#: Days on which months end, leap days, New Year, both ends of half-years, a holiday, a weekend.
AWKWARD_DAYS = [
    date(2023, 1, 12),
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 8, 29),
    date(2024, 8, 31),
    date(2024, 12, 31),
    date(2025, 1, 1),
    date(2025, 3, 30),
    date(2025, 5, 17),
    date(2025, 6, 30),
    date(2025, 7, 1),
    date(2025, 8, 30),
    date(2025, 12, 25),
    date(2026, 2, 28),
    AS_OF,
]
REQUIRED = frozenset(
    """
    partner_lead_overdue partner_lead_on_its_last_day partner_lead_on_its_first_overdue_day
    partner_leads_at_month_ends registrations_at_month_ends direct_lead_overdue
    partner_lead_becomes_a_customer contact_on_the_last_day contact_after_expiry voicemail_only
    unanswered_calls automated_mail mail_that_asserts_a_right supplier_mail bounced_mail
    web_visits_only two_partners_hand_over_the_same_person same_partner_hands_over_again
    contact_before_the_hand_over lapsed_relationship_then_a_new_lead returning_person
    customer_without_advice_overdue customer_without_advice_due_soon
    customer_without_advice_retained open_assignment_beside_an_old_one ordinary_advice_overdue
    ordinary_advice_retained will_and_marriage_contract last_day_on_a_weekend_or_holiday
    cancelled_without_a_date unknown_assignment_type type_without_an_approved_period
    completed_without_a_date completed_in_the_future claim_acknowledged complaint
    versions_of_an_assignment soft_deleted_rows purchase_without_contact drafts_only
    union_lead_with_consent union_lead_with_consent_withdrawn third_persons_in_a_contract
    customer_and_lead_and_third_person two_persons_share_an_address unknown_senders
    anonymous_visitors accounting_keeps_only_the_accounts fiscal_years_back_and_forth
    fiscal_year_at_midnight secondary_material handed_over_in_scope referred_with_an_instruction
    referred_without_an_instruction rights_request_pending rights_request_closed
    marketing_objection business_contact registrations_on_clock_change_days
    registrations_without_a_usable_date cookies_withdrawn consent_given_again sharing_back_withdrawn
    union_consent_withdrawn_before_and_after_the_six_months
    cookies_withdrawn_while_a_request_is_pending subscription_running subscription_ended active_but_idle
    """.split()  # noqa: SIM905 (sixty names one below the other would hide the tests)
)


@pytest.fixture(scope="module")
def told() -> dict[str, Told]:
    return tell_all(AS_OF)


def test_every_required_case_has_a_story() -> None:
    assert STORIES_BY_NAME.keys() >= REQUIRED


def test_every_story_says_what_it_is_about_and_expects_something(told: dict[str, Told]) -> None:
    assert len({story.number for story in STORIES}) == len(STORIES_BY_NAME) == len(STORIES)
    for story in STORIES:
        assert story.case, story.name
        assert told[story.name].expected, story.name


def test_a_story_stays_within_its_block_of_ids(told: dict[str, Told]) -> None:
    for story in STORIES:
        persons = told[story.name].rows.get("crm.person", ())
        assert tuple(row["id"] for row in persons) == tuple(sorted(story.persons)) or {
            row["id"] for row in persons
        } == set(story.persons), story.name
        assert all(
            story.number * 10 <= person < story.number * 10 + 10 < FIRST_PERSON
            for person in story.persons
        )


@pytest.mark.parametrize("as_of", AWKWARD_DAYS, ids=str)
def test_no_key_comes_twice_and_every_expectation_has_its_row(as_of: date) -> None:
    keys: Counter[tuple[str, str]] = Counter()
    for name, story in tell_all(as_of).items():
        present = set()
        for table, rows in story.rows.items():
            for row in rows:
                key = tuple(str(row[column]) for column in TABLES_BY_NAME[table].key)
                keys[table, "|".join(key)] += 1
                present.add((table, key[0]))
        for table, key_text in {**story.expected, **story.last_days}:
            first = key_text.removeprefix('["').partition('"')[0]
            assert (table, first) in present, f"{name}: {table} {key_text}"
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_category_and_every_status_that_landing_can_cause_is_expected_somewhere(
    told: dict[str, Told],
) -> None:
    outcomes = [outcome for story in told.values() for outcome in story.expected.values()]
    assert {category for category, _ in outcomes} == {
        "lead_partner",
        "lead_direct",
        "customer_no_advice",
        "assignment",
        "accounting",
        "active",
        "supporting",
        "business_contact",
        "rights_request",
        "own",
        "unclassified",
    }
    # Restriction and lock are placed by people, not landed.
    assert {status for _, status in outcomes} == {
        "held",
        "review",
        "overdue",
        "due_soon",
        "retained",
        "active",
    }


@pytest.mark.parametrize("as_of", AWKWARD_DAYS, ids=str)
def test_last_days_agree_with_the_status_they_are_expected_with(as_of: date) -> None:
    """Days that a story states beside a status must not contradict it, whatever today is."""
    for name, story in tell_all(as_of).items():
        for ref, day in story.last_days.items():
            _, status = story.expected[ref]
            if status == "overdue":
                assert day < as_of, name
            elif status == "due_soon":
                assert as_of <= day < as_of + timedelta(days=30), name
            elif status == "retained":
                assert day >= as_of + timedelta(days=30), name


@pytest.mark.parametrize("offset", range(0, 1461, 7))
def test_boundary_stories_stand_on_the_boundary(offset: int) -> None:
    as_of = date(2024, 1, 1) + timedelta(days=offset)
    for name in (
        "partner_lead_on_its_last_day",
        "customer_without_advice_around_the_last_day",
        "ordinary_advice_around_the_last_day",
        "registration_around_its_last_day",
    ):
        story = STORIES_BY_NAME[name].tell(as_of)
        days = {story.last_days[ref] for ref in story.expected if ref in story.last_days}
        nearest = min(day for day in days if day >= as_of)
        # Holidays and short months leave days on which no period ends.
        assert nearest - as_of <= timedelta(days=6), name
    first = STORIES_BY_NAME["partner_lead_on_its_first_overdue_day"].tell(as_of)
    assert all(timedelta(0) < as_of - day <= timedelta(days=4) for day in first.last_days.values())


def test_the_notice_days_decide_only_absolute_dates() -> None:
    narrow, wide = tell_all(AS_OF, notice_days=10), tell_all(AS_OF, notice_days=80)
    moved = {name for name, story in narrow.items() if story.expected != wide[name].expected}
    assert moved <= {
        "partner_leads_at_month_ends",
        "registrations_at_month_ends",
        "registrations_on_clock_change_days",
        "leads_at_the_end_of_a_month",
        "last_day_on_a_weekend_or_holiday",
        "fiscal_years_back_and_forth",
        "fiscal_year_at_midnight",
        "secondary_material",
    }


def test_a_last_day_on_a_weekend_or_holiday_really_is_one(told: dict[str, Told]) -> None:
    rows = told["last_day_on_a_weekend_or_holiday"].rows["crm.assignment"]
    completed = [row["completed_at"] for row in rows if row.get("completed_at")]
    assert len(completed) == 3
    for moment in completed:
        assert isinstance(moment, datetime)
        day = date(moment.year, moment.month, moment.day)
        assert not is_working_day(last_day(day, Period(months=13 * 12)))


def test_the_same_day_and_seed_tell_the_same_story() -> None:
    assert tell_all(AS_OF) == tell_all(AS_OF)
    other = tell_all(AS_OF, seed=2)
    assert other != tell_all(AS_OF)
    # Another seed gives other names, never another outcome; only keys that are names differ.
    for name, story in tell_all(AS_OF).items():
        if name != "marketing_objection":
            assert story.expected == other[name].expected
