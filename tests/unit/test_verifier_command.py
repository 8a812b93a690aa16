"""The verifier as an auditor runs it: a copied file, its exit codes, and what it makes of any bytes."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.evidence_files import HMAC_KEY, Signer, Story
from verifier import verify_evidence as ve

pytestmark = pytest.mark.unit

KEY = Signer().key.vkey


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the copied verifier and evidence, and nothing else."""
    folder = tmp_path_factory.mktemp("auditor")
    shutil.copy(ve.__file__, folder / "verify_evidence.py")
    story = Story()
    (folder / "ledger").write_bytes(story.log.ledger())
    (folder / "report.json").write_text(json.dumps(story.report(), indent=2))
    (folder / "earlier").write_text(story.earlier)
    (folder / "key").write_text(f"{Signer(2).key.vkey}\n{KEY}\n")
    (folder / "hmac").write_text(HMAC_KEY.hex())
    (folder / "forged").write_bytes(story.log.ledger().replace(b"check 3", b"check 4"))
    return folder


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-I", "verify_evidence.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_copied_file_stands_alone(folder: Path) -> None:
    code, out, err = run(folder, "ledger", "--key", "key", "--since", "earlier")
    assert (code, err) == (0, "")
    assert out.startswith("the ledger holds\n")
    assert "since: 8 entries" in out
    code, out, _ = run(folder, "report.json", "--key", Signer(2).key.vkey, "--key", KEY, "--json")
    result = json.loads(out)
    assert (code, result["holds"]) == (0, True)
    assert result["proved"]["purged_by_table"] == {"crm.lead": 6, "crm.person": 6}


