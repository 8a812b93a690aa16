"""Carrying out an approved plan: deletes, with their evidence in the same transaction.

Belongs here: everything that deletes a landing row, and the guards around it. Does not belong here:
deciding what is overdue (the models), freezing and approving (`retention.plan`), and reading back what
was done (`retention.verify`), which shares no code with this.
"""

from retention.purge.pace import Pace, unattended
from retention.purge.run import PurgeResult, execute, order_objects, outcome

__all__ = ["Pace", "PurgeResult", "execute", "order_objects", "outcome", "unattended"]
