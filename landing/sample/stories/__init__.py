"""The catalogue of cases: each story is a small life at fixed ids with its expected outcome.

Belongs here: the list. Does not belong here: the stories themselves (one module a subject) and the
unnamed many (`bulk`).

Story number k owns the persons k*10 … k*10 + 9; a row of person p has the ids p*100 … p*100 + 99.
So numbers are never reused. What a story expects holds for the shipped policy, with its example
approvals counting and no hold placed.
"""

from datetime import date

from landing.sample.scene import Told
from landing.sample.stories import (
    accounting,
    advice,
    consents,
    contacts,
    customers,
    errors,
    leads,
    month_ends,
    products,
    rights,
    sharing,
    undecided,
)
from landing.sample.stories.model import Story

STORIES: tuple[Story, ...] = tuple(
    sorted(
        (
            *leads.STORIES,
            *month_ends.STORIES,
            *contacts.STORIES,
            *customers.STORIES,
            *advice.STORIES,
            *undecided.STORIES,
            *products.STORIES,
            *accounting.STORIES,
            *sharing.STORIES,
            *rights.STORIES,
            *consents.STORIES,
            *errors.STORIES,
        ),
        key=lambda story: story.number,
    )
)
STORIES_BY_NAME: dict[str, Story] = {story.name: story for story in STORIES}

#: Tables whose key is itself personal: `retention.records` shows a salted hash of it, so a key in a
#: story's expectations must be hashed the same way before it is looked up.
TABLES_WITH_PERSONAL_KEYS = frozenset({"crm.marketing_objection"})


def tell_all(as_of: date, seed: int = 1, notice_days: int = 30) -> dict[str, Told]:
    """Every story's rows and expectations by its name."""
    return {story.name: story.tell(as_of, seed, notice_days) for story in STORIES}


__all__ = ["STORIES", "STORIES_BY_NAME", "TABLES_WITH_PERSONAL_KEYS", "Story", "Told", "tell_all"]
