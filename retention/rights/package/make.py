"""Making a package for a request: found, disclosed, gathered, looked at, encrypted, registered.

Belongs here: the order, and what is refused. Does not belong here: any of the steps.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from retention.declarations import Declarations, load_declarations
from retention.errors import Refused, UsageError
from retention.plan.landing_rights import without_rights
from retention.policy import Policy, in_force, load_versions
from retention.rights.find import Person, find_person
from retention.rights.model import Right
from retention.rights.package import review
from retention.rights.package.draft import Draft
from retention.rights.package.encrypt import encrypt, make_passphrase
from retention.rights.package.expiry import folder_of
from retention.rights.package.holdings import read_holdings
from retention.rights.package.portable import portable
from retention.rights.recipients import recipients_of
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.state import make_folder, write_private
from retention.warehouse.clock import today

Connection = psycopg.Connection[Any]

_COPIED = (Right.ACCESS, Right.PORTABILITY)


@dataclass(frozen=True)
class Made:
    """A package that was made. A draft has `to_review` cells that somebody must look at first; the
    passphrase is told once and kept nowhere."""

    path: Path
    passphrase: str = field(repr=False)
    right: Right
    is_draft: bool
    rows: int
    tables: int
    to_review: int
    withheld: int
    undecided: int
    partners: Mapping[str, int]
    expires_on: date


def make_package(
    settings: Settings,
    request_id: UUID,
    *,
    right: Right | None = None,
    reviewed: Path | None = None,
) -> Made:
    """Make the encrypted copy for a request, under the state folder, with mode 0600.

    Without `reviewed` it is a draft where something in it must be looked at; `reviewed` names the edited
    list out of that draft. § 8; GDPR art. 15 and 20. Raises UsageError for an unknown request, another
    right than these two, or a review that is none; Refused where the identity is not verified, the
    classification is not of today, landing may not be read, or something changed since the review.
    """
    with as_officer(settings, "making a package") as conn:
        right, token = _asked(conn, request_id, right)
        person = find_person(conn, settings, token)
        day = today(conn)
        if person.as_of != day:
            raise Refused(
                f"the classification is of {person.as_of}: what landed since would be missing;"
                " run `retention run` first"
            )
        declarations = load_declarations(settings.declarations_dir)
        _refuse_unreadable(conn, declarations, person)
        policy = in_force(load_versions(settings.policy_dir), day)
        disclosure = _disclose(conn, request_id, right, policy)
        # Others see it from here on, and nothing takes it back.
        conn.commit()
        holdings = read_holdings(conn, disclosure, person, declarations)
        conn.commit()
        recipients = recipients_of(conn, token)
        if right is Right.PORTABILITY:
            holdings = portable(holdings, policy, person.records)
        draft = Draft(policy, request_id, right, day, person, holdings, recipients)
        to_review: list[review.Flag] = []
        if reviewed is not None:
            draft.withhold(review.read_review(reviewed, holdings))
        else:
            salt = review.new_salt()
            to_review = review.flags(holdings, salt)
            if to_review:
                draft.extra[review.REVIEW] = review.as_document(to_review, salt).encode()
        passphrase = make_passphrase()
        path = _write(
            settings, conn, draft, disclosure, encrypt(draft.files(declarations), passphrase)
        )
    return Made(
        path=path,
        passphrase=passphrase,
        right=right,
        is_draft=draft.is_draft,
        rows=draft.rows,
        tables=len(draft.holdings),
        to_review=len(to_review),
        withheld=sum(one.cells for one in draft.withheld),
        undecided=len(person.undecided),
        partners=draft.partners,
        expires_on=draft.expires_on,
    )


def _asked(conn: Connection, request_id: UUID, right: Right | None) -> tuple[Right, UUID]:
    row = conn.execute(
        "select asserted, subject_token from ledger.requests where request_id = %s", (request_id,)
    ).fetchone()
    if row is None:
        raise UsageError("there is no such request: `retention request list` shows them")
    asserted, token = row
    found = right or (Right(asserted) if asserted else None)
    if found not in _COPIED:
        raise UsageError("a package is for access or portability: say which with --right")
    if token is None:
        raise Refused("it is not known whose the request is: `retention request identify` it first")
    return found, token


def _refuse_unreadable(conn: Connection, declarations: Declarations, person: Person) -> None:
    """A table that could not be read would be missing, and nobody would know."""
    held = {one.table for one in person.records if not one.is_processors}
    lacking = without_rights(conn, declarations, planning=False)
    unreadable = sorted(held & lacking.keys())
    if unreadable:
        raise Refused(f"{unreadable[0]} cannot be read for the copy: {lacking[unreadable[0]]}")


def _disclose(conn: Connection, request_id: UUID, right: Right, policy: Policy) -> UUID:
    row = conn.execute(
        "select ledger.disclose('package', %s, %s, %s)",
        (
            request_id,
            f"a copy for the person: {right.value}",
            policy.rights.locked_read_minutes.value,
        ),
    ).fetchone()
    assert row is not None
    written: UUID = row[0]
    return written


def _write(
    settings: Settings, conn: Connection, draft: Draft, disclosure: UUID, content: bytes
) -> Path:
    """The file first, then its registration: one that nobody registered expires by its age."""
    kind = "draft" if draft.is_draft else "copy"
    path = (
        make_folder(folder_of(settings)) / f"{kind}-{draft.request_id}-{secrets.token_hex(4)}.zip"
    )
    write_private(path, content)
    try:
        conn.execute(
            "select ledger.record_package(%s, %s, %s, %s, %s, %s)",
            (
                disclosure,
                path.name,
                hashlib.sha256(content).hexdigest(),
                draft.rows,
                sum(one.cells for one in draft.withheld),
                draft.expires_on,
            ),
        )
        conn.commit()
    except BaseException:
        path.unlink()
        raise
    return path
