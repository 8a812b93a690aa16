"""Every kind of finding of coverage has its rule in the policy, and its words wherever it is shown."""

from datetime import date, timedelta

import pytest

from retention.coverage import Coverage, Finding, FindingKind, withheld
from retention.coverage.judge import judge
from retention.coverage.memory import Memory
from retention.coverage.words import next_steps, said
from retention.language.words import WORDS
from retention.policy import load_policy
from retention.policy.coverage import FindingRules
from retention.settings import load_settings
from tests.policies import SHIPPED

pytestmark = pytest.mark.unit

RULES = load_policy(SHIPPED).coverage
DAY = date(2026, 3, 1)

# What is downstream of landing is declared, or mended, where it is built.
OF_MODELS = {
    FindingKind.COPY_UNTRACEABLE,
    FindingKind.STALE_BUILD,
    FindingKind.UNDECLARED_MODEL,
    FindingKind.MODEL_EXEMPTION_PAST_DATE,
}


def coverage_of(finding: Finding) -> Coverage:
    return Coverage(findings=(finding,), set_aside=(), relations=(), declared=0)


def test_the_policy_has_a_rule_for_each_kind_and_for_no_other() -> None:
    assert set(FindingRules.model_fields) == {kind.value for kind in FindingKind}
    with pytest.raises(KeyError):
        RULES.findings.of("severity")


@pytest.mark.parametrize("kind", FindingKind)
def test_each_kind_is_said_with_what_to_do_next(kind: FindingKind) -> None:
    finding = Finding("crm", "person", "shoe", kind, "a detail")
    assert "crm" in said(finding)
    (step,) = next_steps([finding], load_settings({}))
    assert ("person" if kind in OF_MODELS else "staging/crm/_crm__sources.yml") in step
    # Braces are YAML's, never what was left to fill in.
    for form in ("`types: {shoe: …}`", "{reason, owner, review_on}"):
        step = step.replace(form, "")
    assert "{" not in said(finding) + step
    assert WORDS["finding"][kind.value]


@pytest.mark.parametrize("kind", FindingKind)
def test_the_policy_alone_says_how_bad_a_kind_is_and_what_it_withholds(kind: FindingKind) -> None:
    rule = RULES.findings.of(kind)
    finding = Finding("crm", "person", "shoe", kind)
    (judged,) = judge(coverage_of(finding), RULES, Memory(), DAY).findings
    assert judged.severity == rule.severity
    assert withheld(coverage_of(finding), RULES) == (
        {"crm.person": said(finding)} if rule.sets_aside else {}
    )


@pytest.mark.parametrize("kind", FindingKind)
def test_patience_turns_a_warning_into_an_error_and_nothing_else(kind: FindingKind) -> None:
    finding = Finding("crm", "person", "shoe", kind)
    patience = timedelta(days=RULES.patience_days.value)
    for late, severity in (
        (timedelta(0), RULES.findings.of(kind).severity),
        (timedelta(1), "error"),
    ):
        memory = Memory({finding.key: DAY - patience - late})
        (judged,) = judge(coverage_of(finding), RULES, memory, DAY).findings
        assert (judged.severity, judged.since) == (severity, DAY - patience - late)


def test_what_it_sets_aside_by_default() -> None:
    """An undeclared column withholds its own table; an exemption past its date withholds nothing."""
    aside = {kind for kind in FindingKind if RULES.findings.of(kind).sets_aside}
    assert aside == {
        FindingKind.UNDECLARED_COLUMN,
        FindingKind.TYPE_CHANGED,
        FindingKind.PARTITION_DIFFERS,
    }
    warnings = {kind for kind in FindingKind if RULES.findings.of(kind).severity == "warn"}
    assert warnings == {
        FindingKind.EXEMPTION_PAST_DATE,
        FindingKind.HARMLESS_SEEMS_PERSONAL,
        FindingKind.MODEL_EXEMPTION_PAST_DATE,
        FindingKind.TYPE_DIFFERS,
        FindingKind.UNDECLARED_VIEW,
    }
