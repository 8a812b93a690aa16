"""The privacy policy as code: one YAML file a version, checked, hashed, turned into seeds for dbt.

Belongs here: everything read from `policy/`. Does not belong here: which tables hold what (the
declarations) and which records a rule covers (SQL).
"""

from retention.policy.clauses import RuleClause, rule_clause, rule_clauses
from retention.policy.load import load_policy
from retention.policy.model import Policy
from retention.policy.periods import Period, parse_period
from retention.policy.seeds import write_seeds
from retention.policy.versions import in_force, load_versions

__all__ = [
    "Period",
    "Policy",
    "RuleClause",
    "in_force",
    "load_policy",
    "load_versions",
    "parse_period",
    "rule_clause",
    "rule_clauses",
    "write_seeds",
]
