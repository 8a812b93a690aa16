"""What owners were told of what falls due.

Belongs here: the asset that shows it, as the end of the daily job. Does not belong here: what is told
to whom (`retention.due_notices`).
"""

from dagster import AssetExecutionContext, AssetKey, MaterializeResult, asset

from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.classify import today
from retention.due_notices.channels import load_channels
from retention.due_notices.send import send_due
from retention.language import chosen

DUE_NOTICES = AssetKey(["due_notices"])


@asset(
    key=DUE_NOTICES,
    group_name="checks",
    description="Owners told what falls due within the policy's days of notice: each due date once, by"
    " e-mail and chat, in counts and links. A channel that fails stops nothing and is tried again.",
    deps=[AssetKey(["retention", "records"])],
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def due_notices(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Tell what was not told yet. A replay of a past day tells nobody, nor does a job without channels."""
    settings = run.settings()
    is_told = run.day() == today() and load_channels().is_configured
    told = send_due(settings, chosen()) if is_told else []
    return MaterializeResult(
        metadata={
            "notices": sum(one.outcome == "told" for one in told),
            "records_told": sum(one.records for one in told if one.outcome == "told"),
            "channels_failed": sum(one.is_wrong and one.channel is not None for one in told),
            "owners_without_channel": sum(one.channel is None for one in told),
        }
    )
