"""`cli.md`: every command with its arguments, options and exit codes, from typer's own metadata.

Belongs here: reading the commands and laying them out. Does not belong here: what a command does, which
its own docstring says.
"""

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_type_hints

from cli.main import COMMANDS, INTERNAL_ERROR, NAME, WRONG_USAGE, load_command
from docs.generate.markdown import code, page_of, sentence, table
from retention import errors

_OURS = (errors.UsageError, errors.Refused, errors.WarehouseError)


def page() -> str:
    """Every command in the order of `retention --help`."""
    commands = [part for name in COMMANDS for part in _command((NAME, name), load_command(name))]
    return page_of(
        "The command `retention`",
        "`cli/`",
        "Every command takes `--help`; `--json` prints the result as JSON. Which command when:"
        " the [how-tos](../how-to/README.md).",
        f"## Exit codes\n\n{_exit_codes()}",
        table(
            ("command", "what it is for"),
            [(f"[`{name}`](#{NAME}-{name})", entry.help) for name, entry in COMMANDS.items()],
        ),
        *commands,
    )


def _exit_codes() -> str:
    """0 and 1 are results; the others are the classes of our errors."""
    said: dict[int, list[str]] = {0: ["Completed."], 1: ["Completed, and there are findings."]}
    for error in _OURS:
        text = inspect.getdoc(error) or ""
        said.setdefault(error.exit_code, []).append(sentence(text.rpartition(" (exit code")[0]))
    said.setdefault(INTERNAL_ERROR, []).append("An error of the program itself.")
    assert WRONG_USAGE in said
    return table(("code", "means"), [(str(code), " ".join(said[code])) for code in sorted(said)])


def _command(path: tuple[str, ...], command: Any) -> Iterator[str]:
    """One command, then those below it."""
    subcommands = getattr(command, "commands", {})
    lines = [f"{'#' * len(path)} `{' '.join(path)}`", _help(command)]
    own = subcommands == {} or command.invoke_without_command
    if own:
        lines.append(f"```text\n{_usage(path, command)}\n```")
    if subcommands:
        names = ", ".join(f"[`{name}`](#{'-'.join((*path, name))})" for name in subcommands)
        lines.append(f"Commands: {names}.")
    if own:
        lines.append(_parameters(command))
    yield "\n\n".join(part for part in lines if part)
    for name, subcommand in subcommands.items():
        yield from _command((*path, name), subcommand)


def _help(command: Any) -> str:
    """The docstring, a paragraph a line; of a group that runs by itself, its own function's."""
    text = command.help or ""
    if getattr(command, "invoke_without_command", False):
        text = inspect.getdoc(command.callback) or text
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _usage(path: tuple[str, ...], command: Any) -> str:
    arguments = [_metavar(command, one) for one in command.params if _is_argument(one)]
    options = ["[OPTIONS]"] if any(map(_is_own_option, command.params)) else []
    as_json = ["[--json]"] if any("--json" in one.opts for one in command.params) else []
    return " ".join((*path, *arguments, *options, *as_json))


def _parameters(command: Any) -> str:
    rows = []
    for one in command.params:
        if _is_argument(one):
            name = code(_metavar(command, one))
        elif _is_own_option(one):
            value = "" if one.is_flag else f" {_metavar(command, one)}"
            name = code(" / ".join((*one.opts, *one.secondary_opts)) + value)
        else:
            continue
        rows.append((name, sentence(one.help or ""), _default(one)))
    return table(("argument or option", "what it is", "without it"), rows)


def _is_own_option(parameter: Any) -> bool:
    """--json means the same everywhere, and is said once."""
    return not _is_argument(parameter) and "--json" not in parameter.opts


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _metavar(command: Any, parameter: Any) -> str:
    """How a value is written: by its own name, its choices, or its type."""
    hint = get_type_hints(command.callback).get(parameter.name)
    if parameter.metavar:
        shown = str(parameter.metavar)
    elif isinstance(hint, type) and issubclass(hint, Enum):
        shown = "|".join(str(choice.value) for choice in hint)
    elif _is_argument(parameter):
        shown = str(parameter.name).upper()
    else:
        shown = _BY_TYPE.get(_plain(hint), "TEXT")
    if _is_argument(parameter):
        shown += "..." if parameter.nargs == -1 else ""
        return shown if parameter.required or shown.startswith("[") else f"[{shown}]"
    return shown


_BY_TYPE = {int: "N", float: "NUMBER"}


def _plain(hint: Any) -> Any:
    """The type behind `T | None`."""
    parts = [part for part in getattr(hint, "__args__", ()) if part is not type(None)]
    return parts[0] if len(parts) == 1 else hint


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.multiple:
        return "repeatable"
    if parameter.default is None or parameter.default is False:
        return ""
    default = parameter.default
    return code(str(default.value if isinstance(default, Enum) else default))
