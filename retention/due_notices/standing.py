"""Whether owners are told: who is reached by no channel, and which channel does not take what it is given.

Belongs here: the findings of it. Does not belong here: sending anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from retention.declarations import Declarations
from retention.due_notices.channels import DEFAULT, load_channels
from retention.due_notices.ledger import owners
from retention.errors import UsageError
from retention.findings import Finding

Connection = psycopg.Connection[Any]

# Of each owner and channel what came after the last notice that was taken.
_FAILING = """
select owner, channel, count(*), sletteplikt.local_date(min(begun_at)),
    ledger.today() - sletteplikt.local_date(min(begun_at))
from ledger.due_notices as notices
where state = 'failed' and begun_at > coalesce((
    select max(taken.begun_at) from ledger.due_notices as taken
    where taken.owner = notices.owner and taken.channel = notices.channel and taken.state = 'sent'
), '-infinity')
group by owner, channel order by owner, channel
"""


def findings(
    conn: Connection, declarations: Declarations, env: Mapping[str, str] = os.environ
) -> Iterator[Finding]:
    """A finding per owner of governed tables whom no channel reaches, and one per channel that fails; none
    where no file of channels is named."""
    try:
        channels = load_channels(env)
    except UsageError as error:
        yield Finding("notice_channels_unusable", f"nobody is told what falls due: {error}")
        return
    if not channels.is_configured:
        return
    named = owners(declarations)
    for owner, tables in named.items():
        if not channels.reaching(owner):
            whom = owner or "nobody in the declarations"
            yield Finding(
                "owner_without_channel",
                f"{whom} owns {len(tables)} tables and is not told what falls due in them: name a channel"
                f" for that owner, or one under {DEFAULT}",
            )
    for owner, channel, tries, since, days in conn.execute(_FAILING).fetchall():
        # One that was taken out of the file fails nobody.
        if owner in named and channel in {one.name for one in channels.reaching(owner)}:
            yield Finding(
                "notice_channel_failing",
                f"{channel} has taken no notice for {owner or DEFAULT} since {since} ({days} days, {tries}"
                " tries): see `retention notices test`",
            )
