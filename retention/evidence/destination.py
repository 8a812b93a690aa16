"""Where checkpoints are exported to: a folder, or a place that speaks HTTP.

Belongs here: reading and writing named files there. Does not belong here: what they hold, and whether it
can be trusted: whoever reads them checks signatures.

The database's administrator must not be able to write there, or a restored or rewritten ledger could bring
its own past along. What is written once is never written over, but for the pointer to the latest.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from retention import state
from retention.errors import Refused, UsageError, WarehouseError
from retention.settings import Settings

TOKEN_VARIABLE = "RETENTION_CHECKPOINTS_TOKEN"  # noqa: S105

_PATIENCE_SECONDS = 20
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Destination(Protocol):
    """A place for small named files; a name is a path with `/`."""

    @property
    def where(self) -> str:
        """The place in words, without anything secret."""

    def read(self, name: str) -> bytes | None:
        """The file's content, None where there is none."""

    def add(self, name: str, content: bytes) -> None:
        """Write a file that is not there yet. Raises Refused where one with other content is."""

    def replace(self, name: str, content: bytes) -> None:
        """Write a file, over the one that is there."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


def open_destination(settings: Settings, env: Mapping[str, str] = os.environ) -> Destination:
    """The destination that the settings name: by default a folder of the job's own machine.

    Raises UsageError for a URL that is not https (loopback excepted).
    """
    place = settings.checkpoints
    if place is None:
        return Folder(state.make_folder(settings.state / "checkpoints"))
    if "://" not in place:
        return Folder(Path(place).expanduser())
    checked_place("RETENTION_CHECKPOINTS", place)
    return Url(place.rstrip("/"), env.get(TOKEN_VARIABLE) or None)


def checked_place(name: str, url: str) -> None:
    """Raise UsageError unless nobody on the way can listen to or change what goes to the URL."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UsageError(f"{name} is no https URL: name one")


@dataclass(frozen=True)
class Folder:
    """A folder, best on another machine's disk."""

    path: Path

    @property
    def where(self) -> str:
        return str(self.path)

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WarehouseError(self._cannot("read", error)) from None

    def add(self, name: str, content: bytes) -> None:
        there = self.read(name)
        if there is None:
            self.replace(name, content)
        elif there != content:
            raise Refused(f"{self.path / name} is there with other content: look into it")

    def replace(self, name: str, content: bytes) -> None:
        target = self.path / name
        candidate = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with candidate.open("wb") as file:
                file.write(content)
                file.flush()
                # What a purge relies on must outlive a power cut.
                os.fsync(file.fileno())
            candidate.replace(target)
        except OSError as error:
            raise WarehouseError(self._cannot("write", error)) from None

    def remove(self, name: str) -> None:
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise WarehouseError(self._cannot("remove from", error)) from None

    def _cannot(self, what: str, error: OSError) -> str:
        return (
            f"cannot {what} the checkpoints' folder {self.path} ({error.strerror}): mend it, or name"
            " another one in RETENTION_CHECKPOINTS"
        )


@dataclass(frozen=True)
class Url:
    """A place that answers GET and PUT: an object store, a WebDAV folder, a server of one's own."""

    base: str
    token: str | None = field(repr=False, default=None)

    @property
    def where(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"

    def read(self, name: str) -> bytes | None:
        return self._ask(name, "GET", None, {})

    def add(self, name: str, content: bytes) -> None:
        there = self.read(name)
        if there == content:
            return
        # The store decides, not we: between our look and our write somebody else may have written.
        if there is not None or self._ask(name, "PUT", content, {"If-None-Match": "*"}) is None:
            raise Refused(f"{self.where}/{name} is there with other content: look into it")

    def replace(self, name: str, content: bytes) -> None:
        self._ask(name, "PUT", content, {})

    def remove(self, name: str) -> None:
        self._ask(name, "DELETE", None, {})

    def _ask(
        self, name: str, method: str, content: bytes | None, headers: Mapping[str, str]
    ) -> bytes | None:
        """The answer's body; None for "not there" to a GET or DELETE, "there already" to a PUT."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.base}/{name}", data=content, method=method, headers=dict(headers)
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            if (method, error.code) in (("GET", 404), ("PUT", 412), ("DELETE", 404)):
                return None
            raise WarehouseError(self._unreachable(f"it answered {error.code}")) from None
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            raise WarehouseError(self._unreachable(type(error).__name__)) from None

    def _unreachable(self, why: str) -> str:
        return (
            f"the checkpoints' destination {self.where} cannot be used ({why}): check"
            f" RETENTION_CHECKPOINTS and {TOKEN_VARIABLE}"
        )
