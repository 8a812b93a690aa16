"""Reading what the user typed, where typer does not.

Belongs here: arguments that several commands share. Does not belong here: checks that depend on the
warehouse or the policy.
"""

from datetime import date

from retention.errors import UsageError


def parse_day(text: str | None) -> date | None:
    """A day written YYYY-MM-DD; None stays None. Raises UsageError for anything else."""
    if text is None:
        return None
    try:
        # Python reads more forms than one; a report's folder and a schema are named after this one.
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{text!r} is no day: write YYYY-MM-DD")
