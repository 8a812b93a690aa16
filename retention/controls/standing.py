"""Whether the controls stand behind the classification that is in force.

Belongs here: reading the last run of them. Does not belong here: running them, which takes a whole
classification (`run`).
"""

from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

# They run every night like the job itself; yesterday's still count until tonight's.
_FRESH_DAYS = 1


def objection(conn: Connection) -> tuple[str, str] | None:
    """What is wrong with the last run of the controls: a kind and a line; None where nothing is.

    They must have passed, no longer ago than a day, under the code and the policy of the last
    classification.
    """
    row = conn.execute(
        """
        select controls.passed, controls.as_of, ledger.today() - controls.as_of,
            controls.code_hash is distinct from classified.code_hash
            or controls.policy_hash is distinct from classified.policy_hash
        from ledger.control_runs as controls
        left join lateral (
            select classifications.code_hash, classifications.policy_hash
            from ledger.classifications as classifications
            where classifications.finished_at is not null
            order by classifications.classification_id desc limit 1
        ) as classified on true
        order by controls.control_run_id desc limit 1
        """
    ).fetchone()
    if row is None:
        return "controls_missing", "the control persons were never run: `retention controls` does"
    passed, as_of, days, is_other = row
    if not passed:
        return (
            "controls_failed",
            f"control persons did not meet the fate they were made for on {as_of}: purge nothing"
            " before `retention controls` says which, and why",
        )
    if is_other:
        return (
            "controls_missing",
            "the control persons ran under other declarations, models or another policy:"
            " run `retention controls`",
        )
    if days > _FRESH_DAYS:
        return (
            "controls_missing",
            f"the control persons last ran on {as_of}: run `retention controls`, or see why the"
            " schedule did not",
        )
    return None
