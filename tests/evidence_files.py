"""Honest ledgers, checkpoints and deletion reports, made without a database and signed with a key of
their own.

Belongs here: what verifies, so that a forgery is made by changing one thing. Does not belong here: the
forgeries, and the product's own writers, which integration tests hold to the same verifier.
"""

import copy
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier import verify_evidence as ve

Content = dict[str, Any]

HMAC_KEY = bytes(range(32))
ORIGIN = "sletteplikt/11111111-2222-3333-4444-555555555555"
PLAN = "99999999-8888-7777-6666-555555555555"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TABLES = ("crm.lead", "crm.person")


class Signer:
    """A private key, and the public one as evidence knows it."""

    def __init__(self, seed: int = 1, origin: str = ORIGIN) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = ve.Key(origin, self._private.public_key().public_bytes_raw())

    def line(self, data: bytes) -> str:
        return ve.signature_line(self.key, self._private.sign(data))

    def note(self, text: str) -> str:
        return ve.signed_note(text, [self.line(text.encode())])


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Log:
    """An append-only log. An entry comes a minute after the one before."""

    def __init__(self, signer: Signer | None = None) -> None:
        self.signer = signer or Signer()
        self.bodies: list[bytes] = []
        self.now = START

    def append(self, entry: str, **content: Any) -> int:
        self.now += timedelta(minutes=1)
        body = {"entry": entry, "at": iso(self.now), **content}
        self.bodies.append(ve.canonical(body))
        return len(self.bodies) - 1

    def copy(self) -> "Log":
        other = Log(self.signer)
        other.bodies, other.now = list(self.bodies), self.now
        return other

    def replace(self, index: int, **changed: Any) -> None:
        """Write one entry anew, as somebody does who owns the database."""
        content = json.loads(self.bodies[index]) | changed
        self.bodies[index] = ve.canonical(content)

    def leaves(self, size: int | None = None) -> list[bytes]:
        return [ve.leaf_hash(body) for body in self.bodies[:size]]

    def head(self, size: int | None = None, time: datetime | None = None) -> ve.Checkpoint:
        size = len(self.bodies) if size is None else size
        return ve.Checkpoint(
            self.signer.key.name, size, ve.root(self.leaves(size)), iso(time or self.now)
        )

    def checkpoint(self, size: int | None = None, time: datetime | None = None) -> str:
        return self.signer.note(self.head(size, time).text)

    def lines(self) -> list[bytes]:
        return [
            b"%d %s %s\n" % (index, ve.leaf_hash(body).hex().encode(), body)
            for index, body in enumerate(self.bodies)
        ]

    def ledger(self, checkpoint: str | None = None, lines: list[bytes] | None = None) -> bytes:
        header = {"file": "ledger", "version": 1, "checkpoint": checkpoint or self.checkpoint()}
        return b"".join([ve.canonical(header) + b"\n", *(lines or self.lines())])

    def nodes(self, indexes: list[int], older: list[int]) -> dict[str, str]:
        leaves = self.leaves()
        return {
            f"{level}/{at}": ve.root(leaves[at << level : (at + 1) << level]).hex()
            for level, at in ve.proof_nodes(len(leaves), indexes, older)
        }

    def entries(self, plan_id: str = PLAN) -> list[Content]:
        return [
            {"index": index, "leaf_hash": ve.leaf_hash(body).hex(), "body": body.decode()}
            for index, body in enumerate(self.bodies)
            if json.loads(body).get("plan_id") == plan_id or b'"entry":"compaction"' in body
        ]

    def sign(self, report: Content) -> Content:
        """Sign a report, anew where it bears a signature."""
        unsigned = {name: value for name, value in report.items() if name != "signature"}
        return {**unsigned, "signature": self.signer.line(ve.canonical(unsigned))}

    def report(self, tokens: list[Content], older: list[int]) -> Content:
        """The deletion report of the plan in the log, as it stands now."""
        entries = self.entries()
        contents = [json.loads(entry["body"]) for entry in entries]
        last = {content["entry"]: content for content in contents}
        batches = [content for content in contents if content["entry"] == "batch"]
        tables = [table for batch in batches for table in batch["tables"]]
        return self.sign(
            {
                "report": "deletion",
                "version": 2,
                "checkpoint": self.checkpoint(),
                "plan": last["plan"],
                "approval": last.get("approval"),
                "execution": {
                    "finished": "executed" in last,
                    "purged": sum(batch["purged"] for batch in batches),
                    "minimised": sum(batch["minimised"] for batch in batches),
                    "skipped": _summed(batch["skipped"] for batch in batches),
                    "batches": batches,
                    "end": last.get("executed"),
                },
                "orders": {"stores": [], "rows_waiting": 0},
                "counts": {
                    "by_table": _summed({table["table"]: table["purged"]} for table in tables),
                    "by_rule": [
                        {"rule_id": rule, "clause": "§ 6", "clause_text": "…", "purged": number}
                        for rule, number in _summed(batch["rules"] for batch in batches).items()
                    ],
                    "minimised_by_table": [
                        {"table": table, "rule_id": "R4", "columns": ["note"], "minimised": number}
                        for table, number in _summed(
                            {table["table"]: table["minimised"]} for table in tables
                        ).items()
                        if number
                    ],
                },
                "level": "logical",
                "not_covered": ["Write-ahead log, replicas and backups, until they have rotated."],
                "read_back": last.get("read_back"),
                "entries": entries,
                "tokens": copy.deepcopy(tokens),
                "nodes": self.nodes([entry["index"] for entry in entries], older),
            }
        )


