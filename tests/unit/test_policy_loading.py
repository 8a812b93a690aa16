"""A policy that does not validate: one clear line with file and line number, exit code 2."""

from pathlib import Path

import pytest

from retention.errors import UsageError
from retention.policy import load_policy
from tests.policies import edited_text, shipped_text, write_policy

pytestmark = pytest.mark.unit

R1_PERIOD = "period: {from: fixed, value: P6M, mark: text}"
R1_APPROVAL = "      approval: {state: example}\n    clause:\n"
EXAMPLE_WILL = "    approval: {state: example}\n  marriage_contract:"
A_SUBJECT = "  - id: registered_user"


def error_of(tmp_path: Path, text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_policy(write_policy(tmp_path / "policy", text))
    assert caught.value.exit_code == 2
    return caught.value


def line_of(text: str, mark: str) -> int:
    assert text.count(mark) == 1, f"{mark!r} must stand once"
    return text[: text.index(mark)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        pytest.param(
            R1_PERIOD,
            "period: {from: fixed, value: P6X, mark: text}",
            "value: P6X",
            "rules.R1.period.value: 'P6X' is no period",
            id="no-period",
        ),
        pytest.param(
            R1_PERIOD,
            "period: {from: fixed, value: PT6M, mark: text}",
            "value: PT6M",
            "'PT6M' is no period",
            id="a-time-of-day-is-no-period",
        ),
        pytest.param(
            R1_PERIOD,
            "perod: 1\n    period: {from: fixed, value: P6M, mark: text}",
            "perod",
            "unknown key 'perod' in rules.R1",
            id="unknown-key",
        ),
        pytest.param(
            "version: lexly-2023-01-12",
            "version: lexly-2023-01-12\nversjon: 2",
            "versjon",
            "unknown key 'versjon' in the policy",
            id="unknown-key-at-the-root",
        ),
        pytest.param(
            "    disposition: purge\n",
            "",
            "  - id: R1",
            "rules.R1 lacks the key 'disposition'",
            id="missing-key",
        ),
        pytest.param(
            R1_APPROVAL,
            "    clause:\n",
            "    trigger:\n      event: first_received_from_partner",
            "rules.R1.trigger: missing approval: a value marked choice says who approved it",
            id="missing-approval-of-a-choice",
        ),
        pytest.param(
            EXAMPLE_WILL,
            "  marriage_contract:",
            "  will:\n",
            "missing approval: a value marked law",
            id="missing-approval-of-a-law",
        ),
        pytest.param(
            R1_APPROVAL,
            "      approval: {state: approved}\n    clause:\n",
            "approval: {state: approved}",
            "an approval needs by, on and source",
            id="approved-by-nobody",
        ),
        pytest.param(
            R1_APPROVAL,
            "      approval: {state: sure}\n    clause:\n",
            "approval: {state: sure}",
            "rules.R1.trigger.approval.state must be 'approved', 'example' or 'none'",
            id="an-approval-that-is-none",
        ),
        pytest.param(
            "  - id: R2\n    category: lead_direct",
            "  - id: R1\n    category: lead_direct",
            "  - id: R1\n    category: lead_direct",
            "rule R1 stands twice; the first is on line",
            id="overlap-by-id",
        ),
        pytest.param(
            "    category: lead_direct\n",
            "    category: lead_partner # not R2\n",
            "# not R2",
            "rule R2 is category lead_direct",
            id="another-category-than-the-engine-joins-on",
        ),
        pytest.param(
            "    unattended: false\n\n  - id: R4",
            "    unattended: true\n\n  - id: R4",
            None,
            "R3 always needs a person",
            id="r3-unattended",
        ),
        pytest.param(
            "    unattended: false\n\n  - id: SUPPORTING",
            "    unattended: true\n\n  - id: SUPPORTING",
            None,
            "rule ACTIVE is not purged",
            id="unattended-without-purge",
        ),
        pytest.param(
            R1_PERIOD,
            "period: {from: none, mark: text}",
            "period: {from: none, mark: text}",
            "rule R1 takes its period from: fixed",
            id="no-period-where-the-engine-needs-one",
        ),
        pytest.param(
            R1_PERIOD,
            "period: {from: none, value: P6M, mark: text}",
            "period: {from: none, value: P6M",
            "a period has a value exactly where it says from: fixed",
            id="a-period-from-nowhere",
        ),
        pytest.param(
            "value: both",
            "value: maybe",
            "value: maybe",
            "readings.broken_sentence.value must be 'A', 'B' or 'both'",
            id="no-reading",
        ),
        pytest.param(
            "value: review",
            "value: purge_it",
            "value: purge_it",
            "readings.late_contact.value must be 'review'",
            id="a-reading-the-engine-cannot-apply",
        ),
        pytest.param(
            "defect: broken_sentence\n",
            "defect: another\n",
            "defect: another",
            "no defect 'another' is listed",
            id="a-defect-that-no-report-would-name",
        ),
        pytest.param(
            A_SUBJECT,
            "  - id: customer",
            None,
            "'customer' stands twice in subject_kinds",
            id="one-id-twice",
        ),
        pytest.param(
            "most_records: 1000",
            'most_records: "1000"',
            "most_records:",
            "unattended.most_records: input should be a valid integer",
            id="text-is-no-number",
        ),
        pytest.param(
            "value: 30, reason: \"a month",
            "value: 0, reason: \"a month",
            "due_soon_days:",
            "operations.due_soon_days.value: input should be greater than or equal to 1",
            id="no-notice",
        ),
        pytest.param(
            "fiscal_year_end: 12-31",
            "fiscal_year_end: 06-30",
            "fiscal_year_end: 06-30",
            "accounting.fiscal_year_end must be '12-31'",
            id="a-fiscal-year-the-engine-cannot-apply",
        ),
        pytest.param(
            "period: P3Y6M",
            "period: P3Y6M10D",
            "period: P3Y6M10D",
            "period is counted in months and years",
            id="days-where-months-count",
        ),
        pytest.param(
            "overdue_days: {at_least: 0, at_most: 45}",
            "overdue_days: {at_least: 50, at_most: 45}",
            "overdue_days",
            "at_least is more than at_most",
            id="an-empty-age-band",
        ),
        pytest.param(
            "effective_from: 2023-01-12",
            "effective_from: 2023-02-30",
            "effective_from",
            "effective_from: input should be a valid date",
            id="no-date",
        ),
        pytest.param(
            "    consent_only: true\n    on_withdrawal: stop\n",
            "    consent_only: true\n",
            None,
            "on_withdrawal stands exactly where consent is the only basis",
            id="consent-whose-withdrawal-does-nothing",
        ),
    ],
)  # fmt: skip
def test_one_clear_line(tmp_path: Path, old: str, new: str, at: str | None, says: str) -> None:
    text = edited_text((old, new))
    error = str(error_of(tmp_path, text))
    assert says in error
    assert "\n" not in error
    place, line, _ = error.split(":", 2)
    assert place == "policy/policy-under-test.yaml"
    if at is not None:
        assert int(line) == line_of(text, at)


