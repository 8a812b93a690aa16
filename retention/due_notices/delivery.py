"""Handing one message over to one channel, quietly.

Belongs here: the library that knows the services, and keeping its words to itself: an address holds a
secret, and an error of a library or of a service may quote it. Does not belong here: whom to tell what.
"""

from __future__ import annotations

import logging
from typing import Literal

from retention.due_notices.channels import Channel

#: Why a channel did not take a message, as far as may be told.
Failure = Literal["address_not_understood", "not_taken", "broke_off"]

# They tell of addresses: the first in its errors, the others of each request. Those below them take
# their level.
_TALKATIVE = ("apprise", "urllib3", "requests")


def deliver(channel: Channel, title: str, body: str) -> Failure | None:
    """Hand a message over and wait until the service has taken it; the failure where it has not.

    Raises nothing that the library raises, and lets it say nothing.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    import apprise

    # No picture from outside in a message, nothing written beside it, and no other address followed.
    asset = apprise.AppriseAsset(
        app_id="sletteplikt",
        app_desc="sletteplikt",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    try:
        service = apprise.Apprise.instantiate(channel.address, asset=asset)
        if service is None:
            return "address_not_understood"
        taken = service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    except Exception:
        # Whatever it was, its words may hold the address: that it happened is what is kept.
        return "broke_off"
    return None if taken else "not_taken"
