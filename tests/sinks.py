"""Servers on this machine that take messages, for tests of what leaves the house.

Belongs here: a web server and a mail server that keep what they are given. Does not belong here: what a
message should say.
"""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Sink:
    """What was taken, in order. `answer` is asked before each is answered: the status of the answer."""

    port: int = 0
    taken: list[str] = field(default_factory=list)
    answer: Callable[[str], int] = lambda text: 200


@contextmanager
def http_sink() -> Iterator[Sink]:
    """A web server on loopback that keeps the body of every POST."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sink.taken.append(text)
            status = sink.answer(text)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    yield from _served(server, sink)


@contextmanager
def mail_sink() -> Iterator[Sink]:
    """A mail server on loopback that takes every message and keeps its subject and text."""
    sink = Sink()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 sink")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    sink.taken.append(self._text())
                    self._say("250 taken")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 fine")

        def _text(self) -> str:
            content = b""
            while (line := self.rfile.readline()) != b".\r\n":
                content += line.removeprefix(b".") if line.startswith(b"..") else line
            mail = message_from_bytes(content, policy=policy.default)
            body = mail.get_body(("plain", "html"))
            assert body is not None
            return f"{mail['Subject']}\n{body.get_content()}"

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    yield from _served(server, sink)


def _served(server: socketserver.TCPServer, sink: Sink) -> Iterator[Sink]:
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
