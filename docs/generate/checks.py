"""`checks.md`: every check with its clause and severity, from the catalogue of checks.

Belongs here: laying the catalogue out. Does not belong here: the words of a check, which the catalogue
says.
"""

from collections.abc import Iterable

from docs.generate.markdown import code, page_of, prose, table
from expectations.catalogue import CHECKS, FINDINGS_OF_CATALOGUE, Check


def page() -> str:
    """The integrity checks, then the findings about data."""
    return page_of(
        "Checks",
        "`expectations/catalogue.py`",
        prose(
            """
            Great Expectations judges a boolean column of a model, so that it sees no value of a
            person, and one SQL statement of ours counts the same; the two must agree. Each is an
            asset check in the lineage UI, with counts alone. To see the records that one names:
            `select * from retention.checked_records where not COLUMN`
            ([columns](sql.md#retentionchecked_records)).

            ## Whether the classification can be trusted

            One of these failing, or not being evaluated, is an error and **stops the plan**:
            nothing is frozen, and nothing approved is carried out.
            """
        ),
        _table(check for check in CHECKS if check.blocks_plan),
        prose(
            """
            ## What is to be done about data

            These never stop the plan, which may be the cure.
            """
        ),
        _table(check for check in CHECKS if not check.blocks_plan),
    )


def _table(checks: Iterable[Check]) -> str:
    return table(
        ("check", "promises", "clause", "severity", "judged on"),
        [
            (code(one.name), one.description, one.clause, one.severity.value, _judged_on(one))
            for one in checks
        ],
    )


def _judged_on(check: Check) -> str:
    if check.mart == FINDINGS_OF_CATALOGUE:
        return "the database's own catalogue"
    return code(f"{check.mart}.{check.column}")
