"""Which connectors' tables decide about a record, by the declarations in use.

Belongs here: the way from a table to the schemas of the facts it is judged by. Does not belong here: what a
purge does while one of them is being loaded (integration/test_syncs_under_way.py).
"""

from retention.declarations import load_declarations
from retention.plan.tables import judged_by
from retention.settings import load_settings


def test_a_record_of_a_person_is_judged_by_every_connector_that_knows_of_persons() -> None:
    """A call that Twilio lands makes a lead of the CRM a customer."""
    declarations = load_declarations(load_settings().declarations_dir)
    schemas = judged_by(declarations, {"crm.lead"})
    assert {"crm", "twilio", "aws_agreements", "stripe"} <= schemas
    assert not {"new_relic", "google_analytics", "fivetran_log"} & schemas


def test_a_record_that_nobody_elses_facts_decide_about_is_judged_by_its_own_table() -> None:
    declarations = load_declarations(load_settings().declarations_dir)
    assert judged_by(declarations, {"crm.business_contact"}) == {"crm"}
    assert judged_by(declarations, set()) == set()
