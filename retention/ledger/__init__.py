"""The ledger: what dbt never builds, and the evidence.

Belongs here: the Python side of schema `ledger` that plans, purges, holds and reports share. Does not
belong here: the schema itself, which is made by migrations, and what any of them decides.
"""
