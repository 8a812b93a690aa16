"""What a policy that nobody has put into force would change: tried on the same records, in schemas beside
those in force, which are gone afterwards.

Belongs here: the trial and its result. Does not belong here: putting a policy into force
(`retention.policy.activation`), and printing.
"""

from retention.what_if.run import what_if

__all__ = ["what_if"]
