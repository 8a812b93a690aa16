"""The server: GET and HEAD, on the address it is given, and nothing else.

Belongs here: from a request to a page or a file. Does not belong here: which files may be sent
(served.py), and the pages' words (index.py).
"""

import shutil
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from retention.language import Language, chosen
from retention.pages.index import day_page, index_page, latest_report
from retention.pages.served import OWN_PAGES, find
from retention.ports import LOOPBACK
from retention.settings import Settings

# An address that does not move, for links that are made before the report.
_LATEST = "reports/latest/"
_ALLOWED = "GET, HEAD"
_PLAIN = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"
# Whoever opens a connection and says nothing does not keep it.
_PATIENCE_SECONDS = 30


def make_server(settings: Settings, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens and waits for `serve_forever`. Raises OSError where the port is taken."""
    # A page elsewhere whose name is made to lead here (DNS rebinding) asks for that name.
    named = urlsplit(settings.pages_url).hostname
    hosts = frozenset(name for name in (LOOPBACK, "localhost", host, named) if name)
    handler = type("Handler", (_Handler,), {"settings": settings, "hosts": hosts})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    settings: Settings
    hosts: frozenset[str]

    timeout = _PATIENCE_SECONDS
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = _PLAIN

    def do_GET(self) -> None:
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in self.hosts:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        asked = urlsplit(self.path)
        address = unquote(asked.path).removeprefix("/")
        language = _language(parse_qs(asked.query).get("lang", []))
        found = find(self.settings, address)
        if found is not None:
            with found.path.open("rb") as file:
                self._begin(found.content_type, found.path.stat().st_size, found.policy)
                if self.command != "HEAD":
                    shutil.copyfileobj(file, self.wfile)
            return
        latest = latest_report(self.settings, language) if address == _LATEST else None
        if latest is not None:
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", f"../{latest}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        page = _page(self.settings, address, language)
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content = page.encode()
        self._begin(_HTML, len(content), OWN_PAGES)
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def _refuse(self) -> None:
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _refuse

    def end_headers(self) -> None:
        """Every answer bears these, an error as well."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Allow", _ALLOWED)
        super().end_headers()

    def version_string(self) -> str:
        return "retention"

    def log_message(self, *_: Any) -> None:
        """Nothing: the proxy's log says who read what, and nobody would prune this one."""

    def _begin(self, content_type: str, length: int, policy: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()


def _page(settings: Settings, address: str, language: Language) -> str | None:
    if address == "":
        return index_page(settings, language)
    return day_page(settings, address, language)


def _language(asked: list[str]) -> Language:
    """The one asked for by its code; else that of the environment."""
    if asked and asked[-1] in {language.value for language in Language}:
        return Language(asked[-1])
    return chosen()
