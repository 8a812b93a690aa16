"""The command `retention`: parses, calls, prints.

Belongs here: one module a command group. Does not belong here: anything that decides or changes
data.
"""
