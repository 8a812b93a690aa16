"""The plan that the policy leaves to a job, and telling somebody where it waits for a person after all.

Belongs here: joining the two, for the nightly asset and for the command. Does not belong here: what such a
plan holds and who approves it (`retention.plan`), and the ways out of a notice (`notices`).
"""

from orchestration.notices import PlanNotice, give_notice
from retention.plan import Plan, create_unattended
from retention.settings import Settings


def plan_unattended(settings: Settings) -> Plan:
    """Freeze what the policy leaves to a job. Where the policy does not approve it, give notice.

    Raises Refused as `create_unattended` does.
    """
    plan = create_unattended(settings)
    if plan.state == "proposed":
        give_notice(settings, PlanNotice(str(plan.plan_id), plan.refusals[-1]))
    return plan
