"""What became of the records downstream: copies, traced to the keys of their records; columns, followed
down to landing; and what nothing accounts for.

Belongs here: reading dbt's manifest and the catalogue, and following columns. Writes nothing, and does
not import dbt. Does not belong here: deleting (`retention.purge`), and reading back (`retention.verify`),
which has eyes of its own.
"""

from retention.lineage.find import find_lineage
from retention.lineage.manifest import built_relations
from retention.lineage.model import Downstream, Lineage, Match, Untraceable

__all__ = ["Downstream", "Lineage", "Match", "Untraceable", "built_relations", "find_lineage"]
