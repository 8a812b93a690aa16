"""Control persons: made-up lives that the whole way must purge, or must leave alone (promise 5).

Zero is ambiguous: nothing was overdue, or nothing was seen. So the same code that governs the warehouse
is run on persons whose fate is known beforehand, in a database of their own whose landing tables are
shaped like the real ones.

Belongs here: making them, running them through, judging what became of them. Does not belong here:
classifying, planning and purging, which are the product's own and are called as they are.
"""
