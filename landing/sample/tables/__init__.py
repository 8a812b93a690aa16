"""The landing tables of the sample, in the order in which they are filled.

Belongs here: putting the schemas together and looking a table up. Does not belong here: the columns
themselves (one module a connector) and the rows.
"""

from landing.sample.tables import crm, platform, stripe, tracking
from landing.sample.tables.model import Table

TABLES: tuple[Table, ...] = (*crm.TABLES, *stripe.TABLES, *platform.TABLES, *tracking.TABLES)
TABLES_BY_NAME: dict[str, Table] = {table.qualified: table for table in TABLES}
SCHEMAS: tuple[str, ...] = tuple(dict.fromkeys(table.schema for table in TABLES))

__all__ = ["SCHEMAS", "TABLES", "TABLES_BY_NAME", "Table"]
