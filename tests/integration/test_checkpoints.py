"""Signed heads of the ledger, exported: what they say, and what is refused because of them.

Belongs here: exporting, and the guard of every purge against a ledger that is behind. Does not belong here:
the tree (test_evidence_tree.py), forgeries (tests/unit/test_verifier_*), replay (test_replay.py).
"""

import base64
import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from retention import state
from retention.errors import Refused, UsageError, WarehouseError
from retention.evidence import publish
from retention.evidence.checkpoint import LATEST
from retention.evidence.delta import opened
from retention.evidence.destination import TOKEN_VARIABLE, Folder, open_destination
from retention.keys import load_key, load_signing_key, signing_key_path
from retention.ledger import tree
from retention.purge import execute
from tests.factories import Shop
from verifier import verify_evidence as form


def exported(shop: Shop) -> Path:
    return shop.settings.state / "checkpoints"


def names(shop: Shop, kind: str) -> list[str]:
    return sorted(path.name for path in (exported(shop) / kind).iterdir())


def trusted(shop: Shop) -> form.Key:
    key = load_signing_key(shop.settings, shop.conn)
    return form.Key(tree.origin(shop.conn), key.public)


def rows_of(shop: Shop) -> set[str]:
    return shop.rows()


def test_a_purge_is_exported_with_its_proofs(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    before = publish(shop.settings)
    assert before is not None
    execute(shop.settings, plan.plan_id)

    note = (exported(shop) / LATEST).read_text()
    latest = form.open_checkpoint(note, [trusted(shop)])
    assert latest.size == shop.one("select count(*) from ledger.entries")
    assert shop.one("select count(*) from ledger.unsequenced") == 0
    leaves = [
        form.leaf_hash(body.encode())
        for (body,) in shop.conn.execute(
            "select body from ledger.leaves join ledger.entries using (entry_id) order by leaf_index"
        )
    ]
    assert latest.root == form.root(leaves)
    (proof,) = [n for n in names(shop, "consistency") if n.startswith(f"{before.size:020}")]
    content = json.loads((exported(shop) / "consistency" / proof).read_text())
    assert [base64.b64decode(each) for each in content["consistency"]] == reference_proof(
        leaves[: content["second"]], content["first"]
    )


def reference_proof(leaves: list[bytes], size: int, whole: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2, word for word."""
    if size == len(leaves):
        return [] if whole else [form.root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if size <= k:
        return [*reference_proof(leaves[:k], size, whole), form.root(leaves[k:])]
    return [*reference_proof(leaves[k:], size - k, False), form.root(leaves[:k])]


def test_nothing_new_is_nothing_exported(shop: Shop) -> None:
    shop.classify()
    first = publish(shop.settings)
    assert publish(shop.settings) == first
    assert len(names(shop, "checkpoints")) == 1


def test_the_delta_is_of_no_use_without_the_key(shop: Shop) -> None:
    shop.person(1)
    shop.person(2, overdue=False)
    plan = shop.approved_plan()
    shop.hold("subject", "shop.person:2")
    publish(shop.settings)
    execute(shop.settings, plan.plan_id)
    content = b"".join(
        (exported(shop) / "deltas" / name).read_bytes() for name in names(shop, "deltas")
    )
    for canary in (b"shop.person", b"tombstones", b"subject", b"the court"):
        assert canary not in content
    keys, origin = [load_key(shop.settings, shop.conn)], tree.origin(shop.conn)
    deltas = [
        opened((exported(shop) / "deltas" / name).read_bytes(), keys, origin)
        for name in names(shop, "deltas")
    ]
    assert [delta.first for delta in deltas] == [0, *(delta.end for delta in deltas[:-1])]
    rows = [row for delta in deltas for row in delta.rows["tombstones"]]
    assert len(rows) == shop.one("select count(*) from ledger.tombstones") > 0
    blockers = [row for delta in deltas for row in delta.rows["blockers"]]
    assert [row["subject_ids"] for row in blockers] == [["shop.person:2"]]


def test_a_delta_that_was_changed_is_refused(shop: Shop) -> None:
    shop.classify()
    publish(shop.settings)
    keys, origin = [load_key(shop.settings, shop.conn)], tree.origin(shop.conn)
    (name,) = names(shop, "deltas")
    content = bytearray((exported(shop) / "deltas" / name).read_bytes())
    content[-1] ^= 1
    with pytest.raises(Refused, match="was changed"):
        opened(bytes(content), keys, origin)
    with pytest.raises(Refused, match="another ledger"):
        opened(bytes(content), keys, "sletteplikt/other")


# What a purge refuses, before its first delete.


def refused(shop: Shop, match: str) -> None:
    """A purge of an approved plan is refused, and nothing in landing changes."""
    before = rows_of(shop)
    (plan,) = shop.conn.execute(
        "select plan_id from ledger.plans where state in ('approved', 'executing')"
    ).fetchall()
    shop.conn.commit()
    with pytest.raises(Refused, match=match):
        execute(shop.settings, plan[0])
    assert rows_of(shop) == before


@pytest.fixture
def approved(shop: Shop) -> Shop:
    shop.person(1)
    shop.approved_plan()
    publish(shop.settings)
    return shop


def forget_last_entries(shop: Shop, number: int) -> None:
    """As a restored backup is: the last entries were never written."""
    for table in ("leaves", "tree_nodes", "checkpoints", "entries"):
        shop.conn.execute(f"alter table ledger.{table} disable trigger user")
    size = tree.size(shop.conn) - number
    shop.conn.execute("delete from ledger.tree_nodes where (position + 1) << level > %s", (size,))
    gone = shop.conn.execute(
        "delete from ledger.leaves where leaf_index >= %s returning entry_id", (size,)
    ).fetchall()
    shop.conn.execute("delete from ledger.checkpoints where size > %s", (size,))
    shop.conn.execute(
        "delete from ledger.entries where entry_id = any(%s)", ([e for (e,) in gone],)
    )
    shop.conn.commit()


def test_a_ledger_behind_its_latest_checkpoint_purges_nothing(approved: Shop) -> None:
    """The promise: a restored backup cannot purge what was held since."""
    approved.hold("subject", "shop.person:1")
    publish(approved.settings)
    approved.conn.execute("update ledger.guards set blockers = 0")
    approved.conn.execute("delete from ledger.blockers")
    forget_last_entries(approved, 1)
    refused(approved, "behind its latest checkpoint.*retention replay")


def test_another_past_purges_nothing(approved: Shop) -> None:
    for table in ("leaves", "tree_nodes"):
        approved.conn.execute(f"alter table ledger.{table} disable trigger user")
    approved.conn.execute("update ledger.tree_nodes set hash = sha256(hash)")
    approved.conn.commit()
    refused(approved, "its past was changed")


def test_lost_checkpoints_purge_nothing(approved: Shop) -> None:
    (exported(approved) / LATEST).unlink()
    refused(approved, "put the exported files back")


def test_a_checkpoint_of_another_key_purges_nothing(approved: Shop) -> None:
    signing_key_path(approved.settings).unlink()
    state.secret(signing_key_path(approved.settings))
    refused(approved, "not signed with the signing key at hand")


def test_a_lost_signing_key_purges_nothing(approved: Shop) -> None:
    signing_key_path(approved.settings).unlink()
    refused(approved, "signing key is lost")


def test_another_ledgers_checkpoints_purge_nothing(approved: Shop) -> None:
    approved.conn.execute("update ledger.log set origin = 'sletteplikt/another'")
    approved.conn.commit()
    refused(approved, "of another ledger")


def test_a_damaged_checkpoint_purges_nothing(approved: Shop) -> None:
    (exported(approved) / LATEST).write_text("nothing\n")
    refused(approved, "damaged")


def test_a_folder_that_cannot_be_written_purges_nothing(approved: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = dataclasses.replace(approved.settings, checkpoints=str(tmp_path / "file"))
    before = rows_of(approved)
    plan = approved.one("select plan_id from ledger.plans where state = 'approved'")
    with pytest.raises(WarehouseError, match="checkpoints' folder"):
        execute(settings, plan)
    assert rows_of(approved) == before


# Exports that were cut short.


def test_an_export_cut_short_is_finished_by_the_next(shop: Shop) -> None:
    """The files are there, the pointer and the ledger's own record are not."""
    shop.classify()
    first = publish(shop.settings)
    assert first is not None
    (exported(shop) / LATEST).unlink()
    shop.conn.execute("alter table ledger.checkpoints disable trigger user")
    shop.conn.execute("delete from ledger.checkpoints")
    shop.conn.commit()
    assert publish(shop.settings) == first
    assert shop.one("select note from ledger.checkpoints") == first.note


def test_many_that_export_at_once_agree(shop: Shop) -> None:
    shop.classify()
    found = []
    workers = [
        threading.Thread(target=lambda: found.append(publish(shop.settings))) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 4
    assert len(set(found)) == 1


# A destination that speaks HTTP.


class Store(BaseHTTPRequestHandler):
    """Keeps what is put, never over what is there when asked not to; wants the token."""

    files: ClassVar[dict[str, bytes]] = {}
    token: ClassVar[str] = "Bearer t0ken"

    def do_GET(self) -> None:
        if self._admitted():
            content = self.files.get(self.path)
            self._answer(404 if content is None else 200, content or b"")

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self._admitted():
            if self.headers.get("If-None-Match") == "*" and self.path in self.files:
                self._answer(412)
            else:
                self.files[self.path] = content
                self._answer(201)

    def _admitted(self) -> bool:
        admitted = self.headers.get("Authorization") == self.token
        if not admitted:
            self._answer(403)
        return admitted

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def store() -> Iterator[str]:
    Store.files = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/evidence/"
        server.shutdown()
        thread.join()


def test_checkpoints_go_to_a_url(shop: Shop, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "t0ken")
    settings = dataclasses.replace(shop.settings, checkpoints=store)
    shop.person(1)
    plan = shop.approved_plan()
    execute(settings, plan.plan_id)
    latest = form.open_checkpoint(Store.files["/evidence/checkpoint"].decode(), [trusted(shop)])
    assert f"/evidence/deltas/{latest.size:020}" in Store.files
    assert not exported(shop).exists()


def test_a_url_that_refuses_us_is_said_without_the_token(
    shop: Shop, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "wr0ng")
    settings = dataclasses.replace(shop.settings, checkpoints=store)
    shop.classify()
    with pytest.raises(WarehouseError, match="it answered 403") as caught:
        publish(settings)
    assert "wr0ng" not in str(caught.value)


def test_what_was_written_once_is_not_written_over(
    shop: Shop, store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "t0ken")
    places = [
        open_destination(dataclasses.replace(shop.settings, checkpoints=store)),
        Folder(tmp_path / "exported"),
    ]
    for place in places:
        place.add("deltas/1", b"one")
        place.add("deltas/1", b"one")
        with pytest.raises(Refused, match="other content"):
            place.add("deltas/1", b"two")
        assert place.read("deltas/1") == b"one"
        assert place.read("deltas/2") is None


@pytest.mark.parametrize("place", ["http://example.org/x", "ftp://example.org/x", "s3://bucket"])
def test_a_place_that_others_can_listen_to_is_refused(shop: Shop, place: str) -> None:
    with pytest.raises(UsageError, match="https"):
        open_destination(dataclasses.replace(shop.settings, checkpoints=place))
