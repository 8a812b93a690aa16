"""A ledger of a million entries verifies in under 10 seconds."""

import hashlib
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.evidence_files import START, Signer, iso
from verifier import verify_evidence as ve

pytestmark = [pytest.mark.unit, pytest.mark.slow]

ENTRIES = 1_000_000
OLDER = 654_321
SECONDS = 10
# Where other work slows the machine down, it slows this down as much.
TIMES_THE_FLOOR = 2

HASH = hashlib.sha256(b"policy").hexdigest()


def bodies() -> list[bytes]:
    """Entries of checks, about 350 bytes each, and of a batch now and then."""
    numbers = random.Random(1)
    made = []
    for index in range(ENTRIES):
        at = iso(START + timedelta(seconds=index))
        bits = numbers.getrandbits(40)
        if index % 50 == 0:
            body = (
                f'{{"at":"{at}","batch_no":1,"code_hash":"{HASH}","entry":"batch","plan_id":"{bits:x}"'
                f',"purged":{bits % 999},"tables":[{{"purged":{bits % 999},"table":"crm.lead"}}]}}'
            )
        else:
            body = (
                f'{{"as_of":"2026-03-02","at":"{at}","checked":{bits},"entry":"check","findings":'
                f'[{{"count":{bits % 97},"what":"overdue","where":"crm.person"}}],"name":"no_record_is'
                f'_overdue","passed":true,"policy_hash":"{HASH}","reason":"fristen er ute","run_by":'
                f'"the_job","run_id":"{bits:032x}","schemas":["crm","mail"]}}'
            )
        made.append(body.encode())
    return made


#: What no verifier can do without: two hashes an entry, and reading its JSON.
FLOOR = """
import hashlib, json, sys
sha256 = hashlib.sha256
with open(sys.argv[1], "rb", buffering=1 << 20) as file:
    next(file)
    for line in file:
        body = line.split(b" ", 2)[2][:-1]
        leaf = sha256(bytes(1) + body).digest()
        sha256(bytes(1) + leaf + leaf).digest()
        json.loads(body)
"""


def timed(*arguments: str) -> tuple[subprocess.CompletedProcess[str], float, float]:
    """Run Python in a process of its own, as an auditor does; its wall and processor seconds."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-I", *arguments], capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done, time.perf_counter() - wall, cpu


def write_ledger(path: Path) -> tuple[str, str]:
    """A ledger of a million entries; returns the key, and an earlier checkpoint."""
    signer, made = Signer(), bodies()
    leaves = [ve.leaf_hash(body) for body in made]
    ends = {size: iso(START + timedelta(seconds=size)) for size in (ENTRIES, OLDER)}
    new, old = (
        ve.Checkpoint(signer.key.name, size, ve.root(leaves[:size]), at)
        for size, at in ends.items()
    )
    header = {"file": "ledger", "version": 1, "checkpoint": signer.note(new.text)}
    with path.open("wb") as file:
        file.write(ve.canonical(header) + b"\n")
        for index, (leaf, body) in enumerate(zip(leaves, made, strict=True)):
            file.write(b"%d %s %s\n" % (index, leaf.hex().encode(), body))
    return signer.key.vkey, signer.note(old.text)


def test_a_million_entries_verify_in_time(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    path, since = tmp_path / "ledger", tmp_path / "since"
    key, note = write_ledger(path)
    since.write_text(note)
    done, wall, cpu = timed(
        str(ve.__file__), str(path), "--key", key, "--since", str(since), "--json"
    )
    _, least_wall, least_cpu = timed("-c", FLOOR, str(path))
    path.unlink()
    told = json.loads(done.stdout)
    assert done.returncode == 0, told
    assert told["proved"]["size"] == ENTRIES
    figures = (
        f"{ENTRIES} entries: {wall:.1f} s, of which {cpu:.1f} s on one core;"
        f" two hashes and json.loads alone: {least_wall:.1f} s, {least_cpu:.1f} s"
    )
    print(figures)
    record_property("verifier", figures)
    assert cpu < max(SECONDS, TIMES_THE_FLOOR * least_cpu), figures
