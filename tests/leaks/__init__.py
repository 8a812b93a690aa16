"""Looking for personal data and secrets where neither belongs (design, promise 8).

Belongs here: what is planted (`canaries`), which secrets there are (`secrets`), recognising both
(`patterns`), the channels that are read (`channels`, `sampling`), and what may be where with the reason
(`allowed`). Does not belong here: the tests, and provoking a leak.
"""
