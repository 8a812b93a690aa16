"""A thousand people's rows as COPY text, written with as little work per row as Python allows.

Belongs here: ids, dates, and the lines of the CRM's tables. Does not belong here: the other systems
(`money`, `traces`), and what happens to whom (`lives`).

Lines are put together as text at once: every value made here is free of tabs, line ends and
backslashes, so nothing needs escaping. `\\N` is COPY's null. Days are ages: 0 is the as-of date.
"""

from datetime import date, timedelta
from functools import lru_cache
from random import Random

from landing.sample import identity, names
from landing.sample.bulk.columns import COLUMNS
from landing.sample.contact_kinds import COUNTING, KINDS, NOT_COUNTING
from landing.sample.identity import Identity, make_identity, pick, spell_email, spell_phone
from landing.sample.reference import SENDING

BLOCK_PEOPLE = 1000
FIRST_PERSON = 1000
NULL = "\\N"
#: No table has this many rows for a thousand people, so ids of different blocks never meet.
IDS_PER_BLOCK = 100_000
_FIRST_ID = 1_000_000
_OLDEST_AGE, _FUTURE_DAYS = 12_000, 60
FOREVER = "9999-12-31 23:59:59.999+00"

# Office hours lie on the same date in Oslo and in UTC, all year round; other times may not.
_OFFICE = tuple(f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}+00" for s in range(21600, 68400))
_ANY = tuple(f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}+00" for s in range(86400))
_CONTACTS = {
    kind: "\t".join(
        NULL
        if value is None
        else ("t" if value else "f")
        if isinstance(value, bool)
        else str(value)
        for value in values
    )
    for kind, values in KINDS.items()
}


@lru_cache(maxsize=2)
def _days(as_of: date) -> tuple[str, ...]:
    ages = range(-_FUTURE_DAYS, _OLDEST_AGE)
    return tuple(f"{(as_of - timedelta(days=age)).isoformat()} " for age in ages)


