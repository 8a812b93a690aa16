"""A time stamp of somebody else's on a checkpoint (RFC 3161), where one is wanted.

Belongs here: asking a time-stamping authority, and seeing that its answer is about what was asked. Does not
belong here: trusting the authority: whoever relies on the stamp checks it against the authority's
certificate (`openssl ts -verify`).

Our own time in a checkpoint is our word; the stamp is another's that the checkpoint existed by then.
"""

import urllib.error
import urllib.request

from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    decode_timestamp_response,
)

from retention.errors import WarehouseError
from retention.evidence.destination import checked_place

_PATIENCE_SECONDS = 20


def stamp(url: str, content: bytes) -> bytes:
    """Return the authority's answer (DER) for `content`, of which it sees the SHA-256 hash alone.

    Raises WarehouseError where it cannot be reached, refuses, or answers something else; UsageError for
    a URL that is none, or not https (loopback excepted).
    """
    checked_place("RETENTION_TIMESTAMP_URL", url)
    asked = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    request = urllib.request.Request(  # noqa: S310
        url,
        data=asked.as_bytes(),
        headers={"Content-Type": "application/timestamp-query"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as reply:  # noqa: S310
            answer: bytes = reply.read()
        found = decode_timestamp_response(answer)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise WarehouseError(f"{_UNSTAMPED} ({type(error).__name__})") from None
    if found.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
        raise WarehouseError(f"{_UNSTAMPED} (it refused)")
    told = found.tst_info
    if told.message_imprint.message != asked.message_imprint.message or told.nonce != asked.nonce:
        raise WarehouseError(f"{_UNSTAMPED} (it answered another question)")
    return answer


_UNSTAMPED = "the checkpoint has no time stamp: check RETENTION_TIMESTAMP_URL"
