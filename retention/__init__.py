"""The engine: policy, declarations, warehouse, ledger, plan, purge, report.

Belongs here: everything that decides, deletes and proves. Does not belong here: Dagster, dbt's
Python API, Great Expectations and the command line; they stand above the engine and call it.
"""
