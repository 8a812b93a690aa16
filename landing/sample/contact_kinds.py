"""The kinds of contact events the sample has, and which of them are contact in the policy's sense.

Belongs here: how the CRM writes each kind down. Does not belong here: when they happen. Whether one
counts is decided by the declaration of the table; `COUNTING` is what the stories rely on.
"""

from typing import NamedTuple


class ContactKind(NamedTuple):
    """The values of a contact event apart from whose it is and when."""

    channel: str
    direction: str
    outcome: str
    automated: bool
    purpose: str
    duration_seconds: int | None
    notes: str


KINDS: dict[str, ContactKind] = {
    "email": ContactKind(
        "email", "inbound", "received", False, "inquiry", None, "Spørsmål om samboeravtale"
    ),
    "call": ContactKind(
        "phone", "inbound", "answered", False, "inquiry", 412, "Ringte om boligkjøp"
    ),
    "video": ContactKind("video", "outbound", "held", False, "service", 1860, "Videomøte holdt"),
    "call_out": ContactKind(
        "phone", "outbound", "answered", False, "service", 95, "Fulgte opp henvendelse"
    ),
    "voicemail": ContactKind(
        "phone", "outbound", "voicemail", False, "service", 27, "La igjen beskjed på svarer"
    ),
    "unanswered": ContactKind("phone", "outbound", "missed", False, "service", 0, "Ikke svar"),
    "picked_up_and_hung_up": ContactKind(
        "phone", "outbound", "answered", False, "service", 0, "Lagt på med én gang"
    ),
    "video_cancelled": ContactKind(
        "video", "outbound", "cancelled", False, "service", None, "Møtet ble avlyst"
    ),
    "automated_mail": ContactKind(
        "email", "outbound", "sent", True, "service", None, "Velkomstmelding"
    ),
    "auto_reply": ContactKind(
        "email", "inbound", "received", True, "auto_reply", None, "Fraværsmelding"
    ),
    "automated_inbound": ContactKind(
        "email", "inbound", "received", True, "inquiry", None, "Skjema sendt av nettleserrobot"
    ),
    "mail_out": ContactKind("email", "outbound", "sent", False, "service", None, "Sendte brosjyre"),
    "rights_mail": ContactKind(
        "email", "inbound", "received", False, "rights_request", None, "Ber om sletting"
    ),
    "rights_call": ContactKind(
        "phone", "inbound", "answered", False, "rights_request", 230, "Ber om innsyn på telefon"
    ),
    "supplier_mail": ContactKind(
        "email", "inbound", "received", False, "supplier", None, "Tilbud fra leverandør"
    ),
    "bounce": ContactKind(
        "email", "inbound", "received", False, "bounce", None, "Kunne ikke leveres"
    ),
    "sms_in": ContactKind("sms", "inbound", "received", False, "inquiry", None, "Svarte på SMS"),
    "sms_out": ContactKind("sms", "outbound", "sent", True, "service", None, "Påminnelse"),
    "web": ContactKind("web", "inbound", "visited", False, "inquiry", None, "Leste artikkel"),
}
COUNTING = ("email", "call", "video", "call_out")
NOT_COUNTING = tuple(kind for kind in KINDS if kind not in COUNTING)
