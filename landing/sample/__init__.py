"""The sample warehouse: made-up but believable Norwegian data in Fivetran's shape.

Belongs here: the tables (`tables`), the named cases with their expected outcome (`stories`), the
many people around them (`bulk`) and the loading (`load`). Does not belong here: reading exported
files, and anything that decides what a record's category or due date is.

The same people, seed and as-of date give the same rows, byte for byte.
"""

from landing.sample.load import SampleSummary, land_sample

__all__ = ["SampleSummary", "land_sample"]
