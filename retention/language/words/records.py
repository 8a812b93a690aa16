"""Words for what a record is, when it is due and what keeps it."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "status": {
        "held": "Held",
        "restricted": "Restricted",
        "locked": "Locked",
        "review": "Under review",
        "overdue": "Overdue",
        "due_soon": "Due soon",
        "retained": "Retained",
        "active": "Active",
    },
    "status_meaning": {
        "held": "legal hold, or a rights request pending",
        "restricted": "only stored (GDPR art. 18)",
        "locked": "erasure refused by law until an end date (§ 8)",
        "review": "a person must decide",
        "overdue": "past its last day",
        "due_soon": "within the notice days",
        "retained": "a clock runs",
        "active": "no clock runs",
    },
    "category": {
        "lead_partner": "lead from a partner",
        "lead_direct": "direct lead",
        "customer_no_advice": "customer without advice",
        "assignment": "completed assignment",
        "accounting": "accounting material",
        "active": "open assignment or contract",
        "supporting": "supporting records",
        "business_contact": "business contact",
        "rights_request": "rights request",
        "own": "our own records",
        "lock": "lock",
        "unclassified": "unclassified",
    },
    "disposition": {
        "purge": "purge",
        "minimise": "minimise",
        "review": "review",
        "keep": "keep",
    },
    "blocker": {
        "hold": "Legal hold",
        "restriction": "Restriction",
        "lock": "Lock",
    },
    "scope": {
        "subject": "a person",
        "assignment": "an assignment",
        "record": "a record",
        "table": "a table",
    },
    # How a blocker is named beside a record: its kind, and what it covers.
    "blocked_by": {
        "hold:subject": "legal hold on the person",
        "hold:assignment": "legal hold on the assignment",
        "hold:record": "legal hold on the record",
        "hold:table": "legal hold on the table",
        "restriction:subject": "restriction (art. 18) on the person",
        "restriction:assignment": "restriction (art. 18) on the assignment",
        "restriction:record": "restriction (art. 18) on the record",
        "restriction:table": "restriction (art. 18) on the table",
        "lock:subject": "lock (§ 8) on the person",
        "lock:assignment": "lock (§ 8) on the assignment",
        "lock:record": "lock (§ 8) on the record",
        "lock:table": "lock (§ 8) on the table",
    },
    # What overdue records wait for.
    "waits_for": {
        "withheld": "their table is withheld",
        "skipped": "skipped by the purge",
        "plan_proposed": "a plan waits for approval",
        "plan_approved": "an approved plan waits to be carried out",
        "plan_executing": "a plan is being carried out",
        "left_out": "left out of the latest plan",
        "no_plan": "no plan has been made yet",
    },
    "verdict": {
        "resurrection": "purged, and landed again",
        "reopened": "purged, and open again",
        "new": "new: the person came back",
        "unknown": "unknown: its date is missing",
    },
    "level": {"logical": "logical", "physical": "physical"},
    "accounting_class": {"primary": "primary material", "secondary": "secondary material"},
    # How the rows of a relation go when a landing row does (retention.report.parts.lineage).
    "rows_go": {
        "view": "a view, holds no row",
        "by_key": "by the landing row's key",
        "by_name": "with the record that they name",
        "untraceable": "no key leads to them: nothing is purged",
        "none_of_a_record": "nobody's",
    },
}
