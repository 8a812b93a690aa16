"""The retention report of the day, written and kept at the end of the daily job.

Belongs here: the asset and its counts. Does not belong here: what the report says (`retention.report`), and
what of it is kept for comparison (`retention.report.history`).
"""

from dagster import AssetExecutionContext, AssetKey, MaterializeResult, asset

from orchestration.assets.classification import RECORDS
from orchestration.assets.evidence import CHECKPOINT
from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.report.history import keep
from retention.report.report import write_report

REPORT = AssetKey(["retention_report"])


@asset(
    key=REPORT,
    group_name="evidence",
    description="The report of the day: what is kept and under which rule (§ 6), what is due and why it"
    " is still there, what was purged and what proves it. Its hash is evidence and its counts are kept,"
    " so that the report of the day can be made again later and held against it.",
    deps=[RECORDS, CHECKPOINT],
    owners=[OWNER],
    kinds={"html", "json"},
)
@guarded
def retention_report(context: AssetExecutionContext, run: Run) -> MaterializeResult:  # type: ignore[type-arg]
    """Write the report of the run's day, and keep it where the classification is the one in force."""
    settings = run.settings()
    written = write_report(settings, run.day())
    kept = keep(settings, written.document, written.json_path)
    headline = written.document["headline"]
    return MaterializeResult(
        metadata={
            "as_of": written.document["made_from"]["as_of"],
            "policy_version": written.document["made_from"]["policy_version"],
            **{
                name: headline[name]
                for name in ("records", "overdue", "overdue_beyond_grace", "purged")
            },
            "held": headline["by_status"]["held"],
            "review": headline["by_status"]["review"],
            "unreconciled_tables": headline["unreconciled_tables"],
            "document_sha256": kept.document_sha256,
            "kept": kept.is_kept,
        }
    )
