"""Physical erasure: rewriting the files that hold what was purged, after the purge.

Belongs here: which tables wait for it, the rewriting, the level that a plan has reached, and the finding.
Does not belong here: the purge itself, which leaves every value in pages until they are reused.
"""
