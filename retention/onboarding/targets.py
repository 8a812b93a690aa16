"""The tables that are to be linked to persons, and those that they may be linked to.

Belongs here: what the ways of linking share. Does not belong here: the ways (`links`, `contact_points`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from retention.declarations import Declarations, TableDeclaration
from retention.detection import Detection
from retention.onboarding.catalogue import Table
from retention.onboarding.connectors import Known
from retention.onboarding.model import Key, Link

# From this share on, values that match count as a link; below, as chance or as a broken one.
MOST, SOME = 0.95, 0.5


@dataclass(frozen=True)
class Target:
    """A table that others may point to: its key, and the way its own rows find their person."""

    qualified: str
    key: str
    link: str
    contact_points: tuple[tuple[str, str], ...] = ()

    @property
    def relation(self) -> sql.Identifier:
        return sql.Identifier(*self.qualified.split(".", 1))

    @property
    def schema(self) -> str:
        return self.qualified.partition(".")[0]

    @property
    def name(self) -> str:
        return self.qualified.partition(".")[2]


@dataclass(frozen=True)
class Landed:
    """A table to be linked, with what is known of it so far."""

    table: Table
    known: Known | None
    key: Key
    detections: Mapping[str, Detection]
    is_person_like: bool


def declared_targets(declarations: Declarations) -> list[Target]:
    """The declared tables that a link may name, persons first, those whose rows are persons before all."""
    tables = [t for t in declarations.governed if len(t.entity_columns) == 1 and t.subject]
    tables.sort(key=lambda t: (t.person is None, t.subject is None or not t.subject.self_))
    return [_target(table) for table in tables if not table.key_is_personal]


def new_target(one: Landed, link: Link) -> Target | None:
    """`one` as a table that others may point to, once it is linked itself."""
    key = one.key.entity or one.key.columns
    if len(key) != 1:
        return None
    return Target(one.table.qualified, key[0], link.way)


def _target(table: TableDeclaration) -> Target:
    subject = table.subject
    assert subject is not None
    points = [("email", name) for name in subject.email] + [
        ("phone", name) for name in subject.phone
    ]
    return Target(
        table.qualified,
        table.entity_columns[0],
        subject.link,
        tuple(points) if subject.self_ else (),
    )