class Block:
    """The rows of one thousand people."""

    def __init__(self, number: int, seed: int, as_of: date) -> None:
        self.number = number
        self.random = Random(f"{seed}/block/{number}").random  # noqa: S311 (must repeat)
        self.lines: dict[str, list[str]] = {table: [] for table in COLUMNS}
        self._first_id = _FIRST_ID + number * IDS_PER_BLOCK
        self._days = _days(as_of)
        self.synced = f"{self._days[_FUTURE_DAYS]}00:15:00+00"
        self.crm_end = f"\tf\t{self.synced}\n"

    def person_ids(self, people: int) -> range:
        """The ids of this block's persons, of `people` in all."""
        first = FIRST_PERSON + self.number * BLOCK_PEOPLE
        return range(first, min(first + BLOCK_PEOPLE, FIRST_PERSON + people))

    def finish(self) -> dict[str, list[str]]:
        """The lines by table. Raises OverflowError where ids would meet the next block's."""
        if max(map(len, self.lines.values())) > IDS_PER_BLOCK:
            raise OverflowError("a block of the sample has more rows in a table than it has ids")
        return self.lines

    def next_id(self, table: str) -> int:
        """The id of the line that is about to be added."""
        return self._first_id + len(self.lines[table])

    def between(self, newest: int, oldest: int) -> int:
        """An age in days: from `newest` to `oldest`, both included."""
        return newest + int(self.random() * (max(oldest, newest) - newest + 1))

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random() < share

    def day(self, age: int) -> str:
        """A date."""
        return self._days[age + _FUTURE_DAYS].rstrip()

    def office(self, age: int) -> str:
        """An instant in office hours."""
        return self._days[age + _FUTURE_DAYS] + _OFFICE[int(self.random() * 46800)]

    def any_time(self, age: int) -> str:
        """An instant at any hour, so that the local date may be the next one."""
        return self._days[max(age, 1) + _FUTURE_DAYS] + _ANY[int(self.random() * 86400)]

    def _end(self) -> str:
        """Fivetran's columns: two rows in a hundred are deleted at the source."""
        return self.crm_end if self.random() > 0.02 else f"\tt\t{self.synced}\n"

    def person(
        self, person_id: int, age: int, *, via_partner: bool = False, created: str | None = None
    ) -> Identity:
        """Register a person; `created` states the timestamp as text where it is no plain age."""
        random = self.random
        who = make_identity(person_id, random)
        if random() < 0.004 and person_id % BLOCK_PEOPLE:
            # Two of a household with one address; which two does not matter.
            who = Identity(who.first_name, who.last_name, self._shared_email, who.phone)
        self._shared_email = who.email
        rest = f"{NULL}\t{NULL}\t{NULL}\t{NULL}\t{NULL}\tt\tpartner"
        national_id = NULL
        if not via_partner:
            national_id = identity.national_id(random)
            details = f"{NULL}\t{NULL}\t{NULL}"
            if random() < 0.4:
                details = (
                    f"{pick(names.FAMILY_SITUATIONS, random)}\t{pick(names.HOUSING_TYPES, random)}"
                    f"\t{identity.account_number(random)}"
                )
            rest = f"{identity.ip_address(random)}\t{identity.address(random)}\t{details}\tf\tweb"
        self.lines["crm.person"].append(
            f"{person_id}\t{created or self.any_time(age)}\t{who.first_name}\t{who.last_name}"
            f"\t{national_id}\t{spell_email(who.email, random)}"
            f"\t{spell_phone(who.phone, random)}\t{rest}{self._end()}"
        )
        return who

    _shared_email = ""

    def lead(self, person_id: int, who: Identity, age: int, partner: int | None) -> None:
        """A lead of a partner, or a direct one."""
        lines, random = self.lines["crm.lead"], self.random
        lines.append(
            f"{self._first_id + len(lines)}\t{person_id}\t{partner or NULL}\t{self.any_time(age)}"
            f"\t{who.name}\t{spell_email(who.email, random)}\t{spell_phone(who.phone, random)}"
            f"\t{'medlemsfordel' if partner else 'gratis-samtale'}{self._end()}"
        )

    def partner(self) -> int:
        """A partner that hands leads over to us."""
        return pick(SENDING, self.random)

    def contact(self, person_id: int, age: int, kind: str | None = None) -> int:
        """A contact event, by default of a kind that counts; returns its id."""
        lines = self.lines["crm.contact_event"]
        contact_id = self._first_id + len(lines)
        kind = kind or pick(COUNTING, self.random)
        lines.append(
            f"{contact_id}\t{person_id}\t{self.office(age)}\t{_CONTACTS[kind]}{self._end()}"
        )
        return contact_id

    def noise(self, person_id: int, most: int, newest: int, oldest: int) -> None:
        """Up to `most` events that are no contact in the policy's sense."""
        for _ in range(int(self.random() * (most + 1))):
            self.contact(person_id, self.between(newest, oldest), pick(NOT_COUNTING, self.random))

    def assignment(
        self,
        person_id: int,
        kind: str,
        state: str,
        opened: int,
        ended: int | None = None,
        acknowledged: int | None = None,
    ) -> int:
        """An assignment in one to three versions; returns its id. `ended` None: no date is
        known."""
        assignment_id = self.next_id("crm.assignment")
        opened_at = self.office(opened)
        changed = 0 if state == "open" else max(opened - 9 if ended is None else ended, 0)
        was_open = f"\t{opened_at}\t{NULL}\t{NULL}"
        versions = [(opened_at, f"open\tNy sak{was_open}")]
        if opened - changed > 2 and self.random() < 0.4:
            half_way = self.office(changed + (opened - changed) // 2)
            versions.append((half_way, f"open\tRådgivning{was_open}"))
        if state != "open":
            ended_at = NULL if ended is None else self.office(ended)
            confirmed_at = NULL if acknowledged is None else self.office(acknowledged)
            now = f"{state}\tRådgivning\t{opened_at}\t{ended_at}\t{confirmed_at}"
            if changed < opened:
                versions.append((self.office(changed), now))
            else:
                versions = [(opened_at, now)]
        starts = [start for start, _ in versions]
        lines = self.lines["crm.assignment"]
        for (start, values), end in zip(versions, [*starts[1:], FOREVER], strict=True):
            active = "t" if end is FOREVER else "f"
            lines.append(
                f"{assignment_id}\t{person_id}\t{kind}\t{values}"
                f"\t{start}\t{end}\t{active}{self.crm_end}"
            )
        return assignment_id

    def document(self, assignment_id: int, age: int) -> None:
        """A document of an assignment; now and then it names a third person."""
        document_id = self.next_id("crm.assignment_document")
        third = pick(names.LAST, self.random) if self.random() < 0.3 else ""
        self.lines["crm.assignment_document"].append(
            f"{document_id}\t{assignment_id}\tavtale-{document_id}.pdf\t{self.office(age)}"
            f"\ts3://sample-documents/{document_id}.pdf"
            f"\t{f'Ola {third}' if third else NULL}{self.crm_end}"
        )
