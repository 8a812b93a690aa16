"""A record's key as text: the form in which it is stored, whoever types it.

Belongs here: the canonical form of a key that somebody gives. Does not belong here: finding a record by it,
and making keys, which the staging models do.
"""

import json


def canonical(key: str) -> str:
    """`key` in the form it is stored in: a composite one is a JSON array without spaces (RFC 8785), however
    the JSON was spaced. What is no JSON array is a key of one column and stays as it is."""
    if not key.lstrip().startswith("["):
        return key
    try:
        return json.dumps(json.loads(key), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return key
