"""What columns without declared personal data seem to hold.

Belongs here: the asset that shows counts and kinds. Does not belong here: the scan
(`retention.detection`), and what is a finding (`retention.coverage`).
"""

from collections import Counter

from dagster import AssetKey, MaterializeResult, asset

from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.declarations import load_declarations
from retention.detection.run import scan_and_remember

DETECTION = AssetKey(["personal_data"])


@asset(
    key=DETECTION,
    group_name="checks",
    description="What a sample of the columns seems to hold that are declared harmless or exempt, or not"
    " declared at all (§ 2): kinds and counts. What disagrees with its declaration is a finding of the next"
    " daily run.",
    owners=[OWNER],
    kinds={"postgres"},
)
@guarded
def personal_data(run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Scan as a reader, leave the outcome in the ledger, and show how many columns seem to hold what."""
    settings = run.settings()
    found = scan_and_remember(settings, load_declarations(settings.declarations_dir), declared=True)
    kinds = Counter(str(one.kind) for one in found if one.is_likely)
    return MaterializeResult(
        metadata={
            "columns": len(found),
            "unread": sum(one.unread is not None for one in found),
            "seem_personal": sum(kinds.values()),
            **dict(sorted(kinds.items())),
        }
    )
