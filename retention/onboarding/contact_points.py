"""How the rows of a table find their data subject by an e-mail address or a phone number.

Belongs here: which columns hold contact points, and how many rows have one of a declared person's. Does not
belong here: links by key (`links`).
"""

from retention.detection.model import Confidence
from retention.onboarding import measure
from retention.onboarding.catalogue import Connection
from retention.onboarding.model import Because, Link
from retention.onboarding.targets import MOST, Landed, Target


def link_by_contact_point(
    conn: Connection, one: Landed, declared: list[Target], present: frozenset[str]
) -> Link | None:
    """By e-mail or phone, to the first declared table of persons that has such columns itself."""
    points = contact_points(one)
    persons = [t for t in declared if t.link == "self" and t.contact_points]
    if (
        not points
        or not persons
        or (one.known and one.known.rows in ("staff", "nobody", "document"))
    ):
        return None
    best: Link | None = None
    for target in persons:
        # Only what both have can match; an address book of phones says nothing to one of e-mails.
        kinds = {kind for kind, _ in target.contact_points}
        shared = {kind: names for kind, names in points.items() if kind in kinds}
        if not shared:
            continue
        if target.qualified not in present:
            why = f"by address or number; {target.qualified} has not landed, so nothing could be tried"
            best = best or Link("contact_point", shared, target.qualified, Because("low", why))
            continue
        listed = [(kind, name) for kind, names in shared.items() for name in names]
        share = measure.matching_contact_points(
            conn, one.table, listed, target.relation, target.contact_points
        )
        if share and share.hits:
            why = f"{share.hits} of {share.of} rows tried have an address or number of {target.qualified}"
            sure: Confidence = "high" if share.share >= MOST else "medium"
            return Link("contact_point", shared, target.qualified, Because(sure, why))
        best = best or Link(
            "contact_point",
            shared,
            target.qualified,
            Because(
                "low", f"none of the rows tried has an address or number of {target.qualified}"
            ),
        )
    return best


def contact_points(one: Landed) -> dict[str, tuple[str, ...]]:
    """The columns with e-mail addresses and phone numbers, by kind: as the connector is known to have them,
    else as the scan found them."""
    if one.known and (one.known.email or one.known.phone):
        return {k: v for k, v in (("email", one.known.email), ("phone", one.known.phone)) if v}
    found: dict[str, list[str]] = {}
    for column, detection in one.detections.items():
        first = detection.found[0] if detection.found else None
        if first is None or first.kind not in ("email", "phone") or first.confidence == "low":
            continue
        # A second writing of a number that is there already finds nobody else.
        if not column.endswith("_formatted"):
            found.setdefault(first.kind, []).append(column)
    return {kind: tuple(names) for kind, names in found.items()}
