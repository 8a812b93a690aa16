"""Housekeeping: the system's own traces are kept as long as the policy says, and no longer.

Belongs here: traces in the ledger, in schemas and databases of ours and in the state folder: rules,
removal, and whether house is kept. Does not belong here: the orchestrator's own traces, records of
the warehouse, and evidence, which is never removed.
"""
