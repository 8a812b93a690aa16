"""What every landing table is: its key, its data subject, the rule it follows, its columns.

Belongs here: reading and checking `config.meta.retention` of the dbt sources, and the SQL that turns
a declared landing table into uniform record facts. Does not belong here: what the database really
holds (`retention.coverage`) and how facts become deadlines (the dbt models).
"""

from retention.declarations.load import Declared, find_declared, load_declarations
from retention.declarations.model import Declarations, TableDeclaration

__all__ = ["Declarations", "Declared", "TableDeclaration", "find_declared", "load_declarations"]
