"""What goes into one package, before it is encrypted.

Belongs here: putting the parts together. Does not belong here: any part's form, and writing anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from retention.declarations import Declarations
from retention.policy import Policy
from retention.rights.find import Person
from retention.rights.model import Right
from retention.rights.package import files as made_files
from retention.rights.package import review
from retention.rights.package.holdings import Holding, processed_for_partners
from retention.rights.package.letter import letters
from retention.rights.recipients import RecipientOf


class Draft:
    """The content of a package. `withheld` is what a person decided to leave out, `extra` files besides."""

    def __init__(
        self, policy: Policy, request_id: UUID, right: Right, on: date, person: Person,
        holdings: Sequence[Holding],
        recipients: Sequence[RecipientOf],
    ) -> None:  # fmt: skip
        self.policy, self.request_id, self.right, self.on = policy, request_id, right, on
        self.person, self.holdings, self.recipients = person, tuple(holdings), recipients
        self.expires_on = on + timedelta(days=policy.rights.package_days.value)
        self.partners = processed_for_partners(person.records)
        self.withheld: tuple[review.Withheld, ...] = ()
        self.extra: dict[str, bytes] = {}

    @property
    def is_draft(self) -> bool:
        return review.REVIEW in self.extra

    @property
    def rows(self) -> int:
        return sum(len(holding.rows) for holding in self.holdings)

    def withhold(self, cells: frozenset[review.Cell]) -> None:
        self.holdings, self.withheld = review.withhold(self.holdings, cells)

    def files(self, declarations: Declarations) -> dict[str, bytes]:
        """Every file of the package by its name in it."""
        not_searched = {
            name: why
            for name, why in self.person.not_searched.items()
            if not ((table := declarations.table(name)) and table.exempt)
        }
        files = letters(
            policy=self.policy,
            reference=str(self.request_id),
            on=self.on,
            holdings=self.holdings,
            recipients=self.recipients,
            partners=self.partners,
            right=self.right.value,
            as_of=self.person.as_of,
            withheld=self.withheld,
            mark=review.WITHHELD,
            undecided=len(self.person.undecided),
            not_searched=list(not_searched),
            expires_on=self.expires_on,
        )
        files |= made_files.data_files(self.holdings)
        about = {
            "right": self.right.value,
            "is_draft": self.is_draft,
            "request": self.request_id,
            "controller": self.policy.controller.model_dump(),
            "made_on": self.on,
            "expires_on": self.expires_on,
            "as_of": self.person.as_of,
            "policy_version": self.person.policy_version,
            "data_subjects": self.person.subjects,
            "left_out": {
                "processed_for_partners": self.partners,
                "undecided_whose": len(self.person.undecided),
                "withheld": [vars(one) for one in self.withheld],
                "not_searched": not_searched,
            },
        }
        return {
            **files,
            **self.extra,
            made_files.MANIFEST: made_files.manifest(about, self.holdings, files),
        }
