"""`retention request`: the register of requests by which persons use their rights (§ 8).

Belongs here: the group, to which each subject adds its commands. Does not belong here: what a request
does (`retention.rights`).
"""

import typer

request = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Requests of persons: their rights (§ 8)."
)
