"""How assignments, their documents and product orders look in the CRM.

Belongs here: versions of an assignment and what hangs on it. Does not belong here: persons
(`crm_rows`), contracts and payments of other systems (`connector_rows`).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from landing.sample import identity, names
from landing.sample.crm_rows import CrmRows, Person, moment
from landing.sample.dates import at, local_date
from landing.sample.scene import Ref, Value

#: Fivetran's end of a version that is still current.
FOREVER = datetime.fromisoformat("9999-12-31T23:59:59.999+00:00")
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Assignment:
    """An assignment of a story: its id and the rows of its versions, oldest first."""

    id: int
    rows: tuple[Ref, ...]


class CaseRows(CrmRows):
    """A scene that knows the whole CRM."""

    def assignment(
        self,
        person: Person,
        kind: str,
        state: str,
        opened: date,
        completed: date | datetime | None = None,
        *,
        acknowledged: date | None = None,
        title: str = "Rådgivning",
        reopened: bool = False,
        deleted: bool = False,
    ) -> Assignment:
        """An assignment in history mode: the version of the day it opened and, where it changed
        since, the current one. `reopened` puts a completed version in between."""
        assignment_id = self.next_id("crm.assignment", person.id)
        common: dict[str, Value] = {
            "id": assignment_id,
            "person_id": person.id,
            "type": kind,
            "title": title,
            "opened_at": at(opened),
            "_fivetran_deleted": deleted,
        }
        ended = moment(completed)
        now: dict[str, Value] = {
            "state": state,
            "completed_at": ended,
            "acknowledged_at": moment(acknowledged),
        }
        versions: list[tuple[datetime, dict[str, Value]]] = [(at(opened, "12:05"), now)]
        if state != "open":
            changed = min(local_date(ended or at(opened + MONTH)), self.as_of)
            versions = [(at(opened, "12:05"), {"state": "open"}), (at(changed, "12:10"), now)]
        elif reopened:
            closed: dict[str, Value] = {
                "state": "completed",
                "completed_at": at(opened + MONTH),
            }
            versions = [
                (at(opened, "12:05"), {"state": "open"}),
                (at(opened + MONTH, "12:10"), closed),
                (at(opened + 2 * MONTH, "12:10"), now),
            ]
        starts = [start for start, _ in versions]
        ends = [*(start - timedelta(milliseconds=1) for start in starts[1:]), FOREVER]
        rows = tuple(
            self.add(
                "crm.assignment",
                common
                | values
                | {
                    "_fivetran_start": start,
                    "_fivetran_end": end,
                    "_fivetran_active": end is FOREVER,
                },
            )
            for (start, values), end in zip(versions, ends, strict=True)
        )
        return Assignment(assignment_id, rows)

    def document(self, assignment: Assignment, created: date, third_person: str = "") -> Ref:
        """A document of an assignment; the file itself lies in another store."""
        document_id = assignment.id * 10 + self.next_id("crm.assignment_document", 0)
        return self.add(
            "crm.assignment_document",
            {
                "id": document_id,
                "assignment_id": assignment.id,
                "file_name": "avtale.pdf",
                "created_at": at(created),
                "object_url": f"s3://sample-documents/{document_id}.pdf",
                "third_person_name": third_person or None,
            },
        )

    def order(
        self, person: Person, kind: str, state: str, ordered: date, delivered: date | None = None
    ) -> Ref:
        """An order of a product that is made without an adviser."""
        return self.add(
            "crm.product_order",
            {
                "id": self.next_id("crm.product_order", person.id),
                "person_id": person.id,
                "product_type": kind,
                "state": state,
                "ordered_at": at(ordered),
                "delivered_at": moment(delivered),
                "product_input": identity.pick(names.FAMILY_SITUATIONS, self.random),
            },
        )
