"""Where more is said of an asset: the report, dbt's description, the runbook, the code.

Belongs here: addresses and paths, as metadata of an asset's definition. Does not belong here: what is said
there, and serving it.
"""

from collections.abc import Mapping
from typing import Any

from dagster import MetadataValue

Metadata = dict[str, Any]

#: The part of the report that says most about a group of the flow.
REPORT_PART = {
    "landing": "population",
    "policy": "policy",
    "staging": "population",
    "facts": "rules",
    "deadlines": "calendar",
    "records": "overdue",
    "rights": "rights",
    "checks": "overdue",
    "plan": "purges",
    "purge": "purges",
    "evidence": "purges",
}
_HEADLINE = "headline"

_RUNBOOKS = {
    "landing": "schema-drift",
    "policy": "daily-job",
    "staging": "onboard-a-source",
    "facts": "daily-job",
    "deadlines": "daily-job",
    "records": "daily-job",
    "rights": "requests",
    "checks": "daily-job",
    "plan": "daily-job",
    "purge": "halt",
    "evidence": "keys",
}
# Where an asset has a runbook of its own.
_OWN_RUNBOOK = {
    "blockers": "locks",
    "compaction": "erasure",
    "housekeeping": "housekeeping",
    "int_blockers_in_force": "locks",
    "int_out_of_use": "locks",
    "locks": "locks",
    "personal_data": "onboard-a-source",
    "read_back": "restore",
    "requests": "requests",
    "restrictions": "locks",
}


def links(pages_url: str, group: str, asset: str) -> Metadata:
    """To the report's part about the asset's group, and to the runbook for when it fails."""
    part = REPORT_PART.get(group, _HEADLINE)
    runbook = _OWN_RUNBOOK.get(asset) or _RUNBOOKS.get(group, "daily-job")
    return {
        "report": _link(f"the report: {part}", f"{pages_url}/reports/latest/#{part}"),
        "runbook": MetadataValue.text(f"docs/runbooks/{runbook}.md"),
    }


def dbt_links(pages_url: str, node: Mapping[str, Any]) -> Metadata:
    """To dbt's own page of a node, and to the file that makes it."""
    page = f"{pages_url}/dbt/#!/{node['resource_type']}/{node['unique_id']}"
    return {
        "dbt docs": _link("dbt's description", page),
        "code": MetadataValue.text(f"dbt_project/{node['original_file_path']}"),
    }


def _link(words: str, address: str) -> MetadataValue[Any]:
    # As an address alone it would be cut off in the column of values, and so would a path (text wraps).
    return MetadataValue.md(f"[{words}]({address})")
