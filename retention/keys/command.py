"""A command that prints a key, such as a secret manager's.

Belongs here: running it without a shell, for a limited time, and showing nothing of what it prints.
Does not belong here: what is read from its output (`material`).
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping

from retention.errors import Refused, UsageError

TIMEOUT_SECONDS = 30


def output_of(variable: str, command: str, env: Mapping[str, str]) -> str:
    """What the command prints to its standard output.

    Raises UsageError when it is no command line, Refused when it fails or takes too long. Neither says
    what it printed, nor repeats it: either may hold a secret.
    """
    try:
        arguments = shlex.split(command)
    except ValueError:
        arguments = []
    if not arguments:
        raise UsageError(f"{variable} is no command line: check its quotes")
    try:
        # A session of its own, so that whatever it starts is ended with it.
        process = subprocess.Popen(
            arguments,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise Refused(
            f"the program that {variable} names cannot be run ({error.strerror}): give its full path"
        ) from None
    with process:
        try:
            printed, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Refused(
                f"the command of {variable} did not end within {TIMEOUT_SECONDS} seconds: run it by hand"
            ) from None
    if process.returncode != 0:
        raise Refused(
            f"the command of {variable} failed (exit {process.returncode}): run it by hand, what it"
            " says is not shown here"
        )
    return printed.decode("ascii", errors="replace")
