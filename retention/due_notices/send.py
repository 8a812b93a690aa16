"""Sending what falls due: to each owner by each channel, once.

Belongs here: the order, which makes a crash harmless: remembered, then sent, then remembered as sent.
Does not belong here: what was not told yet (`ledger`), its words (`message`), the services
(`delivery`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from retention.classified import Classification, find_classification
from retention.declarations import load_declarations
from retention.due_notices import ledger
from retention.due_notices.channels import VARIABLE, Channel, Channels, load_channels
from retention.due_notices.delivery import Failure, deliver
from retention.due_notices.message import Links, Message, due_message, trial_message
from retention.errors import UsageError
from retention.language import Language, speaker
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PLANNER, READER

Outcome = Literal["told", "nothing_new", "no_channel", "taken"] | Failure


@dataclass(frozen=True)
class Told:
    """What became of a notice to an owner by a channel; `channel` is None where none reaches them. A test
    message is `taken`."""

    owner: str
    channel: str | None
    records: int
    outcome: Outcome

    @property
    def is_wrong(self) -> bool:
        """Whether somebody was to hear of something and did not."""
        if self.outcome == "no_channel":
            return self.records > 0
        return self.outcome not in ("told", "nothing_new", "taken")


@dataclass(frozen=True)
class Preview:
    """What would be sent to an owner by a channel now."""

    owner: str
    channel: str | None
    records: int
    message: Message


def preview(
    settings: Settings, language: Language, env: Mapping[str, str] = os.environ
) -> list[Preview]:
    """What would be sent now, and to whom. Reads, as a role that cannot write, and sends nothing.

    Raises UsageError where nothing is classified, or the file of channels does not hold.
    """
    channels = load_channels(env)
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("looking for what falls due"),
    ):
        classification = find_classification(conn)
        found = []
        for owner, channel, tables in _ways(settings, channels):
            # Who has no channel has been told nothing.
            name = channel.name if channel else ""
            lines = ledger.untold(conn, owner, name, tables)
            if lines:
                message = _message(settings, language, classification, lines, repeats=False)
                records = sum(line.records for line in lines)
                found.append(Preview(owner, name or None, records, message))
    return found


def send_due(
    settings: Settings, language: Language, env: Mapping[str, str] = os.environ
) -> list[Told]:
    """Tell each owner what falls due and was not told before; a channel that fails is tried again next
    time.

    Waits for another process that is sending. Raises UsageError where no channels are named, nothing is
    classified, or the file does not hold; Refused where the other process takes too long, or this login
    may not.
    """
    channels = load_channels(env)
    if not channels.is_configured:
        raise UsageError(f"nobody is named to be told: {VARIABLE} names no file of channels")
    with (
        connect(settings, role=PLANNER, autocommit=True) as conn,
        safe_errors("telling what falls due"),
        ledger.only_sender(conn),
    ):
        told = []
        with connect(settings, role=READER, read_only=True) as reading:
            classification = find_classification(reading)
        for owner, channel, tables in _ways(settings, channels):
            if channel is None:
                told.append(Told(owner, None, _count(conn, owner, tables), "no_channel"))
                continue
            begun = ledger.begin(conn, owner, channel, tables)
            if begun is None:
                told.append(Told(owner, channel.name, 0, "nothing_new"))
                continue
            notice, lines = begun
            message = _message(settings, language, classification, lines, repeats=notice.repeats)
            failure = deliver(channel, message.title, message.body)
            ledger.end(conn, notice, failure)
            records = sum(line.records for line in lines)
            told.append(Told(owner, channel.name, records, failure or "told"))
    return told


def send_test(
    settings: Settings, language: Language, env: Mapping[str, str] = os.environ
) -> list[Told]:
    """Send a test message to every channel of the file. Raises UsageError as `send_due` does."""
    channels = load_channels(env)
    if not channels.is_configured:
        raise UsageError(f"nobody is named to be told: {VARIABLE} names no file of channels")
    told = []
    for owner, listed in channels.of_owner.items():
        message = trial_message(speaker(language, settings.policy_dir), owner)
        for channel in listed:
            failure = deliver(channel, message.title, message.body)
            told.append(Told(owner, channel.name, 0, failure or "taken"))
    return told


def _ways(
    settings: Settings, channels: Channels
) -> Iterator[tuple[str, Channel | None, Sequence[str]]]:
    """Each owner with their tables, by each channel; by none where none reaches them."""
    declarations = load_declarations(settings.declarations_dir)
    for owner, tables in ledger.owners(declarations).items():
        for channel in channels.reaching(owner) or (None,):
            yield owner, channel, tables


def _count(conn: ledger.Connection, owner: str, tables: Sequence[str]) -> int:
    return sum(line.records for line in ledger.untold(conn, owner, "", tables))


def _message(
    settings: Settings,
    language: Language,
    classification: Classification,
    lines: Sequence[ledger.Line],
    *,
    repeats: bool,
) -> Message:
    report = f"{settings.pages_url}/reports/latest/"
    links = Links(report, f"http://127.0.0.1:{settings.ui_port}")
    said = speaker(language, settings.policy_dir)
    return due_message(said, lines, classification.as_of, links, repeats=repeats)
