"""Rows that belong to no person's life: partners, and Fivetran's own log.

Belongs here: what every sample has, whatever its size. Does not belong here: people.
"""

from datetime import date, datetime, timedelta

from landing.sample.dates import at
from landing.sample.scene import Value
from landing.sample.tables import SCHEMAS

Rows = dict[str, list[dict[str, Value]]]

#: Partner ids; the stories and the bulk refer to them. (name, union, instruction, its period)
PARTNERS: dict[int, tuple[str, bool, str | None, str | None]] = {
    1: ("Fjellheim Bank (eksempel)", False, None, None),
    2: ("Nordlys Forsikring (eksempel)", False, None, None),
    3: ("Eksempelforbundet", True, None, None),
    4: ("Byggkjeden Eksempel", False, None, None),
    5: ("Advokatpartner Havgløtt (eksempel)", False, "DBA-2023-05", "P6M"),
    6: ("Advokatkontor Uten Avtale (eksempel)", False, None, None),
    7: ("Fagforbundet Eksempel Nord", True, None, None),
    8: ("Eiendomsmegler Eksempel", False, "DBA-2024-02", "P1Y"),
}
#: Partners that hand leads over to us, and those we refer people to.
SENDING, REFERRED_TO = (1, 2, 3, 4, 7, 8), (5, 6, 8)

_DAYS_LOGGED = 14


def reference_rows(as_of: date) -> Rows:
    """Partners, and a log in which every connector synced last night; one, of a system that no
    longer lands here, began a sync nine days ago and never ended it."""
    synced = at(as_of, "01:15")
    rows: Rows = {"crm.partner": [], "fivetran_log.connection": [], "fivetran_log.log": []}
    for partner_id, (name, is_union, instruction, period) in PARTNERS.items():
        rows["crm.partner"].append(
            {
                "id": partner_id,
                "name": name,
                "is_union": is_union,
                "instruction_id": instruction,
                "instruction_period": period,
                "_fivetran_deleted": False,
                "_fivetran_synced": synced,
            }
        )
    connectors = [schema for schema in SCHEMAS if schema != "fivetran_log"]
    for number, name in enumerate([*connectors, "helpdesk_legacy"]):
        rows["fivetran_log.connection"].append(
            {
                "connection_id": f"con_{name}",
                "_fivetran_synced": synced,
                "connecting_user_id": "sample_user",
                "connection_name": name,
                "connector_type": "heroku_postgres" if name == "crm" else name,
                "destination_id": "sample_warehouse",
                "paused": False,
                "signed_up": at(as_of - timedelta(days=900 + number)),
                "_fivetran_deleted": False,
            }
        )
        for age in range(_DAYS_LOGGED, -1, -1):
            night = at(as_of - timedelta(days=age), "00:30") + timedelta(minutes=3 * number)
            stale = name == "helpdesk_legacy"
            if stale and age < 9:
                break
            rows["fivetran_log.log"].append(_entry(name, night, "sync_start", synced))
            if not (stale and age == 9):
                end = night + timedelta(minutes=2)
                rows["fivetran_log.log"].append(_entry(name, end, "sync_end", synced))
    return rows


def _entry(connection: str, when: datetime, event: str, synced: datetime) -> dict[str, Value]:
    sync = f"{connection}-{when:%Y%m%d}"
    return {
        "id": f"{sync}-{event}",
        "time_stamp": when,
        "_fivetran_synced": synced,
        "connection_id": f"con_{connection}",
        "event": "INFO",
        "message_data": '{"status":"SUCCESSFUL"}' if event == "sync_end" else None,
        "message_event": event,
        "sync_id": sync,
    }
