"""What Dagster shows of our own assets beside what each says of itself.

Belongs here: the clause, tags, links and freshness that every asset of ours gets. Does not belong here: an
asset's own words (`assets`), and dbt's nodes (`translator`).
"""

from collections.abc import Sequence
from typing import Any

from dagster import AssetsDefinition, AssetSpec, Definitions

from orchestration import freshness
from orchestration.links import links
from orchestration.passages import Passages, category_tags, quoted
from orchestration.translator import LAYER, OURS
from retention.policy import Policy


class Shown:
    """Gives assets of ours what the policy says of them, and where to read on."""

    def __init__(self, policy: Policy, pages_url: str) -> None:
        self._passages = Passages(policy)
        self._pages_url = pages_url

    def definitions(
        self, assets: Sequence[AssetsDefinition | AssetSpec], **others: Any
    ) -> Definitions:
        """The definitions of `assets` and of what else Dagster loads."""
        return Definitions(assets=[self._asset(asset) for asset in assets], **others)

    def _asset(self, asset: AssetsDefinition | AssetSpec) -> AssetsDefinition | AssetSpec:
        # What stems from dbt has all of it from the translator.
        if isinstance(asset, AssetSpec) or any(LAYER in spec.tags for spec in asset.specs):
            return asset
        return asset.map_asset_specs(self._completed)

    def _completed(self, spec: AssetSpec) -> AssetSpec:
        name = spec.key.path[-1]
        behind = self._passages.behind(name)
        own = {key: value for key, value in spec.tags.items() if not key.startswith("dagster/")}
        return spec.replace_attributes(
            description="\n\n".join([spec.description or "", quoted(behind)]).strip(),
            tags={**category_tags(behind), LAYER: "engine", "system": OURS, **own},
            metadata={**links(self._pages_url, spec.group_name or "", name), **spec.metadata},
            freshness_policy=spec.freshness_policy or freshness.OWN.get(name),
        )
