"""The many people around the stories, made quickly: a random mixture of the same kinds of lives.

Belongs here: what comes out (`bulk_blocks`). Does not belong here: lives (`lives`), rows (`block`,
`money`, `traces`), and expectations: what the bulk's records are is for the classification to say.

People come in blocks of a thousand, each with its own random numbers from seed and block number.
So a sample of more people begins with the very rows of a smaller one.
"""

from collections.abc import Iterator
from datetime import date

from landing.sample.bulk.block import BLOCK_PEOPLE, Block
from landing.sample.bulk.columns import COLUMNS
from landing.sample.bulk.lives import live
from landing.sample.bulk.neighbours import add_neighbours


def bulk_blocks(people: int, seed: int, as_of: date) -> Iterator[dict[str, list[str]]]:
    """Yield, block by block, COPY lines for each table of `COLUMNS`."""
    for number in range((people + BLOCK_PEOPLE - 1) // BLOCK_PEOPLE):
        block = Block(number, seed, as_of)
        for person_id in block.person_ids(people):
            live(block, person_id)
        add_neighbours(block, min(BLOCK_PEOPLE, people - number * BLOCK_PEOPLE))
        yield block.finish()


__all__ = ["COLUMNS", "bulk_blocks"]
