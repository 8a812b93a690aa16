"""Telling somebody that a run failed, or that a plan waits for a person.

Belongs here: the notice and its ways out: a line in the log, a line in `notices.jsonl` of the state
folder, the channels of `default` (`retention.due_notices.channels`), a command
(RETENTION_NOTICE_COMMAND), a web address (RETENTION_NOTICE_URL). Does not belong here: what went wrong;
an error's words may stem from anywhere, and a notice leaves the house. Nor what falls due, of which
owners are told (`retention.due_notices`).
"""

import json
import logging
import os
import shlex
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from retention import state
from retention.due_notices.channels import load_channels
from retention.due_notices.delivery import deliver
from retention.environment import for_others
from retention.errors import UsageError
from retention.housekeeping.notices import notices_lock, notices_path
from retention.settings import Settings

COMMAND = "RETENTION_NOTICE_COMMAND"
URL = "RETENTION_NOTICE_URL"

_PATIENCE_SECONDS = 30

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """A failed run: its job, its id, and the steps that failed."""

    job: str
    run_id: str
    steps: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.job} failed"

    def __str__(self) -> str:
        return f"job {self.job} failed (run {self.run_id}) in {', '.join(self.steps)}"


@dataclass(frozen=True)
class PlanNotice:
    """A plan that the policy, or the decisions in it, did not approve: its id, and the database's reason,
    which holds figures and names of tables and no value."""

    plan_id: str
    reason: str

    @property
    def title(self) -> str:
        return "A plan waits for a person"

    def __str__(self) -> str:
        return f"plan {self.plan_id} waits for a person: {self.reason}"


def give_notice(
    settings: Settings, notice: Notice | PlanNotice, env: Mapping[str, str] = os.environ
) -> None:
    """Write the notice down, then pass it on to the command, the address and the channels there are.

    Raises UsageError where an address is no http address. A command, an address or a channel that does
    not take the notice is logged: the notice itself is written down by then.
    """
    logger.error("%s", notice)
    text = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **asdict(notice)})
    state.make_folder(settings.state, state.STATE_MODE)
    with notices_lock(settings), notices_path(settings).open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    if command := env.get(COMMAND):
        _run(command, text)
    if url := env.get(URL):
        _post(url, text)
    try:
        channels = load_channels(env).for_operations
    except UsageError as error:
        # What the notice is about must not fail for it as well; `retention status` says so too.
        logger.error("the notice went to no channel: %s", error)
        return
    for channel in channels:
        if failure := deliver(channel, notice.title, str(notice)):
            logger.error("%s did not take the notice: %s", channel.name, failure)


def _run(command: str, text: str) -> None:
    """Run the command, with the notice on its standard input."""
    try:
        subprocess.run(
            shlex.split(command),
            input=text,
            env=for_others(os.environ),
            text=True,
            check=True,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        logger.error("%s did not take the notice: %s", COMMAND, type(error).__name__)


def _post(url: str, text: str) -> None:
    if not url.startswith(("https://", "http://")):
        raise UsageError(f"{URL} is no http address: write https://…")
    request = urllib.request.Request(  # noqa: S310 - checked above
        url, data=text.encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS).close()  # noqa: S310
    except OSError as error:
        logger.error("%s did not take the notice: %s", URL, type(error).__name__)
