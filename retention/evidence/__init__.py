"""What makes the evidence checkable from outside: signed heads of the ledger's tree, exported.

Belongs here: where checkpoints go, signing and exporting them with what a restored backup would lack,
refusing to go on behind one, and the ledger as a file. Does not belong here: writing an entry (`ledger`),
one plan's deletion report (`report`), and checking any of it (`verifier`, which needs none of us).
"""

from retention.evidence.destination import open_destination
from retention.evidence.publish import publish

__all__ = ["open_destination", "publish"]
