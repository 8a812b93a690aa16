"""Time stamps on checkpoints, from an authority of the test's own that `openssl` answers for.

Belongs here: asking and storing, and that a missing authority stops nothing. Does not belong here: whether
an authority is to be trusted.
"""

import dataclasses
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from retention.errors import UsageError
from retention.evidence import publish
from retention.evidence.timestamp import stamp
from retention.purge import execute
from tests.factories import Shop

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl answers the stamps"
)

CONFIG = """
[req]
distinguished_name = name
x509_extensions = tsa_cert
prompt = no
[name]
CN = Authority of a test
[tsa_cert]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
default_policy = 1.2.3.4.1
signer_digest = sha256
digests = sha256
ess_cert_id_alg = sha256
"""


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@dataclasses.dataclass
class Authority:
    """A time-stamping authority: where it listens, its certificate, and what it answers instead."""

    folder: Path
    url: str = ""
    instead: bytes | None = None

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        openssl(
            "ts", "-reply", "-config", str(self.folder / "config"), "-section", "tsa1",
            "-queryfile", str(self.folder / "query"), "-inkey", str(self.folder / "key"),
            "-signer", str(self.folder / "certificate"), "-out", str(self.folder / "reply"),
        )  # fmt: skip
        return (self.folder / "reply").read_bytes()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    folder = tmp_path / "authority"
    folder.mkdir()
    (folder / "config").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-config", str(folder / "config"), "-keyout", str(folder / "key"),
        "-out", str(folder / "certificate"),
    )  # fmt: skip
    made = Authority(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            content = made.answer(query) if made.instead is None else made.instead
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Tests print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def stamps(shop: Shop) -> list[Path]:
    return sorted((shop.settings.state / "checkpoints").glob("timestamps/*"))


def test_a_checkpoint_is_stamped_as_anybody_can_check(shop: Shop, authority: Authority) -> None:
    shop.classify()
    head = publish(dataclasses.replace(shop.settings, timestamp_url=authority.url))
    assert head is not None
    (found,) = stamps(shop)
    note = shop.settings.state / "checkpoints" / "checkpoints" / found.name
    openssl(
        "ts", "-verify", "-data", str(note), "-in", str(found),
        "-CAfile", str(authority.folder / "certificate"),
    )  # fmt: skip


@pytest.mark.parametrize("instead", [b"", b"nothing of the kind", None])
def test_an_authority_that_does_not_answer_stops_no_purge(
    shop: Shop, authority: Authority, instead: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Not there, no answer, or the answer to another question."""
    authority.instead = instead
    if instead is None:
        query = authority.folder / "other"
        openssl(
            "ts", "-query", "-data", str(authority.folder / "config"), "-sha256", "-out", str(query)
        )
        authority.instead = authority.answer(query.read_bytes())
    settings = dataclasses.replace(shop.settings, timestamp_url=authority.url)
    shop.person(1)
    plan = shop.approved_plan()
    execute(settings, plan.plan_id)
    assert shop.keys("person") == set()
    assert stamps(shop) == []
    assert "has no time stamp" in caplog.text


def test_a_place_that_others_can_listen_to_is_refused() -> None:
    with pytest.raises(UsageError, match="RETENTION_TIMESTAMP_URL"):
        stamp("http://example.org/tsa", b"x")
