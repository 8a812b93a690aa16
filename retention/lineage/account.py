"""What accounts for everything in the database that did not land: dbt's models, or nothing.

Belongs here: asking the catalogue and the manifest once for all questions about that. Does not belong
here: the answers (`models`, `unknown`, `landing`), and what they lead to (`retention.coverage`).
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from retention.declarations import Declarations
from retention.lineage.catalogue import read_catalogue, read_functions, read_standing
from retention.lineage.find import find_lineage
from retention.lineage.landing import LandingColumns, ModelColumns
from retention.lineage.manifest import read_manifest
from retention.lineage.model import Untraceable
from retention.lineage.models import DeclaredModels, judge_models
from retention.lineage.unknown import UnknownRelation, unknown_relations
from retention.settings import Settings

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Account:
    """The data team's models, those of them and of other relations that may hold copies which no key
    leads to, and the relations that nothing accounts for."""

    models: DeclaredModels
    untraceable: tuple[Untraceable, ...]
    unknown: tuple[UnknownRelation, ...]


def account(conn: Connection, settings: Settings, declarations: Declarations) -> Account:
    """Account for what did not land, as the manifest and the catalogue are now.

    Raises Refused where there is no manifest of the last classification, UsageError for an exemption of a
    model that does not hold."""
    manifest = read_manifest(settings)
    entries = read_catalogue(conn)
    columns = LandingColumns(entries, read_functions(conn), manifest)
    lineage = find_lineage(conn, settings, declarations)
    return Account(
        judge_models(entries, manifest, declarations, lineage, columns),
        lineage.untraceable,
        unknown_relations(read_standing(conn), entries, manifest, declarations, columns),
    )


def model_columns(conn: Connection, settings: Settings) -> ModelColumns:
    """From which landing columns every column comes that dbt makes. Raises Refused as above."""
    manifest = read_manifest(settings)
    return LandingColumns(read_catalogue(conn), read_functions(conn), manifest).of_models()