def test_two_rules_for_the_same_records_overlap(tmp_path: Path) -> None:
    text = edited_text(
        ("    category: lead_direct\n", "    category: lead_partner\n"),
        (
            "    condition: no_relationship_otherwise\n",
            "    condition: no_relationship_via_partner\n",
        ),
    )
    first = line_of(shipped_text(), "  - id: R1\n")
    second = line_of(shipped_text(), "  - id: R2\n")
    assert str(error_of(tmp_path, text)).startswith(
        f"policy/policy-under-test.yaml:{second}: rule R2 overlaps rule R1 (line {first})"
    )


def test_every_rule_must_be_stated(tmp_path: Path) -> None:
    whole = shipped_text()
    start, end = whole.index("  - id: BUSINESS"), whole.index("  - id: RIGHTS")
    error = error_of(tmp_path, whole[:start] + whole[end:])
    assert "rule BUSINESS is missing" in str(error)


def test_the_first_problem_is_shown_and_the_rest_counted(tmp_path: Path) -> None:
    text = edited_text((R1_PERIOD, R1_PERIOD.replace("P6M", "P6X")), ("value: P12M", "value: P1"))
    error = str(error_of(tmp_path, text))
    assert "'P6X'" in error
    assert error.endswith("(and 1 more problem)")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("version: [", "not valid YAML", id="syntax"),
        pytest.param("", "no policy here", id="empty"),
        pytest.param("- a\n- b\n", "no policy here", id="a-list"),
        pytest.param("version: a\nversion: b\n", ":2: 'version' stands twice", id="a-key-twice"),
        pytest.param("a: &x 1\nb: *x\n", ":1: no anchors or aliases here", id="anchor"),
        pytest.param("a: 1\n2: b\n", ":2: a key must be plain text", id="a-number-as-key"),
        pytest.param("a: 1\n---\nb: 2\n", "not valid YAML", id="two-documents"),
        pytest.param("a: \x07\n", "a character that YAML does not allow", id="control-character"),
    ],
)
def test_what_is_no_policy_at_all(tmp_path: Path, text: str, says: str) -> None:
    error = str(error_of(tmp_path, text))
    assert says in error
    assert "\n" not in error


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("version: måned".encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        load_policy(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read policy .*absent\.yaml"):
        load_policy(tmp_path / "absent.yaml")


def test_words_that_yaml_would_take_for_booleans_stay_words(tmp_path: Path) -> None:
    """YAML 1.1 reads the key `on` as true and the word `no` as false; a policy is full of both."""
    approval = "{state: approved, by: no, on: 2023-01-10, source: off}"
    text = edited_text((R1_APPROVAL, f"      approval: {approval}\n    clause:\n"))
    found = load_policy(write_policy(tmp_path, text)).rule("R1").trigger.approval
    assert found is not None
    assert (found.by, found.source) == ("no", "off")


def test_the_error_does_not_repeat_a_name(tmp_path: Path) -> None:
    approval = "{state: approved, by: Kari Nordmann, on: yesterday, source: memo}"
    text = edited_text((R1_APPROVAL, f"      approval: {approval}\n    clause:\n"))
    assert "Nordmann" not in str(error_of(tmp_path, text))
