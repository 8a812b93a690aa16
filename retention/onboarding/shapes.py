"""What names tell of a table that no connector is known for: what its rows may be, which column dates them.

Belongs here: patterns of names, in English and Norwegian, and their order. Does not belong here: counting
anything (`measure`), and what is known of a connector (`connectors`). A name alone is low confidence.
"""

import re
from collections.abc import Iterable

from retention.onboarding.catalogue import Column, Table
from retention.onboarding.connectors import RowsAre

# The first that fits, by whole words of the table's name, decides.
_TABLES: tuple[tuple[RowsAre, str], ...] = (
    ("part", r"line|lines|item|items|linje|linjer"),
    (
        "document",
        r"invoice|invoices|charge|charges|payment|payments|refund|refunds|receipt|receipts|journal|"
        r"journals|transaction|transactions|voucher|vouchers|credit_note|faktura|fakturaer|bilag|betaling",
    ),
    (
        "contact",
        r"call|calls|email|emails|mail|mails|conversation|conversations|meeting|meetings|ticket|tickets|"
        r"chat|chats|inquiry|inquiries|samtale|samtaler|henvendelse|henvendelser",
    ),
    ("message", r"message|messages|sms|notification|notifications|melding|meldinger|varsel"),
    (
        "agreement",
        r"subscription|subscriptions|contract|contracts|assignment|assignments|order|orders|project|"
        r"projects|case|cases|oppdrag|avtale|avtaler|ordre|sak|saker",
    ),
    ("visit", r"session|sessions|visit|visits|pageview|pageviews|login|logins|besok"),
    ("staff", r"employee|employees|staff|supplier_contact|agent|agents|ansatt|ansatte"),
    (
        "customers",
        r"customer|customers|person|persons|people|contact|contacts|client|clients|member|members|user|"
        r"users|subscriber|subscribers|lead|leads|patient|patients|kunde|kunder|bruker|brukere|medlem",
    ),
)

# What dates the event itself, the best first; a load or a change of the row is none.
_TIMES = (
    r"(occurred|started|start_time|happened|received|sent|called|paid|charged|issued|completed)(_at|_on)?",
    r"(start|event|sent|received|document|invoice|journal|posting|order|transaction|payment)_?"
    r"(date|time|at|on)",
    r"(opprettet|mottatt|sendt|registrert|dato)(_dato|_tid)?",
    r"(created|registered|recorded|joined|given|collected|opened)(_at|_on|_date|_time|_date_utc)?",
    r"date|timestamp|time|datetime",
    r"start|begin",
)
_NO_EVENT = re.compile(
    r"_fivetran_.*|.*(update|updated|modified|changed|synced|sync|loaded|last_|latest|due|expected|planned|"
    r"expire|expires|expiry|until|deadline|next|birth|foedt|fodt|valid|review|deleted|archived|trial|end|"
    r"endret|forfall).*"
)
_TIME_NAME = re.compile(
    r"(.*_)?(at|on|date|time|timestamp|utc|start|end|created|updated|datetime|day|sent|dato|tid|start_time)"
    r"(_utc)?|date_.*"
)
_ENDED = re.compile(
    r"(completed|closed|ended|delivered|finished|cancell?ed|terminated|avsluttet)(_at|_on|_date|_dato)?"
)
_PERSON_STEMS = frozenset(
    [
        "person",
        "customer",
        "contact",
        "client",
        "member",
        "user",
        "subscriber",
        "patient",
        "lead",
        "kunde",
        "bruker",
        "medlem",
        "buyer",
        "caller",
        "sender",
        "recipient",
        "owner",
    ]
)
_LINK = re.compile(r"(.+)_(id|sid|uuid|guid|key|no|nr)")
# Names whose values are codes and settings, not words about somebody.
_CODES = re.compile(
    r"(is|has|can|was|should)_.*|.*_?(status|state|type|kind|code|currency|mode|method|origin|category|class|"
    r"unit|direction|channel|locale|language|timezone|version|format|level|plan|brand|enabled|disabled|"
    r"count|amount|total|price|rate|quantity|number_of.*|livemode|object|source_type|usecase|"
    r"percent|sku|vat|tax|tax_name|account_name|"
    r"(invoice|order|journal|receipt|document|line|serial|batch|sequence|voucher)_number)"
)
_FREE_TEXT = re.compile(
    r".*(description|note|notes|comment|comments|body|subject|memo|reference|title|remark|message|metadata|"
    r"text|content|reason|payload|annotation|beskrivelse|merknad|notat|kommentar|tekst|emne).*"
)


def rows_by_name(table: Table) -> RowsAre | None:
    """What the rows may be, by the table's name; the last words weigh most."""
    words = table.name
    for rows, pattern in _TABLES:
        if re.search(rf"(^|_)({pattern})$", words):
            return rows
    return next((r for r, pattern in _TABLES if re.search(rf"(^|_)({pattern})(_|$)", words)), None)


def event_times(columns: Iterable[Column]) -> list[str]:
    """The columns that may say when the event happened, by name and type, the most likely first."""
    found = [
        (place, column.name)
        for column in columns
        if not column.is_system and not _NO_EVENT.fullmatch(column.name)
        for place in [_place(column)]
        if place is not None
    ]
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]


def may_be_time(column: Column) -> bool:
    """True where a column holds times by type, or text that is named like one."""
    return column.is_time or (column.is_text and bool(_TIME_NAME.fullmatch(column.name)))


def states(columns: Iterable[Column]) -> str | None:
    """The column that says in which state an agreement is."""
    named = {column.name for column in columns}
    return next((name for name in ("state", "status", "stage", "tilstand") if name in named), None)


def ended(columns: Iterable[Column]) -> str | None:
    """The column that says when an agreement came to its end."""
    return next((c.name for c in columns if _ENDED.fullmatch(c.name)), None)


def deleted(columns: Iterable[Column]) -> str | None:
    """The column by which the source says that a row is deleted, beside the connector's own."""
    flags = (c.name for c in columns if c.type == "boolean")
    return next((name for name in flags if name in ("is_deleted", "deleted", "isdeleted")), None)


def link_stem(column: str) -> str | None:
    """What a column points to, by its name: `customer` of `customer_id`; None where it names no pointer."""
    match = _LINK.fullmatch(column)
    return match[1] if match else None


def names_a_person(stem: str) -> bool:
    """True where a pointer's stem is a word for a person."""
    return stem in _PERSON_STEMS


def names_table(stem: str, table: str) -> bool:
    """True where `stem` names `table`, in one number or the other."""
    return stem in {table, table.removesuffix("s"), table.removesuffix("es"), f"{table}s"}


def is_code(column: Column) -> bool:
    """True where a column's values are numbers, flags, days or codes by type and name."""
    if not column.is_text:
        return not column.type.endswith("[]")
    return bool(_CODES.fullmatch(column.name)) or column.name == "id"


def is_free_text(column: Column) -> bool:
    """True where a column's name promises words somebody wrote."""
    return column.is_text and bool(_FREE_TEXT.fullmatch(column.name))


def _place(column: Column) -> int | None:
    for place, pattern in enumerate(_TIMES):
        if re.fullmatch(pattern, column.name):
            return place
    return len(_TIMES) if column.is_time else None
