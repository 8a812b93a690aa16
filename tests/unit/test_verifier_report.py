"""A deletion report that was tampered with does not verify, and the verifier names what was done.

Who edits a report without the signing key is caught by the signature. Who has the key, as the operator
has, signs anew: then the entries in the signed tree must tell. So most forgeries here are signed.
"""

import copy
import json
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.evidence_files import (
    HMAC_KEY,
    ORIGIN,
    PLAN,
    START,
    Content,
    Log,
    Signer,
    Story,
    check,
    forgeries,
    iso,
)
from verifier import verify_evidence as ve

pytestmark = pytest.mark.unit


@pytest.fixture
def story() -> Story:
    return Story()


def test_an_honest_report_holds(tmp_path: Path, story: Story) -> None:
    result = check(tmp_path, story.report(), story.earlier)
    assert result.holds, result.failures
    assert result.proved["purged_by_table"] == {"crm.lead": 6, "crm.person": 6}
    assert result.proved["minimised_by_table"] == {"crm.lead": 2, "crm.person": 2}
    assert result.proved["purged_by_rule"] == {"R2": 12}
    assert result.proved["level"] == "logical, 0 of 2 tables since rewritten"
    assert result.not_covered[-1].startswith("Write-ahead log")


def rewritten(story: Story, *tables: str) -> None:
    """Tables are rewritten: a compaction, of whatever plans purged from them."""
    story.log.append("compaction", plans=[PLAN], tables=[{"table": table} for table in tables])


def test_a_report_of_what_was_erased_physically_holds(tmp_path: Path, story: Story) -> None:
    rewritten(story, "crm.lead", "crm.person", "ledger.plan_items")
    report = story.log.sign({**story.report(), "level": "physical"})
    result = check(tmp_path, report, story.earlier)
    assert result.holds, result.failures
    assert result.proved["level"] == "physical, 2 of 2 tables since rewritten"


def test_a_level_that_nothing_was_done_for_is_named(tmp_path: Path, story: Story) -> None:
    report = story.log.sign({**story.report(), "level": "physical"})
    assert "false level" in forgeries(check(tmp_path, report, story.earlier))


def test_a_rewriting_before_the_purge_counts_for_nothing(tmp_path: Path) -> None:
    story = Story(batches=0)
    rewritten(story, "crm.lead", "crm.person")
    later = Story()
    compaction, offset = story.log.bodies[-1], len(later.log.bodies)
    later.log.bodies.insert(later.earlier_size, compaction)
    assert len(later.log.bodies) == offset + 1
    report = later.log.sign({**later.report(), "level": "physical"})
    assert "false level" in forgeries(check(tmp_path, report))


@pytest.mark.parametrize("batches", [0, 1, 5])
def test_reports_of_other_sizes_hold(tmp_path: Path, batches: int) -> None:
    story = Story(batches, purged=4, minimised=0)
    assert check(tmp_path, story.report(), story.earlier).holds


def test_a_node_that_nothing_needs_is_not_believed(tmp_path: Path, story: Story) -> None:
    report = story.report()
    for place in ("4/0", "5/0", "63/1", "0/999999999999999", "99/0"):
        report["nodes"][place] = "00" * 32
    assert check(tmp_path, story.log.sign(report), story.earlier).holds


def test_a_report_of_a_plan_that_goes_on_holds(tmp_path: Path, story: Story) -> None:
    log = story.log
    log.bodies = [
        body for body in log.bodies if json.loads(body)["entry"] not in ("executed", "read_back")
    ]
    report = story.report()
    assert not report["execution"]["finished"]
    assert check(tmp_path, report, story.earlier).holds


def test_a_report_of_an_amended_plan_holds(tmp_path: Path) -> None:
    story = amended(lambda plan: plan["digest"])
    assert check(tmp_path, story.report()).holds


def amended(old_digest: Callable[[Content], str]) -> Story:
    """A plan from which a case was taken before it was approved."""
    story = Story()
    log, later = story.log, [json.loads(body) for body in story.log.bodies[6:]]
    log.bodies, log.now = log.bodies[:6], START + timedelta(minutes=6)
    items = story.plan["items"]
    log.replace(5, items=items + 3)
    log.append(
        "plan_amended",
        plan_id=PLAN,
        old_digest=old_digest(story.plan),
        new_digest="ab" * 32,
        items=items,
    )
    for content in later:
        if content["entry"] == "approval":
            content["digest"] = "ab" * 32
        log.append(content.pop("entry"), **{n: v for n, v in content.items() if n != "at"})
    return story


def test_an_amendment_of_another_digest(tmp_path: Path) -> None:
    story = amended(lambda plan: "cd" * 32)
    assert forgeries(check(tmp_path, story.report())) == ["false plan"]


