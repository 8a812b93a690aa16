"""What our codes are called, in English; the catalog has each in Norwegian, under its kind.

Belongs here: a word for every code that people are shown, by kind, in a module for each subject. Does not
belong here: sentences, and what only the policy can say (its own catalog stands beside it).

One English word may be two in Norwegian: each word is translated under its kind.
"""

from collections.abc import Mapping

from retention.language.reasons import REASONS
from retention.language.words import columns, deeds, persons, records, standing

WORDS: Mapping[str, Mapping[str, str]] = {
    **records.WORDS,
    **deeds.WORDS,
    **standing.WORDS,
    **persons.WORDS,
    **columns.WORDS,
    # What the engine gives as its reasons; the text is the code.
    "reason": REASONS,
}
