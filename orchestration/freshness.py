"""How new the assets must be that a night is to renew.

Belongs here: the day's deadline for each. Does not belong here: when the jobs run (`schedules`), and how
old data may get (the policy).

Of the models the marts stand for all that are built with them. What runs when somebody decides, such as a
purge with its read-back and report, is never late; exempt tables and the ledger's are read as they are.
"""

from datetime import timedelta

from dagster import FreshnessPolicy

_ZONE = "Europe/Oslo"

#: Renewed since midnight when people come to work.
NIGHTLY = FreshnessPolicy.cron("0 6 * * *", timedelta(hours=6), _ZONE)

#: Renewed since midnight by Sunday noon.
WEEKLY = FreshnessPolicy.cron("0 12 * * 0", timedelta(hours=12), _ZONE)

#: By the last part of an asset's key.
OWN = {
    "records": NIGHTLY,
    "summary": NIGHTLY,
    "grounds": NIGHTLY,
    "review_queue": NIGHTLY,
    "record_checks": NIGHTLY,
    "population_checks": NIGHTLY,
    "marketing_recipients": NIGHTLY,
    "sharing_allowed": NIGHTLY,
    "control_persons": NIGHTLY,
    "rights_register": NIGHTLY,
    "locks": NIGHTLY,
    "restrictions": NIGHTLY,
    "suppressions": NIGHTLY,
    "recipients": NIGHTLY,
    "findings": NIGHTLY,
    "due_notices": NIGHTLY,
    "purge_plan": NIGHTLY,
    "retention_report": NIGHTLY,
    "checkpoint": NIGHTLY,
    "housekeeping": NIGHTLY,
    "compaction": NIGHTLY,
    "personal_data": WEEKLY,
}
