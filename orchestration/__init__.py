"""Dagster drives and shows: assets, jobs, schedules, sensors, and the instance they run on.

Belongs here: thin assets that call the engine, and what assembles them. Does not belong here:
anything that decides about a record; that is the engine's (`retention`) and dbt's.
"""
