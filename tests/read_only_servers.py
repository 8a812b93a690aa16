"""A small Dagster instance with both webservers on it, and nginx with a login before the read-only one.

Belongs here: starting them as `retention up` does, on definitions that load in a second; what is sent to
them and the state that it must leave alone. Does not belong here: what may pass.
"""

import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from orchestration.instance import dagster_environment, ensure_instance, reading_environment
from orchestration.service import Service, accepts, answers
from retention.ports import LOOPBACK, free_port
from retention.settings import Settings
from tests.certificates import self_signed

LOCATION = "small"
DEFINITIONS = """
from dagster import *

@asset
def thing(): ...

@asset(partitions_def=DynamicPartitionsDefinition(name="parts"))
def parted(): ...

@asset_check(asset=thing)
def looked_at(): return AssetCheckResult(passed=True)

@op
def nothing(): ...

@job(executor_def=in_process_executor)
def noop(): nothing()

@schedule(cron_schedule="0 0 1 1 *", job=noop)
def yearly(): return RunRequest()

@sensor(job=noop, minimum_interval_seconds=86400)
def watching(): return SkipReason("nothing")

defs = Definitions(assets=[thing, parted], asset_checks=[looked_at], jobs=[noop],
                   schedules=[yearly], sensors=[watching])
"""

AUDITOR = "auditor"
PASSWORD = "riktig-hest-batteri-stift"
# That password under bcrypt, cost 5, as `htpasswd -B -C 5` writes it.
LOGIN = f"{AUDITOR}:$2y$05$abcdefghijklmnopqrstuul/sVT9vzm4N6BQeexmDzt/i2h1lw8Rq\n"

_NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/auditors.conf;
}}
"""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Door:
    """One address to knock at, with the login or without."""

    host: str
    port: int
    login: str | None = None
    trusted: Path | None = None

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        if self.trusted is None:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        else:
            connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=60, context=self.tls()
            )
        try:
            connection.request(method, path, body, {**self.authorization(), **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def graphql(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of a query that must succeed."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        answer = self.ask("/graphql", "POST", body, {"Content-Type": "application/json"})
        assert answer.status == 200, answer.body[:2000]
        return answer.json()["data"]

    def authorization(self) -> dict[str, str]:
        if self.login is None:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(self.login.encode()).decode()}"}

    def tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=str(self.trusted)) if self.trusted else None


@dataclass(frozen=True)
class Servers:
    """The servers. `state` is what nobody may change through the read-only ones."""

    settings: Settings
    folder: Path
    writing: Door
    reading: Door
    proxy: Door | None

    def state(self) -> dict[str, str]:
        """Every table of Dagster's database and every file of its home, by count and hash."""
        found = dict(self._tables())
        home = self.settings.state / "dagster"
        for path in home.rglob("*"):
            if path.is_file() and path.suffix != ".log":
                found[f"file {path.relative_to(home)}"] = str(hash(path.read_bytes()))
        return found

    def _tables(self) -> Iterator[tuple[str, str]]:
        from orchestration.instance import storage_url

        with psycopg.connect(storage_url(self.settings)) as conn:
            names = conn.execute(
                "select tablename from pg_catalog.pg_tables where schemaname = 'public' order by 1"
            ).fetchall()
            for (name,) in names:
                row = conn.execute(
                    sql.SQL(
                        "select count(*), md5(string_agg(t::text, '|' order by t::text)) from {} t"
                    ).format(sql.Identifier(name))
                ).fetchone()
                yield f"table {name}", str(row)


@contextmanager
def open_servers(settings: Settings, folder: Path) -> Iterator[Servers]:
    """Start them, and stop them afterwards. Without nginx on this machine `proxy` is None."""
    home = ensure_instance(settings)
    (folder / "small.py").write_text(DEFINITIONS, encoding="utf-8")
    ports = {name: free_port() for name in ("code", "web", "auditors", "pages", "proxy")}
    workspace = folder / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{host: {LOOPBACK}, port: {ports['code']},"
        f" location_name: {LOCATION}}}\n"
    )
    full = {**os.environ, **dagster_environment(settings)}
    reading = reading_environment(settings, os.environ)
    common = ("--host", LOOPBACK, "--workspace", str(workspace), "--dagster-log-level", "warning")
    with ExitStack() as stack:

        def start(name: str, environment: Mapping[str, str], *arguments: str, ready: Any) -> None:
            service = Service(name, folder)
            process = service.start(arguments, environment)
            stack.callback(service.stop)
            service.wait(process, ready)

        start(
            "code",
            full,
            *("-m", "dagster", "api", "grpc", "-f", str(folder / "small.py")),
            *("--host", LOOPBACK, "--port", str(ports["code"]), "--location-name", LOCATION),
            ready=lambda: accepts(ports["code"]),
        )
        start(
            "web",
            full,
            *("-m", "dagster_webserver", "--port", str(ports["web"]), *common),
            ready=lambda: answers(f"http://{LOOPBACK}:{ports['web']}/"),
        )
        start(
            "auditors",
            reading,
            *("-m", "orchestration.auditors", "--port", str(ports["auditors"]), *common),
            ready=lambda: answers(f"http://{LOOPBACK}:{ports['auditors']}/server_info"),
        )
        start(
            "pages",
            {**reading, "RETENTION_STATE_DIR": str(settings.state)},
            *("-m", "retention.pages", "--host", LOOPBACK, "--port", str(ports["pages"])),
            ready=lambda: answers(f"http://{LOOPBACK}:{ports['pages']}/"),
        )
        proxy = _start_nginx(stack, folder / "nginx", ports) if shutil.which("nginx") else None
        assert home.is_dir()
        yield Servers(
            settings,
            folder,
            Door(LOOPBACK, ports["web"]),
            Door(LOOPBACK, ports["auditors"]),
            proxy,
        )


def write_nginx(folder: Path, ports: Mapping[str, int]) -> tuple[Path, Path]:
    """Render what a proxy needs into `folder`; return nginx's configuration and the certificate."""
    folder.mkdir()
    certificate, key = self_signed(folder, "localhost")
    (folder / "logins").write_text(LOGIN)
    root = Path(__file__).resolve().parents[1]
    rendered = subprocess.run(
        [
            *(sys.executable, str(root / "deploy" / "nginx" / "render.py")),
            *("--server-name", "localhost", "--listen", f"{LOOPBACK}:{ports['proxy']}"),
            *("--certificate", str(certificate), "--certificate-key", str(key)),
            *("--logins", str(folder / "logins")),
            *("--auditor-port", str(ports["auditors"]), "--pages-port", str(ports["pages"])),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "auditors.conf").write_text(rendered.stdout)
    # As root its workers would be an account that may not enter the test's folder.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, user=user))
    return folder / "nginx.conf", certificate


def _start_nginx(stack: ExitStack, folder: Path, ports: Mapping[str, int]) -> Door:
    configuration, certificate = write_nginx(folder, ports)
    process = subprocess.Popen(
        ["nginx", "-p", str(folder), "-c", str(configuration)],
        stdin=subprocess.DEVNULL,
        stderr=(folder / "said").open("wb"),
    )
    stack.callback(lambda: (process.terminate(), process.wait(30)))
    while not accepts(ports["proxy"]):
        assert process.poll() is None, (folder / "said").read_text()
    return Door("localhost", ports["proxy"], f"{AUDITOR}:{PASSWORD}", certificate)
