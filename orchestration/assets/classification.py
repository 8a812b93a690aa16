"""The models as assets: dbt builds them, Dagster shows each one.

Belongs here: running dbt for a run, and the counts shown on `records`. Does not belong here: what is
shown of a node (`translator`), and the models.
"""

import json
import os
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, Output
from dagster_dbt import DbtCliInvocation, dbt_assets
from dagster_dbt.asset_utils import (
    DBT_INDIRECT_SELECTION_ENV,
    get_updated_cli_invocation_params_for_context,
)
from packaging.version import Version

from orchestration.dbt_docs import write_dbt_docs
from orchestration.guarded import guarded
from orchestration.manifest import DBT, dbt_switches
from orchestration.resources import Run
from orchestration.standing import Standing, read_standing, set_aside, tables_read
from orchestration.translator import Translator
from retention.classify import (
    dbt_arguments,
    dbt_environment,
    failed_nodes,
    prepare,
    schema_suffix,
    target_path,
    today,
)
from retention.code_hash import code_hash
from retention.coverage.examine import remember_today
from retention.detection.run import scan_and_remember
from retention.environment import for_others
from retention.errors import WarehouseError
from retention.ledger import classifications
from retention.returns import recognise
from retention.rights.out_of_use.withdraw import withdraw
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

RECORDS = AssetKey(["retention", "records"])


def classification_assets(manifest: Path, translator: Translator) -> AssetsDefinition:
    """Every dbt model and seed of `manifest` as an asset."""

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="classification")
    @guarded
    def classification(context: AssetExecutionContext, run: Run) -> Iterator[Any]:
        settings, as_of = run.settings(), run.day()
        _, declarations = prepare(settings, as_of)
        begun = _begin(settings, as_of)
        if begun is not None:
            recognise(settings, declarations)
            scan_and_remember(settings, declarations, declared=False)
            remember_today(settings, declarations)
        standing: Standing | None = None
        for event in _build(context, translator, settings, as_of):
            if (
                isinstance(event, Output)
                and context.asset_key_for_output(event.output_name) == RECORDS
            ):
                standing = read_standing(settings, as_of)
                context.add_output_metadata(standing.whole(), output_name=event.output_name)
            yield event
        if begun is not None:
            # Whatever model was built beside ours, it shows nothing that is locked or restricted.
            withdraw(settings)
        # Models built one by one may not fit each other: only a whole build may be planned from.
        if begun is not None and not context.is_subset:
            with connect(settings, role=CLASSIFIER) as conn:
                classifications.finish(conn, begun)
            if standing is not None:
                left_out = set_aside(settings, as_of)
                read = [one for one in declarations.governed if one.qualified not in left_out]
                for event in tables_read(standing, read):
                    context.log_event(event)
        if begun is not None:
            write_dbt_docs(settings)

    return classification


def _begin(settings: Settings, as_of: date) -> int | None:
    """Say that the classification in force is being replaced; a replay replaces nothing, and is noted, so
    that housekeeping knows how old it is."""
    if as_of != today():
        with connect(settings, role=CLASSIFIER) as conn:
            conn.execute("select ledger.note_replay(%s)", (schema_suffix(as_of),))
        return None
    with connect(settings, role=CLASSIFIER) as conn:
        return classifications.begin(conn, as_of, code_hash(settings))


def _build(
    context: AssetExecutionContext, translator: Translator, settings: Settings, as_of: date
) -> Iterator[Any]:
    """Run `dbt build` for the chosen assets. Raises WarehouseError with the names of what failed."""
    target = target_path(settings, as_of)
    target.mkdir(parents=True, exist_ok=True)
    # Left over from an earlier run, it would be taken for this one's.
    (target / "run_results.json").unlink(missing_ok=True)
    params = get_updated_cli_invocation_params_for_context(
        context=context, manifest={}, dagster_dbt_translator=translator
    )
    environment = _environment(settings, as_of)
    if params.indirect_selection:
        environment[DBT_INDIRECT_SELECTION_ENV] = params.indirect_selection
    # Not through DbtCliResource: that one runs `dbt --version`, which asks the package index, loads dbt
    # into this process as well, and needs the password in this process's environment.
    invocation = DbtCliInvocation.run(
        args=[*DBT, *dbt_arguments(as_of), *params.selection_args],
        env=environment,
        manifest=params.manifest,
        dagster_dbt_translator=params.dagster_dbt_translator,
        project_dir=settings.dbt_dir,
        target_path=target,
        raise_on_error=False,
        context=context,
        adapter=None,
        cli_version=Version(version("dbt-core")),
    )
    try:
        yield from invocation.stream()
    except BaseException:
        # Whoever stops reading must not leave dbt building on by itself.
        invocation.process.terminate()
        raise
    if invocation.process.wait() != 0:
        for node, message in _failures(target / "run_results.json"):
            context.log.error("%s: %s", node, message)
        raise WarehouseError(
            f"classification failed in {failed_nodes(settings, as_of) or 'dbt itself'}"
        )


def _failures(results: Path) -> Iterator[tuple[str, str]]:
    """What dbt says of each node that failed; `dbt_command` has taken values out of it."""
    if not results.exists():
        return
    for result in json.loads(results.read_text(encoding="utf-8"))["results"]:
        if result["status"] in ("error", "fail"):
            yield result["unique_id"], " ".join((result["message"] or "").split())


def _environment(settings: Settings, as_of: date) -> dict[str, str]:
    return {
        **for_others(os.environ),
        **dbt_environment(settings, as_of),
        **dbt_switches(),
        "DBT_LOG_FORMAT": "json",
    }
