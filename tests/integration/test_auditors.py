"""Auditors read: no mutation passes, by any way in, and nothing is seen without the login.

Belongs here: the auditors' webserver and the proxy before it, on real servers. Does not belong here: what
`up` starts (test_services.py), the pages' files (test_pages.py), and what an auditor sees (tests/browser).
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from graphql import get_introspection_query
from websockets.sync.client import connect as open_socket

from orchestration.auditors import REFUSAL
from tests.conftest import Server
from tests.documents import ROOT, blocks
from tests.integration.conftest import sample_settings
from tests.mutations import Call, calls
from tests.read_only_servers import LOCATION, Door, Servers, open_servers, write_nginx

pytestmark = pytest.mark.slow

JSON = {"Content-Type": "application/json"}

#: What the webserver for the data team carries out at once, and so what a hole would let through. The
#: others start runs, or say no by themselves in a small instance.
CARRIED_OUT = (
    *("startSchedule", "stopRunningSchedule", "startSensor", "stopSensor", "setSensorCursor"),
    *("reportRunlessAssetEvents", "reportAssetCheckEvaluations", "wipeAssets"),
    *("addDynamicPartition", "deleteDynamicPartitions", "setConcurrencyLimit"),
    *("deleteConcurrencyLimit", "setAutoMaterializePaused", "setNuxSeen", "deleteRun"),
)

WAYS = (
    *("GET", "upgraded", "JSON", "graphql", "urlencoded", "multipart", "batch"),
    *("named", "twice", "fragment"),
)


@pytest.fixture(scope="module")
def servers(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both webservers, the pages and the proxy, on an instance that nothing else writes to."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("auditors"))
    with open_servers(settings, tmp_path_factory.mktemp("servers")) as opened:
        yield opened
    server.drop(f"{name}_dagster")
    server.drop(name)


@pytest.fixture(scope="module")
def mutations(servers: Servers) -> list[Call]:
    """Every mutation of the schema, with arguments that mean something to this instance."""
    run_id = _launched(servers.writing)
    standing = servers.writing.graphql(
        "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {"
        " ... on RepositoryLocation { repositories { schedules { scheduleState { id } }"
        " sensors { sensorState { id } } } } } } } } }"
    )["workspaceOrError"]["locationEntries"][0]["locationOrLoadError"]["repositories"][0]
    known = {
        "repositoryName": "__repository__",
        "repositoryLocationName": LOCATION,
        "locationName": LOCATION,
        "jobName": "noop",
        "scheduleName": "yearly",
        "sensorName": "watching",
        "runId": run_id,
        "runIds": [run_id],
        "assetKey": {"path": ["thing"]},
        "checkName": "looked_at",
        "partitionsDefName": "parts",
        "partitionKey": "a",
        "partitionKeys": ["a"],
        "backfillParams": {"assetSelection": [{"path": ["parted"]}], "partitionNames": ["a"]},
        "stopRunningSchedule.id": standing["schedules"][0]["scheduleState"]["id"],
        "stopSensor.id": standing["sensors"][0]["sensorState"]["id"],
        "setSensorCursor.cursor": "5",
        **{
            f"{name}.reexecutionParams": {"parentRunId": run_id, "strategy": "ALL_STEPS"}
            for name in ("launchPipelineReexecution", "launchRunReexecution")
        },
        "reexecutePartitionBackfill.reexecutionParams": {
            "parentRunId": "x",
            "strategy": "ALL_STEPS",
        },
    }
    return list(calls(servers.writing.graphql(get_introspection_query()), known))


@pytest.fixture
def proxy(servers: Servers) -> Door:
    if servers.proxy is None:
        pytest.skip("no nginx on this machine: apt-get install nginx-light")
    return servers.proxy


def test_the_schema_tells_all_mutations(mutations: list[Call]) -> None:
    names = {call.name for call in mutations}
    assert len(names) > 30
    assert names > {*CARRIED_OUT, "launchRun", "terminateRun", "reloadWorkspace", "logTelemetry"}


def test_no_mutation_passes_the_auditors_webserver(servers: Servers, mutations: list[Call]) -> None:
    before = servers.state()
    for call in mutations:
        for way in WAYS:
            assert_refused(servers.reading, call, way)
    assert servers.state() == before


def test_no_mutation_passes_the_proxy(servers: Servers, proxy: Door, mutations: list[Call]) -> None:
    before = servers.state()
    for call in mutations:
        for way in WAYS:
            assert_refused(proxy, call, way)
    assert servers.state() == before


def test_no_mutation_passes_as_a_subscription(servers: Servers, mutations: list[Call]) -> None:
    before = servers.state()
    for door in (servers.reading, servers.proxy):
        if door is None:
            continue
        scheme = "wss" if door.trusted else "ws"
        with open_socket(
            f"{scheme}://{door.host}:{door.port}/graphql",
            subprotocols=["graphql-ws"],  # type: ignore[list-item]
            ssl=door.tls(),
            additional_headers=door.authorization(),
            proxy=None,
        ) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(socket.recv(30))["type"] == "connection_ack"
            for number, call in enumerate(mutations):
                payload = {"query": call.document, "variables": call.variables}
                socket.send(json.dumps({"type": "start", "id": str(number), "payload": payload}))
                answer = json.loads(socket.recv(30))
                assert (answer["type"], answer["id"]) == ("error", str(number)), answer
    assert servers.state() == before


@pytest.mark.parametrize("kind", ["materialization", "check", "observation"])
def test_no_event_is_taken_in_by_rest(servers: Servers, kind: str) -> None:
    body = json.dumps({"check_name": "looked_at", "passed": True, "data_version": "1"}).encode()
    address = f"/report_asset_{kind}/thing"
    before = servers.state()
    doors = [door for door in (servers.reading, servers.proxy) if door is not None]
    for door in doors:
        for path in (address, f"/{address}", f"/.{address}", address.replace("r", "%72", 1)):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                assert door.ask(path, method, body, JSON).status >= 400, (door.port, method, path)
    assert servers.state() == before
    assert servers.writing.ask(address, "POST", body, JSON).status == 200
    assert servers.state() != before


def test_the_auditors_are_told_that_they_may_nothing(servers: Servers) -> None:
    """The buttons are grey: whoever looks at the page sees that it is for reading."""
    asked = "{ permissions { permission value } }"
    granted = servers.reading.graphql(asked)["permissions"]
    assert len(granted) > 15
    assert [one["permission"] for one in granted if one["value"]] == []
    assert any(one["value"] for one in servers.writing.graphql(asked)["permissions"])


def test_files_are_not_handed_out_by_the_webserver(servers: Servers) -> None:
    shell = servers.reading.ask("/").body
    for path in ("/logs/x.out", "/notebook?path=x.ipynb", "/download_debug/x", "/dagit/notebook"):
        # The webserver knows no such address any more: it gives the page that it gives for any.
        answer = servers.reading.ask(path)
        assert answer.status == 200
        assert len(answer.body) == len(shell)
        if servers.proxy is not None:
            assert servers.proxy.ask(path).status == 403


def test_nothing_is_seen_without_the_login(servers: Servers, proxy: Door) -> None:
    for login in (None, "auditor:wrong", "nobody:riktig-hest-batteri-stift"):
        door = Door(proxy.host, proxy.port, login, proxy.trusted)
        for path in ("/", "/server_info", "/pages/", "/pages/dbt/manifest.json", "/assets/x"):
            answer = door.ask(path)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="auditors"'
        query = json.dumps({"query": "{ version }"}).encode()
        assert door.ask("/graphql", "POST", query, JSON).status == 401


def test_with_the_login_the_interface_and_the_pages_are_open(proxy: Door) -> None:
    assert proxy.ask("/").status == 200
    assert proxy.ask("/server_info").json()["dagster_webserver_version"]
    assert b"Retention: reports" in proxy.ask("/pages/?lang=en").body
    assert proxy.ask("/pages").headers["Location"].endswith("/pages/")
    assert proxy.graphql("{ version }")["version"]
    answer = proxy.ask("/runs")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" in answer.headers
    # A page elsewhere speaks with its own origin; the browser adds the login by itself.
    own = {**JSON, "Origin": f"https://localhost:{proxy.port}"}
    query = json.dumps({"query": "{ version }"}).encode()
    assert proxy.ask("/graphql", "POST", query, own).status == 200
    foreign = {**own, "Origin": "https://elsewhere.example"}
    assert proxy.ask("/graphql", "POST", query, foreign).status == 403
    assert proxy.ask("/pages/", "POST", b"x").status in (403, 405)


def test_nginx_takes_what_the_runbook_says_of_openid_connect(tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        pytest.skip("no nginx on this machine: apt-get install nginx-light")
    configuration, _ = write_nginx(tmp_path / "nginx", {"proxy": 1, "auditors": 2, "pages": 3})
    asked, located = (
        block.body
        for block in blocks(ROOT / "docs" / "runbooks" / "auditors.md")
        if block.language == "nginx"
    )
    rendered = (tmp_path / "nginx" / "auditors.conf").read_text()
    without = re.sub(r"    auth_basic.*;\n", "", rendered)
    assert rendered.count("auth_basic") == 2
    end = without.rindex("}")
    (tmp_path / "nginx" / "auditors.conf").write_text(f"{without[:end]}{asked}{located}}}\n")
    tested = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(configuration)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stderr


def test_the_same_calls_change_something_where_writing_is_allowed(
    servers: Servers, mutations: list[Call]
) -> None:
    """Last: so that the tests above could have failed."""
    by_name = {call.name: call for call in mutations}
    unchanged = []
    for name in CARRIED_OUT:
        before = servers.state()
        answer = _sent(servers.writing, by_name[name], "JSON")
        if answer.status != 200 or servers.state() == before:
            unchanged.append((name, answer.body[:300]))
    assert unchanged == []


def assert_refused(door: Door, call: Call, way: str) -> None:
    """What came back is a refusal, and nothing of the call was carried out."""
    answer = _sent(door, call, way)
    place = (door.port, call.name, way, answer.status, answer.body[:300])
    assert 400 <= answer.status < 600, place
    if way in ("JSON", "named", "twice", "fragment"):
        assert answer.status == 400, place
        assert answer.json()["data"] is None, place
        assert REFUSAL in {error["message"] for error in answer.json()["errors"]}, place


def _sent(door: Door, call: Call, way: str) -> Any:
    query: dict[str, Any] = {"query": call.document, "variables": call.variables}
    in_address = "/graphql?" + urlencode(
        {"query": call.document, "variables": json.dumps(call.variables)}
    )
    match way:
        case "GET":
            return door.ask(in_address)
        case "upgraded":
            # As if a socket were asked for, the only thing that the proxy lets through over GET.
            return door.ask(in_address, headers={"Upgrade": "websocket", "Connection": "upgrade"})
        case "graphql":
            body = call.document.encode()
            return door.ask("/graphql", "POST", body, {"Content-Type": "application/graphql"})
        case "urlencoded":
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            return door.ask(in_address, "POST", in_address.partition("?")[2].encode(), form)
        case "multipart":
            return door.ask(in_address, "POST", *_multipart(query))
        case "batch":
            return door.ask("/graphql", "POST", json.dumps([query, query]).encode(), JSON)
        case "named":
            # A harmless query first, and the mutation chosen by its name.
            query["query"] = f"query Q {{ version }} {call.document}"
            query["operationName"] = "M"
        case "twice":
            head, _, _ = call.document.partition("{")
            query["query"] = f"{head} {{ a: {call.field} b: {call.field} }}"
        case "fragment":
            head, _, _ = call.document.partition("{")
            query["query"] = f"{head} {{ ...F }} fragment F on Mutation {{ {call.field} }}"
    return door.ask("/graphql", "POST", json.dumps(query).encode(), JSON)


def _multipart(query: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """As files are uploaded with a mutation."""
    parts = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("operations", json.dumps(query)), ("map", "{}"))
    )
    return f"{parts}--edge--\r\n".encode(), {"Content-Type": "multipart/form-data; boundary=edge"}


def _launched(door: Door) -> str:
    """The id of a run that waits: no daemon is here to start it."""
    answer = door.graphql(
        "mutation M($p: ExecutionParams!) { launchRun(executionParams: $p) {"
        " ... on LaunchRunSuccess { run { runId } } } }",
        {
            "p": {
                "selector": {
                    "repositoryName": "__repository__",
                    "repositoryLocationName": LOCATION,
                    "jobName": "noop",
                }
            }
        },
    )
    return str(answer["launchRun"]["run"]["runId"])
