"""Erasure on request (§ 8, GDPR art. 17): decided per record, carried out by the purge, told in a letter.

Belongs here: everything from the decision to the letter. Does not belong here: the register itself
(`retention.rights.register`), whose records they are (`find`), and how a record is deleted
(`retention.purge`). Which record is erased, locked or refused, the database says (`propose_erasures`).
"""

from retention.rights.erasure.carry_out import CarriedOut, carry_out, settle
from retention.rights.erasure.decide import (
    Counted,
    Decided,
    decide,
    decide_record,
    decided,
    propose,
)
from retention.rights.erasure.letter import letter, write

__all__ = [
    "CarriedOut",
    "Counted",
    "Decided",
    "carry_out",
    "decide",
    "decide_record",
    "decided",
    "letter",
    "propose",
    "settle",
    "write",
]
