"""What is declared of consents, and of what rests on them alone.

Belongs here: the keys `consent`, `consented` and `reveals`, and what they may not say. Does not belong
here: what a withdrawal does (tests/integration/test_consent*.py).
"""

from typing import Any

import pytest
from pydantic import ValidationError

from retention.classify import check_references
from retention.declarations import Declarations, TableDeclaration, load_declarations
from retention.declarations.facts import describe, select_facts
from retention.errors import UsageError
from retention.policy import load_policy
from retention.settings import load_settings
from tests.policies import SHIPPED

pytestmark = pytest.mark.unit

LEAD: dict[str, Any] = {
    "schema_": "desk",
    "name": "lead",
    "key": "id",
    "subject": {"foreign_key": "person_id", "to": "desk.person"},
    "follows": "person",
    "lead": {"received_at": "received_at", "partner": "partner_id"},
    "personal": {"partner_id": "special_category", "name": "name"},
}
PARTNER: dict[str, Any] = {
    "schema_": "desk",
    "name": "partner",
    "key": "id",
    "exempt": {"reason": "Companies and no persons", "owner": "a", "review_on": "2027-01-01"},
    "instruction": {"id": "instruction_id", "period": "instruction_period"},
}
UNION = {
    "purpose": "union_membership",
    "columns": ["partner_id"],
    "when": "revealed_by_partner",
}

CONSENT = {"purpose": "kind", "given_at": "g", "withdrawn_at": "w"}
OF_NOBODY = {"subject": None, "lead": None, "follows": "review"}


def declared(base: dict[str, Any], **parts: Any) -> TableDeclaration:
    return TableDeclaration.model_validate({**base, **parts})


@pytest.mark.parametrize(
    ("base", "parts", "message"),
    [
        (LEAD, {"consented": {"purpose": "p", "columns": ["person_id"]}}, "not personal"),
        (
            {**LEAD, "personal": {"person_id": "online_id"}},
            {"consented": {"purpose": "p", "columns": ["person_id"]}},
            "the classification or accounting speaks of it",
        ),
        (LEAD, {"consented": UNION, "lead": {"received_at": "r"}}, "leads and hand-overs"),
        (LEAD, {"consented": {"purpose": "p"}, **OF_NOBODY}, "needs a `subject`"),
        (LEAD, {"consent": CONSENT, **OF_NOBODY}, "and consents need"),
        (LEAD, {"reveals": {"purpose": "p", "when": "is_union"}}, "table of partners"),
        (PARTNER, {"reveals": {"purpose": "p", "when": "u"}, "instruction": None}, "of partners"),
        (LEAD, {"consented": {"purpose": "p", "when": "sometimes"}}, "when"),
    ],
)
def test_what_cannot_be_declared(base: dict[str, Any], parts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        declared(base, **parts)


def test_the_partners_id_may_rest_on_a_consent() -> None:
    lead = declared(LEAD, consented=UNION)
    assert lead.consented_columns == lead.nullable == ("partner_id",)
    described = describe(lead)
    assert described["consented_purpose"] == "union_membership"
    assert (described["consented_columns"], described["consented_by_partner"]) == (
        "partner_id",
        "true",
    )


def test_values_of_the_source_are_mapped_to_purposes_and_others_are_none() -> None:
    consent = {**CONSENT, "purposes": {"fagforening": "union_membership"}}
    facts = select_facts(declared(LEAD, consent=consent), "desk.lead")
    assert (
        "case landed.\"kind\"::text when 'fagforening' then 'union_membership' end as consent_purpose"
        in facts
    )


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([declared(LEAD, consented={"purpose": "marketing"})], "marketing is no purpose"),
        # Its withdrawal stops the sharing, and erases nothing.
        ([declared(LEAD, consented={"purpose": "share_back"})], "share_back is no purpose"),
        ([declared(LEAD, consented=UNION)], "no table of partners"),
        (
            [declared(PARTNER, reveals={"purpose": "gambling", "when": "is_union"})],
            "gambling is no purpose",
        ),
        (
            [declared(LEAD, consent={**CONSENT, "purposes": {"x": "y"}})],
            "no purpose of the policy: y",
        ),
    ],
)
def test_purposes_are_the_policys(tables: list[TableDeclaration], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_references(load_policy(SHIPPED), Declarations(tables=tuple(tables)))


def test_what_is_shipped_rests_on_consent_where_the_policy_says_so() -> None:
    declarations = load_declarations(load_settings({}).declarations_dir)
    check_references(load_policy(SHIPPED), declarations)
    resting = {t.qualified: t.consented for t in declarations.governed if t.consented}
    assert {name: (one.purpose, one.columns, one.when) for name, one in resting.items()} == {
        "crm.lead": ("union_membership", ("partner_id",), "revealed_by_partner"),
        "crm.handover": ("union_membership", ("partner_id",), "revealed_by_partner"),
        "google_analytics.event": ("optional_cookies", (), "always"),
        "ga4_export.event": ("optional_cookies", (), "always"),
    }
    partner = declarations.table("crm.partner")
    assert partner is not None
    assert partner.reveals is not None
