"""What Dagster shows of a dbt source, seed or model.

Belongs here: group, owner, tags, links, and the description with the clause. Does not belong here: which
group a node is in (`groups`), which words of the policy stand behind it (`passages`), and what a table is
(the declarations).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dagster import (
    AssetCheckSpec,
    AssetKey,
    AssetSpec,
    MetadataValue,
    TableColumn,
    TableSchema,
)
from dagster._core.definitions.metadata.metadata_set import TableMetadataSet
from dagster_dbt import DagsterDbtTranslator

from orchestration import freshness
from orchestration.groups import group_of
from orchestration.links import dbt_links, links
from orchestration.passages import Passage, Passages, category_tags, quoted
from retention.declarations import Declarations, TableDeclaration
from retention.declarations.parts import RuleName
from retention.policy import Policy

OWNER = "team:data-platform"

#: What is ours, where a landing table names the system that it comes from.
OURS = "sletteplikt"

#: The tag of the layer of the warehouse, or of the engine.
LAYER = "layer"


class Translator(DagsterDbtTranslator):
    """Puts dbt's nodes into the flow and says what the declarations and the policy say of them."""

    def __init__(self, policy: Policy, declarations: Declarations, pages_url: str) -> None:
        super().__init__()
        self._passages = Passages(policy)
        self._pages_url = pages_url
        self._staged = {table.staging_model: table for table in declarations.staged}
        self._declared = {table.qualified: table for table in declarations.tables}

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(freshness_policy=freshness.OWN.get(spec.key.path[-1]))

    def get_asset_check_spec(
        self, asset_spec: AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        test = manifest["nodes"][unique_id]
        clauses = sorted({one.label for one in self._passages.behind(asset_spec.key.path[-1])})
        column = f" of {test['column_name']}" if test.get("column_name") else ""
        name = (test.get("test_metadata") or {}).get("name", "a test")
        return AssetCheckSpec(
            name=spec.name,
            asset=spec.asset_key,
            description=spec.description or f"dbt: {name.replace('_', ' ')}{column}.",
            additional_deps=spec.additional_deps,
            blocking=spec.blocking,
            metadata={
                **(spec.metadata or {}),
                "severity": test["config"]["severity"].lower(),
                "clause": ", ".join(clauses),
            },
        )

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return group_of(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        table = self._table(dbt_resource_props)
        return [table.owner if table and "@" in table.owner else OWNER]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        table = self._table(dbt_resource_props)
        tags = {
            LAYER: layer_of(dbt_resource_props),
            "system": tag_value(table.system) if table and table.system else OURS,
        }
        if table is None:
            return {**tags, **category_tags(self._behind(dbt_resource_props))}
        if table.exempt:
            return {**tags, "retention": "exempt", "category/none": ""}
        behind = category_tags(self._behind(dbt_resource_props))
        return {**tags, "retention": tag_value(_follows(table)), **behind}

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        table = self._table(dbt_resource_props)
        # A model that nobody described in YAML says what it is in the comment that opens it.
        words = dbt_resource_props.get("description") or (
            table.description
            if table
            else opening_comment(dbt_resource_props.get("raw_code") or "")
        )
        parts = [" ".join(words.split()) or dbt_resource_props["name"].replace("_", " ")]
        if table is not None:
            parts.append(_retention(table))
        return "\n\n".join([*parts, quoted(self._behind(dbt_resource_props))])

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        table = self._table(dbt_resource_props)
        metadata = {
            **super().get_metadata(dbt_resource_props),
            **links(self._pages_url, group_of(dbt_resource_props), str(dbt_resource_props["name"])),
            **dbt_links(self._pages_url, dbt_resource_props),
        }
        if table is not None and dbt_resource_props["resource_type"] == "model":
            # The state of its rows is shown where they lie.
            metadata["landing table"] = MetadataValue.asset(landing_key(table))
        return metadata

    def landing_specs(self, manifest: Mapping[str, Any]) -> list[AssetSpec]:
        """An asset for each source: without one the graph hides where everything comes from."""
        return [self._landing(source) for _, source in sorted(manifest["sources"].items())]

    def _landing(self, source: Mapping[str, Any]) -> AssetSpec:
        table = self._table(source)
        return AssetSpec(
            key=self.get_asset_key(source),
            description=self.get_description(source),
            group_name=self.get_group_name(source),
            owners=self.get_owners(source),
            tags=self.get_tags(source),
            kinds={"postgres", "table"} | ({"fivetran"} if table else set()),
            metadata={
                **self.get_metadata(source),
                **TableMetadataSet(
                    table_name=f"{source['schema']}.{source['name']}",
                    column_schema=_columns(table) if table and not table.exempt else None,
                ),
            },
            freshness_policy=freshness.NIGHTLY if table and not table.exempt else None,
        )

    def _behind(self, node: Mapping[str, Any]) -> list[Passage]:
        table = self._table(node)
        if table is None:
            return self._passages.behind(str(node["name"]))
        return self._passages.behind_table(table)

    def _table(self, node: Mapping[str, Any]) -> TableDeclaration | None:
        if node["resource_type"] == "source":
            return self._declared.get(f"{node['schema']}.{node['name']}")
        return self._staged.get(node["name"])


def landing_key(table: TableDeclaration) -> AssetKey:
    """The asset of a landing table."""
    return AssetKey([table.schema_, table.name])


def layer_of(node: Mapping[str, Any]) -> str:
    """Which layer of the warehouse a node is in: landing, ledger, policy, or the models' folder."""
    if node["resource_type"] == "source":
        return "ledger" if node["source_name"] == "ledger" else "landing"
    if node["resource_type"] == "seed":
        return "policy"
    folders = node["fqn"][1:-1]
    return tag_value(folders[0]) if node["resource_type"] == "model" and folders else "downstream"


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


def _retention(table: TableDeclaration) -> str:
    if table.exempt:
        return (
            f"**Exempt:** {table.exempt.reason} (to be looked at again {table.exempt.review_on})."
        )
    sentences = [f"**Retention:** {_follows_in_words(table)}."]
    if table.personal:
        sentences.append(f"Personal columns: {', '.join(sorted(table.personal))}.")
    return " ".join(sentences)


def _columns(table: TableDeclaration) -> TableSchema:
    """What is declared of each column. A type only where one is declared: the source decides it."""
    return TableSchema(
        columns=[
            TableColumn(name, table.types.get(name, "as loaded"), description=_column(table, name))
            for name in sorted(table.columns_declared)
        ]
    )


def _column(table: TableDeclaration, name: str) -> str:
    if name in table.personal:
        return f"Personal: {table.personal[name].kind.replace('_', ' ')}"
    if name in table.exempt_columns:
        return f"Exempt: {table.exempt_columns[name].reason}"
    return "Harmless" if name in table.harmless else "Read by the classification"
