"""What a story is, and the decorator that makes one of a function.

Belongs here: the type. Does not belong here: any case.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from landing.sample.connector_rows import ConnectorRows
from landing.sample.scene import Told

PERSONS_PER_STORY = 10
LAST_STORY = 99

Telling = Callable[[ConnectorRows], None]


@dataclass(frozen=True)
class Story:
    """A named case: its number, the ids of its persons, the case in words, and its rows."""

    number: int
    name: str
    persons: tuple[int, ...]
    case: str
    telling: Telling

    def tell(self, as_of: date, seed: int = 1, notice_days: int = 30) -> Told:
        """The rows and what is expected of them. `notice_days` are the policy's due_soon days:
        they decide only rows whose date is absolute. Between 10 and 90 nothing else depends on
        it."""
        scene = ConnectorRows(as_of, seed, self.number * PERSONS_PER_STORY, notice_days)
        self.telling(scene)
        return scene.told()


def catalogue(stories: list[Story]) -> Callable[..., Callable[[Telling], Story]]:
    """A decorator that adds each story to `stories`: `@story(7)` or `@story(7, persons=3)`."""

    def story(number: int, *, persons: int = 1) -> Callable[[Telling], Story]:
        if not 1 <= number <= LAST_STORY or not 0 <= persons <= PERSONS_PER_STORY:
            raise ValueError(f"story {number}: number or persons out of range")

        def make(telling: Telling) -> Story:
            first = number * PERSONS_PER_STORY
            made = Story(
                number=number,
                name=telling.__name__,
                persons=tuple(range(first, first + persons)),
                case=inspect.getdoc(telling) or "",
                telling=telling,
            )
            stories.append(made)
            return made

        return make

    return story