def test_whether_a_record_was_purged(tmp_path: Path, story: Story) -> None:
    def ask(table: str, key: str) -> Any:
        return check(tmp_path, story.report(), record=(table, key, HMAC_KEY)).record

    assert ask("crm.lead", "2-purge-1") == {"answer": "purged", "batch": 2}
    assert ask("crm.person", "1-minimise-0") == {"answer": "minimised", "batch": 1}
    assert ask("crm.lead", "17") == {"answer": "not in this report", "batch": None}
    assert ask("crm.other", "2-purge-1") == {"answer": "not in this report", "batch": None}
    with pytest.raises(ve.Unreadable, match="the HMAC key is"):
        check(tmp_path, story.report(), record=("crm.lead", "1", bytes(32)))


def test_a_report_that_does_not_hold_answers_nothing(tmp_path: Path, story: Story) -> None:
    report = {**story.report(), "not_covered": []}
    result = check(tmp_path, report, record=("crm.lead", "2-purge-1", HMAC_KEY))
    assert result.record is None
    assert forgeries(result) == ["edited report"]


def test_a_replaced_key(tmp_path: Path, story: Story) -> None:
    story.log.signer = Signer(2)
    assert "replaced key" in forgeries(check(tmp_path, story.report()))


def test_a_report_under_a_signature_of_another_key(tmp_path: Path, story: Story) -> None:
    report = story.report()
    log = Log(Signer(2))
    assert forgeries(check(tmp_path, log.sign(report))) == ["replaced key"]


def test_another_log(tmp_path: Path, story: Story) -> None:
    story.log.signer = Signer(1, ORIGIN + "x")
    assert forgeries(check(tmp_path, story.report())) == ["other log"]


def test_a_replayed_checkpoint(tmp_path: Path, story: Story) -> None:
    report = story.report()
    story.log.append("check", name="later")
    assert forgeries(check(tmp_path, report, story.log.checkpoint())) == ["replayed checkpoint"]


def test_a_forked_history(tmp_path: Path, story: Story) -> None:
    story.log.replace(2, passed=False)
    report = story.report()
    assert check(tmp_path, report).holds, "by itself a fork is a report like any other"
    assert forgeries(check(tmp_path, report, story.earlier)) == ["forked history"]


def test_a_fork_of_the_same_size(tmp_path: Path, story: Story) -> None:
    kept = story.log.checkpoint()
    story.log.replace(2, passed=False)
    assert forgeries(check(tmp_path, story.report(), kept)) == ["forked history"]


def test_a_back_dated_entry(tmp_path: Path, story: Story) -> None:
    index = len(story.log.bodies) - 2
    story.log.replace(index, at=iso(START - timedelta(hours=2)))
    result = check(tmp_path, story.report(), story.earlier)
    assert [(f["forgery"], f["entry"]) for f in result.failures] == [("back-dated entry", index)]


def test_a_post_dated_entry(tmp_path: Path, story: Story) -> None:
    index = len(story.log.bodies) - 2
    story.log.replace(index, at=iso(START + timedelta(hours=2)))
    assert forgeries(check(tmp_path, story.report())) == ["post-dated entry"]


def edit(change: Callable[[Content], Any]) -> Callable[[Story], Content]:
    """An edit of the report by somebody who can sign it."""

    def forge(story: Story) -> Content:
        report = copy.deepcopy(story.report())
        change(report)
        return story.log.sign(report)

    return forge


def rewrite(kind: str, **changed: Any) -> Callable[[Story], Content]:
    """A false entry, written into the database, numbered and signed like any other."""

    def forge(story: Story) -> Content:
        for index, body in enumerate(story.log.bodies):
            if json.loads(body)["entry"] == kind:
                story.log.replace(index, **changed)
        return story.report()

    return forge


def move_approval(story: Story) -> Content:
    bodies = story.log.bodies
    approval = next(body for body in bodies if json.loads(body)["entry"] == "approval")
    bodies.append(bodies.pop(bodies.index(approval)))
    return story.report()


def drop_batch(story: Story) -> Content:
    """Leave the first batch out of the report, with all that it said."""
    first = next(
        number
        for number, body in enumerate(story.log.bodies)
        if json.loads(body)["entry"] == "batch"
    )
    report = story.report()
    log = story.log.copy()
    log.replace(first, plan_id="another")
    other = log.report([group for group in story.tokens if group["batch_no"] == 2], [])
    nodes = story.log.nodes([entry["index"] for entry in other["entries"]], [])
    return story.log.sign({**other, "checkpoint": report["checkpoint"], "nodes": nodes})


def first_tokens(report: Content) -> list[str]:
    tokens: list[str] = report["tokens"][0]["tokens"]
    return tokens


