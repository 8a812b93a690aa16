"""What a program that we start, and that is not ours, gets to see of our environment.

Belongs here: leaving out what only we need. Does not belong here: reading the settings (`settings`) and
what a program is told besides (whoever starts it).
"""

from collections.abc import Mapping

# Ours name keys and databases with their passwords; dbt's prefix marks a secret of dbt's.
_OURS = ("RETENTION_", "DBT_ENV_SECRET_")


def for_others(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` without any variable of ours.

    Whoever is a superuser of the embedded server can read that server's environment, and a dbt model
    can write dbt's into a statement: a key that lives outside the database may be in neither.
    """
    return {name: value for name, value in environment.items() if not name.startswith(_OURS)}
