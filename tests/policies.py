"""Policy files for tests: the shipped one, edited.

Belongs here: making a policy file in a folder. Does not belong here: what a valid policy is.
"""

from pathlib import Path

from retention.policy import Policy, load_policy
from retention.settings import load_settings

SHIPPED = load_settings({}).policy_dir / "lexly-2023-01-12.yaml"

_APPROVED = "{state: approved, by: The controller's lawyer, on: 2023-01-10, source: memo 1/2023}"


def shipped_text() -> str:
    """The shipped policy file as text."""
    return SHIPPED.read_text(encoding="utf-8")


def edited_text(*edits: tuple[str, str], text: str | None = None) -> str:
    """The shipped text with the first occurrence of each old text replaced by the new one."""
    text = shipped_text() if text is None else text
    for old, new in edits:
        assert old in text, f"the policy file no longer contains {old!r}"
        text = text.replace(old, new, 1)
    return text


def write_policy(directory: Path, text: str, name: str = "policy-under-test.yaml") -> Path:
    """Write `text` as a policy file into `directory`, which is made, and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def approved_text() -> str:
    """The shipped text, every example approval made a real one; what nobody decided stays so."""
    return shipped_text().replace("{state: example}", _APPROVED)


def approved_policy(directory: Path) -> Policy:
    """A policy in `directory` that may purge real data: point RETENTION_POLICY_DIR there."""
    return load_policy(write_policy(directory, approved_text()))
