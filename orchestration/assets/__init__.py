"""The assets: thin. Each gathers inputs, calls the engine, and returns counts.

Belongs here: one module a stretch of the flow. Does not belong here: deciding anything about a record,
and any value of one.
"""
