"""`retention request`: the register of requests by which persons use their rights (§ 8).

Belongs here: the group and the list of its commands. Does not belong here: the commands themselves, which
stand in a module for each subject, and what a request does (`retention.rights`).
"""

from collections.abc import Callable

import typer

from cli import (
    request_consent,
    request_erasure,
    request_locks,
    request_partners,
    request_person,
    request_register,
)

request = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Requests of persons: their rights (§ 8)."
)

#: In the order in which a request goes. A module imports what is heavy only when its command is called.
COMMANDS: dict[str, Callable[..., None]] = {
    "new": request_register.new,
    "list": request_register.list_,
    "show": request_register.show,
    "intake": request_register.intake,
    "identify": request_register.identify,
    "verify": request_register.verify,
    "scans": request_register.delete_scans,
    "extend": request_register.extend,
    "object": request_consent.object_,
    "withdraw": request_consent.withdraw,
    "decide": request_erasure.decide,
    "carry-out": request_erasure.carry_out,
    "letter": request_erasure.letter,
    "restrict": request_locks.restrict,
    "lift": request_locks.lift,
    "rectify": request_partners.rectify,
    "trace": request_partners.trace,
    "relays": request_partners.relays,
    "relay": request_partners.relay,
    "notices": request_partners.notices,
    "acknowledge": request_partners.acknowledge,
    "find": request_person.find,
    "attribute": request_person.attribute,
    "package": request_person.package,
    "answer": request_register.answer,
    "close": request_register.close,
}

for name, command in COMMANDS.items():
    request.command(name)(command)