FORGERIES: dict[str, tuple[Callable[[Story], Content], str]] = {
    "flipped bit": (
        edit(lambda r: r["entries"][2].update(body=r["entries"][2]["body"].replace("6", "7"))),
        "flipped bit",
    ),
    "flipped bit of a hash": (
        edit(lambda r: r["entries"][2].update(leaf_hash="00" * 32)),
        "flipped bit",
    ),
    "dropped entry": (edit(lambda r: r["entries"].pop(2)), "left out"),
    "left out batch": (drop_batch, "dropped entry"),
    "reordered entries": (edit(lambda r: r["entries"].reverse()), "reordered entries"),
    "repeated entry": (
        edit(lambda r: r["entries"].insert(0, r["entries"][0])),
        "reordered entries",
    ),
    "renumbered entry": (edit(lambda r: r["entries"][-1].update(index=15)), "left out"),
    "another node": (
        edit(lambda r: r["nodes"].update({min(r["nodes"]): "00" * 32})),
        "altered entries",
    ),
    "missing node": (edit(lambda r: r["nodes"].pop(min(r["nodes"]))), "left out"),
    "plan's section": (edit(lambda r: r["plan"].update(planned_by="x")), "edited report"),
    "approval's section": (edit(lambda r: r["approval"].update(by="x")), "edited report"),
    "no approval's section": (edit(lambda r: r.update(approval=None)), "edited report"),
    "purged": (edit(lambda r: r["execution"].update(purged=11)), "edited report"),
    "minimised": (edit(lambda r: r["execution"].update(minimised=5)), "edited report"),
    "true for one": (
        edit(lambda r: r["execution"]["batches"][0].update(fence=True)),
        "edited report",
    ),
    "skipped": (edit(lambda r: r["execution"]["skipped"].clear()), "edited report"),
    "finished": (edit(lambda r: r["execution"].update(finished=False)), "edited report"),
    "end": (edit(lambda r: r["execution"].update(end=None)), "edited report"),
    "batches": (edit(lambda r: r["execution"]["batches"].pop()), "edited report"),
    "by table": (edit(lambda r: r["counts"]["by_table"].update(other=1)), "edited report"),
    "by rule": (edit(lambda r: r["counts"]["by_rule"][0].update(purged=1)), "edited report"),
    "minimised by table": (
        edit(lambda r: r["counts"]["minimised_by_table"].pop()),
        "edited report",
    ),
    "read-back": (edit(lambda r: r["read_back"]["findings"].append({})), "edited report"),
    "another token": (edit(lambda r: first_tokens(r).__setitem__(0, "00" * 32)), "edited report"),
    "a token less": (edit(lambda r: first_tokens(r).pop()), "edited report"),
    "tokens reordered": (edit(lambda r: first_tokens(r).reverse()), "edited report"),
    "tokens of another table": (
        edit(lambda r: r["tokens"][0].update(table="crm.other")),
        "edited report",
    ),
    "tokens of another disposition": (
        edit(lambda r: r["tokens"][0].update(disposition="minimise")),
        "edited report",
    ),
    "tokens of no batch": (
        edit(lambda r: r["tokens"].append({**r["tokens"][0], "batch_no": 9})),
        "edited report",
    ),
    "tokens in two groups": (
        edit(
            lambda r: r["tokens"].append(
                {**r["tokens"][0], "tokens": [first_tokens(r).pop()]},
            )
        ),
        "edited report",
    ),
    "false digest": (rewrite("plan", as_of="2026-03-03"), "false plan"),
    "approval of another digest": (rewrite("approval", digest="ab" * 32), "false approval"),
    "planner's own approval": (rewrite("approval", approved_by="planner"), "false approval"),
    "late approval": (move_approval, "false batch"),
    "batch of another policy": (rewrite("batch", policy_hash="ab" * 32), "false batch"),
    "batch of other code": (rewrite("batch", code_hash="ab" * 32), "false batch"),
    "batch of another number": (rewrite("batch", batch_no=2), "dropped entry"),
    "batch with another sum": (rewrite("batch", purged=7), "false batch"),
    "batch with other rules": (rewrite("batch", rules={"R2": 1}), "false batch"),
    "batch with other tokens": (rewrite("batch", tokens_root="ab" * 32), "edited report"),
    "batch that says less than its tokens": (
        rewrite(
            "batch",
            purged=4,
            rules={"R2": 4},
            tables=[
                {
                    "table": table,
                    "rows_before": 10,
                    "purged": 2,
                    "minimised": 1,
                    "rows_after": 8,
                }
                for table in ("crm.lead", "crm.person")
            ],
        ),
        "edited report",
    ),
    "batch with tables that lost more": (
        rewrite(
            "batch",
            tables=[
                {
                    "table": table,
                    "rows_before": 10,
                    "purged": 3,
                    "minimised": 1,
                    "rows_after": 6,
                }
                for table in ("crm.lead", "crm.person")
            ],
        ),
        "false batch",
    ),
    "end with another sum": (rewrite("executed", purged=13), "false end"),
    "end with other batches": (rewrite("executed", batches=3), "false end"),
    "end that forgets some": (rewrite("executed", skipped={"it is held": 1}), "false end"),
    "end that counts one more": (rewrite("executed", skipped={"it is held": 3}), "false end"),
    "end with another reason": (rewrite("executed", skipped={"lost": 2}), "false end"),
    "a node of three numbers": (
        edit(lambda r: r["nodes"].update({"1/1/1": "00" * 32})),
        "malformed deletion report",
    ),
    "a negative index": (
        edit(lambda r: r["entries"][0].update(index=-1)),
        "malformed deletion report",
    ),
    "an index beyond the tree": (
        edit(lambda r: r["entries"][-1].update(index=99)),
        "malformed deletion report",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_signed_forgery(tmp_path: Path, story: Story, name: str) -> None:
    forge, named = FORGERIES[name]
    result = check(tmp_path, forge(story))
    assert named in forgeries(result), result.failures
    if named != "replaced key":
        assert "the signature" not in str(result.failures), "it was caught by the entries"


def test_a_batch_of_another_plan(tmp_path: Path, story: Story) -> None:
    report = story.report()
    other = Story()
    index = next(i for i, b in enumerate(other.log.bodies) if b'"batch_no":1' in b)
    other.log.replace(index, plan_id="another")
    entry = report["entries"][3]
    assert entry["index"] == index
    body = other.log.bodies[index]
    entry |= {"body": body.decode(), "leaf_hash": ve.leaf_hash(body).hex()}
    report["checkpoint"] = other.log.checkpoint()
    report["nodes"] = other.log.nodes([e["index"] for e in report["entries"]], [])
    result = check(tmp_path, other.log.sign(report))
    assert forgeries(result)[0] == "foreign entry"


def edits(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every way to change one thing: each value changed or removed, each list shortened or reordered."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name), "removed"
            yield from edits(inner, (*path, name))
    elif isinstance(value, list):
        if value:
            yield path, "shortened"
        if value != value[::-1]:
            yield path, "reordered"
        for index, inner in enumerate(value):
            yield from edits(inner, (*path, index))
    else:
        yield path, "changed"
        yield path, "emptied"


def edited(report: Content, path: tuple[Any, ...], how: str) -> Content:
    report = copy.deepcopy(report)
    holder: Any = report
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    if how == "removed":
        del holder[path[-1]]
    elif how == "shortened":
        value.pop()
    elif how == "reordered":
        value.reverse()
    elif how == "emptied":
        holder[path[-1]] = "" if value is None else None
    elif isinstance(value, bool):
        holder[path[-1]] = not value
    elif isinstance(value, int):
        holder[path[-1]] = value + 1
    else:
        holder[path[-1]] = f"{value}x" if value is None or len(value) < 2 else value[:-1]
    return report


def test_every_edit_of_one_thing_is_detected(tmp_path: Path, story: Story) -> None:
    report = story.report()
    every = list(edits(report))
    assert len(every) > 400
    for path, how in random.Random(4).sample(every, 400):
        try:
            result = check(tmp_path, edited(report, path, how), story.earlier)
        except ve.Unreadable:
            assert path[0] in ("report", "version"), path
            continue
        assert not result.holds, (path, how)


#: What only the signer vouches for: no entry repeats it, and the verifier says so.
SIGNERS_WORD = ("orders", "not_covered")
ORDER_SAYS_NOTHING = [
    (("tokens",), "reordered"),
    (("counts", "by_rule"), "reordered"),
    (("counts", "minimised_by_table"), "reordered"),
]


def test_every_edit_that_is_signed_is_detected_too(tmp_path: Path, story: Story) -> None:
    report = story.report()
    passed = []
    for path, how in random.Random(5).sample(list(edits(report)), 300):
        if path[0] in SIGNERS_WORD or path == ("signature",) or (path, how) in ORDER_SAYS_NOTHING:
            continue
        try:
            signed = story.log.sign(edited(report, path, how))
            if check(tmp_path, signed, story.earlier).holds:
                passed.append((path, how))
        except ve.Unreadable:
            assert path[0] in ("report", "version"), path
    # A clause's words and the minimised columns stand in no entry either.
    words = ("clause", "clause_text", "columns")
    assert [path for path, _ in passed if not set(words) & set(path)] == []
