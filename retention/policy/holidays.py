"""Norwegian public holidays, on which a minimum period does not end (foreldelsesloven § 29 no. 2).

Belongs here: the days. Does not belong here: moving a date to the next working day, which is SQL.
"""

from __future__ import annotations

from datetime import date

FIRST_YEAR = 1970
LAST_YEAR = 2120


def public_holidays() -> list[date]:
    """Every public holiday from FIRST_YEAR to LAST_YEAR, in order; no ordinary Sundays."""
    # Imported when asked for: the library loads every country, half a second that `retention
    # explain` and `status`, which read a policy and no calendar, would pay for nothing.
    from holidays.countries.norway import Norway

    # The library answers up to 2100 by default; long periods reach further, and so do its rules.
    class ExtendedNorway(Norway):
        end_year = LAST_YEAR

    return sorted(ExtendedNorway(years=range(FIRST_YEAR, LAST_YEAR + 1)))