def _summed(counts: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for name, number in one.items():
            total[name] = total.get(name, 0) + number
    return dict(sorted(total.items()))


def planned(**changed: Any) -> Content:
    """The content of a plan's entry, with the digest that follows from it."""
    content = {
        "plan_id": PLAN,
        "scope": "ordinary",
        "as_of": "2026-03-02",
        "policy_version": "2023-01-12",
        "policy_hash": sha256(b"policy").hexdigest(),
        "code_hash": sha256(b"code").hexdigest(),
        "key_id": ve.hmac_key_id(HMAC_KEY),
        "key_epoch": 0,
        "tokens_root": sha256(b"rows").hexdigest(),
        "items": 0,
        "planned_by": "planner",
        **changed,
    }
    frozen = ("as_of", "policy_version", "policy_hash", "code_hash", "scope", "tokens_root")
    digest = sha256(ve.canonical({name: content[name] for name in frozen})).hexdigest()
    return {"digest": digest, **content}


def token_groups(batch_no: int, purged: int, minimised: int) -> list[Content]:
    """Tokens of made-up records: key `<batch>-<number>` of each table."""
    groups = []
    for disposition, number in (("purge", purged), ("minimise", minimised)):
        for table in TABLES if number else ():
            keys = [f"{batch_no}-{disposition}-{i}" for i in range(number)]
            tokens = sorted(ve.record_token(HMAC_KEY, table, key, 0) for key in keys)
            groups.append(
                {
                    "batch_no": batch_no,
                    "table": table,
                    "disposition": disposition,
                    "tokens": tokens,
                }
            )
    return groups


def batch(plan: Content, groups: list[Content], batch_no: int) -> Content:
    """The content of a batch's entry."""
    done = {"purge": 0, "minimise": 0}
    by_table = {table: {"purge": 0, "minimise": 0} for table in TABLES}
    for group in groups:
        done[group["disposition"]] += len(group["tokens"])
        by_table[group["table"]][group["disposition"]] += len(group["tokens"])
    return {
        "plan_id": plan["plan_id"],
        "batch_no": batch_no,
        "fence": 1,
        "run_by": "the_job",
        **{n: plan[n] for n in ("policy_version", "policy_hash", "code_hash", "key_id")},
        "purged": done["purge"],
        "minimised": done["minimise"],
        "tokens_root": ve.tokens_root(
            f"{group['table']}|{token}|{group['disposition']}"
            for group in groups
            for token in group["tokens"]
        ),
        "skipped": {"it is held": 1},
        "rules": {"R2": done["purge"]} if done["purge"] else {},
        "rules_minimised": {"R4": done["minimise"]} if done["minimise"] else {},
        "tables": [
            {
                "table": table,
                "rows_before": 1000,
                "purged": counts["purge"],
                "minimised": counts["minimise"],
                "rows_after": 1000 - counts["purge"],
            }
            for table, counts in by_table.items()
        ],
        "copies": [],
    }


class Story:
    """One plan, carried out in batches, among entries about other things; and two checkpoints, the
    earlier one from before the batches."""

    def __init__(self, batches: int = 2, purged: int = 3, minimised: int = 1) -> None:
        self.log = log = Log()
        for number in range(5):
            log.append("check", name=f"check {number}", passed=True)
        groups = [token_groups(1 + n, purged, minimised) for n in range(batches)]
        sizes = [sum(len(group["tokens"]) for group in some) for some in groups]
        self.plan = planned(items=sum(sizes) + batches)
        log.append("plan", **self.plan)
        log.append("blocker_placed", kind="hold", reason="søksmål")
        log.append(
            "approval",
            plan_id=PLAN,
            digest=self.plan["digest"],
            kind="person",
            approved_by="approver",
        )
        self.earlier_size = len(log.bodies)
        self.earlier = log.checkpoint()
        log.append("execution_started", plan_id=PLAN, fence=1, run_by="the_job")
        for number, some in enumerate(groups, start=1):
            log.append("batch", **batch(self.plan, some, number))
            log.append("check", name=f"after batch {number}", passed=True)
        log.append(
            "executed",
            plan_id=PLAN,
            purged=batches * purged * len(TABLES),
            minimised=batches * minimised * len(TABLES),
            skipped={"it is held": batches},
            batches=batches,
            run_by="the_job",
        )
        log.append("read_back", plan_id=PLAN, checked=1000, findings=[])
        log.append("check", name="the last", passed=True)
        self.tokens = [group for some in groups for group in some]

    def report(self) -> Content:
        return self.log.report(self.tokens, [self.earlier_size])


def check(
    folder: Path,
    evidence: bytes | Content,
    since: str | None = None,
    keys: list[ve.Key] | None = None,
    record: tuple[str, str, bytes] | None = None,
) -> ve.Result:
    """Verify evidence as a file."""
    path = folder / "evidence"
    content = evidence if isinstance(evidence, bytes) else json.dumps(evidence).encode()
    path.write_bytes(content)
    return ve.verify(path, keys or [Signer().key], since, record)


def forgeries(result: ve.Result) -> list[str]:
    return [failure["forgery"] for failure in result.failures]
