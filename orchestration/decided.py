"""The plan of what was decided, and telling somebody where its decisions do not approve it.

Belongs here: joining the two, for the nightly asset and for the command. Does not belong here: what such a
plan holds and what approves it (`retention.plan`), and the ways out of a notice (`notices`).
"""

from orchestration.notices import PlanNotice, give_notice
from retention.plan import Plan, anything_decided, create_decided
from retention.settings import Settings


def plan_decided(settings: Settings) -> Plan | None:
    """Freeze what was decided; None where no decision waits. Where the decisions do not approve the plan,
    give notice. Raises Refused as `create_decided` does.
    """
    if not anything_decided(settings):
        return None
    plan = create_decided(settings)
    if plan.state == "proposed":
        give_notice(settings, PlanNotice(str(plan.plan_id), plan.refusals[-1]))
    return plan
