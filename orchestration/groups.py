"""Where an asset stands in the flow from a landing table to its deletion.

Belongs here: the groups, in the order of the flow, and which dbt node belongs to which. Does not belong
here: anything else about an asset.
"""

from collections.abc import Mapping
from typing import Any

GROUPS = (
    "landing",
    "policy",
    "staging",
    "facts",
    "deadlines",
    "records",
    "rights",
    "checks",
    "plan",
    "purge",
    "evidence",
)

#: What a data team builds on the flow, in folders of its own and in snapshots.
DOWNSTREAM = "downstream"

# What is known of persons and their records, before any rule looks at it, and on which day. The other
# intermediate models turn it into deadlines.
FACTS = frozenset(
    {
        "int_clock",
        "int_day",
        "int_marked_schemas",
        "int_parents_linked",
        "int_records_unioned",
        "int_subjects",
        "int_humans",
        "int_contact_points",
        "int_contact_points_matched",
        "int_record_cases",
        "int_record_candidates",
        "int_record_mentions",
        "int_case_fingerprints",
        "int_contacts_counted",
        "int_person_partners",
        "int_handovers_decided",
    }
)

# The engine's own tables, which dbt reads as sources.
LEDGER = {
    "subject_tokens": "facts",
    "blockers": "deadlines",
    "requests": "deadlines",
    "assignment_restarts": "deadlines",
    "column_grounds": "deadlines",
    "erasure_decisions": "deadlines",
    "review_decisions": "deadlines",
    "returned_records": "deadlines",
    "received_via_partner": "facts",
    "contact_points_checked": "facts",
    "plans": "plan",
    "plan_items": "plan",
}


def group_of(node: Mapping[str, Any]) -> str:
    """The group of a dbt source, seed or model.

    Raises KeyError for a table of the ledger that stands nowhere in the flow.
    """
    if node["resource_type"] == "source":
        return LEDGER[node["name"]] if node["source_name"] == "ledger" else "landing"
    if node["resource_type"] == "seed":
        return "policy"
    if node["resource_type"] != "model":
        return DOWNSTREAM
    match node["fqn"][1:-1]:
        case ["staging", *_]:
            return "staging"
        case ["intermediate", *_]:
            return "facts" if node["name"] in FACTS else "deadlines"
        case ["marts", "retention" | "marketing", *_]:
            return "records"
        case ["marts", "audit", *_]:
            return "checks"
        case _:
            return DOWNSTREAM
