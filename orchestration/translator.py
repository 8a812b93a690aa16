"""What Dagster shows of a dbt source, seed or model.

Belongs here: group, owner, tags, and the description with the clause. Does not belong here: which group
a node is in (`groups`), and what a table is (the declarations).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster import AssetSpec
from dagster_dbt import DagsterDbtTranslator

from orchestration.groups import group_of
from retention.declarations import Declarations, TableDeclaration
from retention.declarations.parts import RuleName
from retention.policy import Policy

OWNER = "team:data-platform"


class Translator(DagsterDbtTranslator):
    """Puts dbt's nodes into the flow and says what the declarations and the policy say of them."""

    def __init__(self, policy: Policy, declarations: Declarations) -> None:
        super().__init__()
        self._policy = policy
        self._staged = {table.staging_model: table for table in declarations.staged}
        self._declared = {table.qualified: table for table in declarations.tables}

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return group_of(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        table = self._table(dbt_resource_props)
        return [table.owner if table and "@" in table.owner else OWNER]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        table = self._table(dbt_resource_props)
        if table is None:
            return {}
        return {"system": tag_value(table.system), "retention": tag_value(_follows(table))}

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        table = self._table(dbt_resource_props)
        words = dbt_resource_props.get("description") or ""
        if table is not None:
            words = f"{words or table.description}\n\n{self._retention(table)}"
        # A model that nobody described in YAML says what it is in the comment that opens it.
        return words or opening_comment(dbt_resource_props.get("raw_code") or "")

    def landing_specs(self, manifest: Mapping[str, Any]) -> list[AssetSpec]:
        """An asset for each source: without one the graph hides where everything comes from."""
        return [
            AssetSpec(
                key=self.get_asset_key(source),
                description=self.get_description(source),
                group_name=self.get_group_name(source),
                owners=self.get_owners(source),
                tags=self.get_tags(source),
                kinds={"postgres", "table"},
            )
            for _, source in sorted(manifest["sources"].items())
        ]

    def _table(self, node: Mapping[str, Any]) -> TableDeclaration | None:
        if node["resource_type"] == "source":
            return self._declared.get(f"{node['schema']}.{node['name']}")
        return self._staged.get(node["name"])

    def _retention(self, table: TableDeclaration) -> str:
        if table.exempt:
            return (
                f"Exempt: {table.exempt.reason} (to be looked at again {table.exempt.review_on})."
            )
        sentences = [f"Retention: {_follows_in_words(table)} ({self._clauses(table)})."]
        if table.personal:
            sentences.append(f"Personal columns: {', '.join(sorted(table.personal))}.")
        return " ".join(sentences)

    def _clauses(self, table: TableDeclaration) -> str:
        labels = {self._policy.rule(rule).clause.label for rule in _rules(table)}
        return ", ".join(sorted(labels))


def tag_value(text: str) -> str:
    """`text` as Dagster allows it in a tag: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9_.-]+", "-", text.lower()).strip("-")[:63]


def opening_comment(sql: str) -> str:
    """The SQL comment that opens a model, as prose; empty where there is none."""
    lines = (
        line.strip() for line in re.sub(r"\{[{#%].*?[}#%]\}", "", sql, flags=re.S).splitlines()
    )
    prose: list[str] = []
    for line in lines:
        if line.startswith("--"):
            prose.append(line.removeprefix("--").strip())
        elif line or prose:
            break
    return " ".join(prose)


def _follows(table: TableDeclaration) -> str:
    if table.exempt:
        return "exempt"
    if table.accounting:
        return "accounting"
    return table.follows.rule if isinstance(table.follows, RuleName) else table.follows


def _follows_in_words(table: TableDeclaration) -> str:
    if table.accounting:
        return f"accounting material, {table.accounting.class_}"
    if isinstance(table.follows, RuleName):
        return f"rule {table.follows.rule}, from its own date"
    return {
        "person": "follows its person",
        "assignment": "follows its assignment",
        "review": "a person decides",
    }[table.follows]


def _rules(table: TableDeclaration) -> Iterable[str]:
    """The rules that can decide the table's rows, as far as the declaration tells."""
    if table.accounting:
        yield "R5"
    elif isinstance(table.follows, RuleName):
        yield table.follows.rule
    elif table.person or table.lead:
        yield from ("R1", "R2", "R3", "R4")
    elif table.follows == "person":
        yield "SUPPORTING"
    elif table.follows == "assignment":
        yield "R4"
    else:
        yield "UNCLASSIFIED"
    if table.otherwise:
        yield table.otherwise.rule
