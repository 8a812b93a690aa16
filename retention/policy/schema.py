"""The JSON Schema of a policy file, for editors and for other tools.

Belongs here: making and writing the schema (`python -m retention.policy.schema`). Does not belong
here: validation, which the models do; the schema says less than they check.
"""

import json
from pathlib import Path
from typing import Any

from retention.policy.model import Policy
from retention.settings import load_settings

SCHEMA_NAME = "policy.schema.json"


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every policy file satisfies."""
    schema = Policy.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def export_schema(directory: Path) -> Path:
    """Write the schema into `directory`, beside the policies. Returns its path."""
    path = directory / SCHEMA_NAME
    content = json.dumps(policy_schema(), indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(content + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    print(export_schema(load_settings().policy_dir))
