"""`retention controls`: whether those whose fate is known meet it.

Belongs here: the command and what it prints. Does not belong here: making and running the control
persons (`retention.controls`).
"""

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.settings import load_settings

FINDINGS = 1


def controls(as_json: JsonFlag = False) -> None:
    """Run the control persons through classification, plan, purge and read-back.

    They live in a database of their own beside the warehouse, which is gone afterwards. Ends with 1 when
    one of them did not meet the fate it was made for.
    """
    from retention.controls.run import run_controls

    with progress("running the control persons"):
        result = run_controls(load_settings())
    if as_json:
        show_json({**vars(result), "outcomes": [each.as_dict() for each in result.outcomes]})
    else:
        show_table(
            ("person of", "case", "expected", "rule", "rows", "left", ""),
            [
                (
                    each.person_table,
                    each.case,
                    each.expected,
                    ", ".join(each.rule_ids),
                    each.rows,
                    each.left,
                    "as it should be" if each.passed else "NOT AS IT SHOULD BE",
                )
                for each in result.outcomes
            ],
        )
        say("All control persons met their fate." if result.passed else "The controls failed.")
    raise typer.Exit(0 if result.passed else FINDINGS)