def test_it_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    code = (
        "import sys; before = set(sys.modules); import verify_evidence;"
        "print(sorted({n.partition('.')[0] for n in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(ve.__file__).parent,
        env={"PYTHONPATH": str(Path(ve.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(done.stdout.replace("'", '"'))) <= {
        "verify_evidence",
        "cryptography",
        "_cffi_backend",
        "_openssl",
    }


def test_it_answers_whether_a_record_was_purged(folder: Path) -> None:
    def ask(key: str) -> str:
        code, out, _ = run(
            folder,
            *("report.json", "--key", "key", "--hmac-key", "hmac"),
            *("--record", "crm.lead", key),
        )
        assert code == 0
        return out.splitlines()[-1].strip()

    assert ask("2-purge-1") == "record: purged in batch 2"
    assert ask("1-minimise-0") == "record: minimised in batch 1"
    assert ask("17") == "record: not in this report"


def test_what_does_not_hold_is_named_in_one_line_each(folder: Path) -> None:
    code, out, err = run(folder, "forged", "--key", "key")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "the ledger does not hold",
        "flipped bit: entry 3: its body does not have its leaf hash",
    ]
    code, out, _ = run(folder, "forged", "--key", "key", "--json")
    assert code == 1
    assert json.loads(out)["failures"][0]["entry"] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("ledger",),
        ("nothing", "--key", "key"),
        (".", "--key", "key"),
        ("key", "--key", "key"),
        ("ledger", "--key", "nokey"),
        ("ledger", "--key", "x" * 5000),
        ("ledger", "--key", "ledger"),
        ("ledger", "--key", "key", "--since", "key"),
        ("ledger", "--key", "key", "--since", "nothing"),
        ("report.json", "--key", "key", "--record", "crm.lead", "1"),
        ("report.json", "--key", "key", "--hmac-key", "hmac"),
        ("report.json", "--key", "key", "--record", "crm.lead", "1", "--hmac-key", "key"),
        ("ledger", "--key", "key", "--record", "crm.lead", "1", "--hmac-key", "hmac"),
    ],
)
def test_wrong_usage_and_what_cannot_be_read_is_2(folder: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = run(folder, *arguments)
    assert code == 2
    assert len(out.splitlines()) == 1 or err.startswith("usage:")


def test_a_terminal_of_few_letters_is_written_to(folder: Path) -> None:
    story = Story()
    report = story.log.sign({**story.report(), "not_covered": ["Sikkerhetskopier på bånd"]})
    (folder / "norsk").write_text(json.dumps(report))
    done = subprocess.run(
        [sys.executable, "verify_evidence.py", "norsk", "--key", KEY],
        cwd=folder,
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("not covered: Sikkerhetskopier p? b?nd\n")


def test_nothing_of_a_damaged_hmac_key_is_shown(folder: Path) -> None:
    (folder / "damaged").write_bytes(b"geheim\xff" * 9)
    arguments = (
        "report.json",
        "--key",
        "key",
        "--record",
        "crm.lead",
        "1",
        "--hmac-key",
        "damaged",
    )
    code, out, err = run(folder, *arguments)
    assert code == 2
    assert "geheim" not in out + err
    assert "0xff" not in out + err


def test_a_forged_file_cannot_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "\x1b[2J\u202elogical\n0 findings"
    report = Story().log.sign({**Story().report(), "not_covered": [line]})
    (tmp_path / "evidence").write_text(json.dumps(report))
    assert ve.main([str(tmp_path / "evidence"), "--key", KEY]) == 0
    out = capsys.readouterr().out
    assert "  not covered: ?[2J?logical?0 findings\n" in out


FUZZED = settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def verdict(folder: Path, content: bytes) -> int:
    (folder / "fuzzed").write_bytes(content)
    return ve.main([str(folder / "fuzzed"), "--key", KEY])


@FUZZED
@given(st.binary())
@example(b'{"file":"ledger","version":1}')
@example(b'{"file":"ledger","version":1,"checkpoint":7}\n')
@example(b'{"file":"ledger","version":1,"checkpoint":"\\ud800"}\n')
@example(b'{"report":"deletion"}')
@example(b'{"report":"deletion","version":2}')
@example(b'{"report":["deletion"],"version":2}')
@example(b'{"file":{},"report":"deletion","version":true}')
@example(b"[" * 100_000)
@example(b'{"report":' * 50_000)
@example(b"9" * 100_000)
def test_any_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    assert verdict(tmp_path, content) in (1, 2)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@FUZZED
@given(st.data())
def test_a_signed_report_with_anything_anywhere_is_judged(
    tmp_path: Path, data: st.DataObject
) -> None:
    """What is signed reaches every check: none may stumble over a value of another type."""
    story = Story()
    report = story.report()
    holder = report
    while True:
        names = list(range(len(holder))) if isinstance(holder, list) else sorted(holder)
        name = data.draw(st.sampled_from(names))
        inner = holder[name]
        if not (isinstance(inner, dict | list) and inner) or data.draw(st.booleans()):
            break
        holder = inner
    holder[name] = data.draw(_JSON)
    try:
        content = json.dumps(story.log.sign(report))
    except ve.Unreadable:  # no signer can sign it
        content = json.dumps(report)
    assert verdict(tmp_path, content.encode()) in (0, 1, 2)


@FUZZED
@given(st.data())
def test_a_signed_entry_with_anything_in_it_is_judged(tmp_path: Path, data: st.DataObject) -> None:
    story = Story()
    index = data.draw(st.integers(0, len(story.log.bodies) - 1))
    content = json.loads(story.log.bodies[index])
    content[data.draw(st.sampled_from(sorted(content)))] = data.draw(_JSON)
    try:
        story.log.bodies[index] = ve.canonical(content)
    except ve.Unreadable:
        story.log.bodies[index] = json.dumps(content).encode()
    assert verdict(tmp_path, story.log.ledger()) in (0, 1)
    try:
        report = story.report()
    except (KeyError, TypeError, AttributeError, ValueError):
        return  # the builder of honest reports makes none of it
    assert verdict(tmp_path, json.dumps(report).encode()) in (0, 1, 2)


def test_a_report_of_10_000_tokens_takes_less_than_a_second(tmp_path: Path) -> None:
    story = Story(batches=5, purged=900, minimised=100)
    report = story.report()
    assert sum(len(group["tokens"]) for group in report["tokens"]) == 10_000
    (tmp_path / "evidence").write_text(json.dumps(report, indent=2))
    began = time.process_time()
    result = ve.verify(
        tmp_path / "evidence", [Signer().key], story.earlier, ("crm.lead", "5-purge-9", HMAC_KEY)
    )
    assert result.record == {"answer": "purged", "batch": 5}
    assert time.process_time() - began < 1
