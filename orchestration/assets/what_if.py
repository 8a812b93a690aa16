"""A policy that is tried: what it would change, as counts and as a page.

Belongs here: the asset. Does not belong here: the trial (`retention.what_if`), and putting a policy into
force, which a person does (`retention policy activate`).
"""

from typing import Any

from dagster import AssetKey, MaterializeResult, MetadataValue, asset

from orchestration.guarded import guarded
from orchestration.resources import Run
from orchestration.translator import OWNER
from retention.language import Language
from retention.settings import Settings
from retention.what_if import what_if as tried
from retention.what_if.page import write_pages

WHAT_IF = AssetKey(["what_if"])


@asset(
    key=WHAT_IF,
    group_name="policy",
    description="What a policy that nobody has put into force would change: today's records classified by"
    " it beside what is in force, which it does not touch (§ 11). Launch `try_policy` with its file.",
    owners=[OWNER],
    kinds={"dbt", "postgres"},
)
@guarded
def what_if(run: Run) -> MaterializeResult[Any]:
    """Try the policy of the run's configuration; show counts and where the page is."""
    settings = run.settings()
    document = tried(settings, run.policy_file(), examples=0)
    pages = write_pages(settings, document)
    purge = document["purge"]
    return MaterializeResult(
        metadata={
            **document["summary"],
            "policy_version": document["after"]["version"],
            "policy_hash": document["after"]["hash"],
            "purge_in_force": purge["before"]["records"],
            "purge_tried": purge["after"]["records"],
            "purge_needs_a_person": purge["after"]["needs_a_person"],
            **{
                f"page_{language.value}": _address(settings, pages[language].name)
                for language in Language
            },
        }
    )


def _address(settings: Settings, name: str) -> MetadataValue[Any]:
    return MetadataValue.url(f"{settings.pages_url}/reports/{name}")
