"""Which policy version is in force on a day (§ 11: a new version governs all data already held).

Belongs here: reading all versions of a folder, choosing one. Does not belong here: reading one file
(`load`), and whether a day may be asked about at all, which the command decides.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from retention.errors import UsageError
from retention.policy.load import load_policy, policy_error
from retention.policy.model import Policy
from retention.policy.yaml_lines import Problem, read_yaml_bytes


def load_versions(directory: Path) -> list[Policy]:
    """Every policy version in `directory` (`*.yaml`), in the order they take effect.

    Raises UsageError for a folder without any, for a file that does not validate, and for two files
    with one version name or one effective date: nobody could say which of them holds.
    """
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        raise UsageError(
            f"no policy version in {directory}: put one there (*.yaml) or set RETENTION_POLICY_DIR"
        )
    policies: list[Policy] = []
    for path in paths:
        policy = load_policy(path)
        for other in policies:
            for key in ("version", "effective_from"):
                if getattr(policy, key) == getattr(other, key):
                    raise _same(path, key, other)
        policies.append(policy)
    return sorted(policies, key=lambda policy: policy.effective_from)


def in_force(versions: Sequence[Policy], as_of: date) -> Policy:
    """The version in force on `as_of`: the latest that had taken effect by then.

    Raises UsageError for a day before the first version.
    """
    if not versions:
        raise UsageError("no policy version is loaded: nothing says how long data may be kept")
    started = [policy for policy in versions if policy.effective_from <= as_of]
    if not started:
        first = min(versions, key=lambda policy: policy.effective_from)
        raise UsageError(
            f"no policy was in force on {as_of}: the first, {first.version}, applies from"
            f" {first.effective_from}; choose an as-of date from then on"
        )
    return max(started, key=lambda policy: policy.effective_from)


def _same(path: Path, key: str, other: Policy) -> UsageError:
    _, lines = read_yaml_bytes(path.read_bytes())
    where = other.path.name if other.path else other.version
    return policy_error(
        path, Problem(lines.nearest((key,)), f"{key} is also that of {where}: give each its own")
    )
