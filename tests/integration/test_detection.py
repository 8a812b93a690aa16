"""The scan for personal data: what columns seem to hold, from counts that the database returns.

Belongs here: made-up columns whose values and names are known. Does not belong here: the checksums one by
one (test_detection_checksums.py), what becomes of a scan's outcome (test_detection_findings.py), and how
well it does on the labelled set.
"""

import json
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from retention.detection.model import Detection
from retention.detection.names import words_of
from retention.detection.scan import detect
from retention.errors import WarehouseError
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import EXAMINER

Connection = psycopg.Connection[Any]

ROWS = 300

#: Values that the columns of `made` hold, by an expression over the row's number `i`.
PERSONAL = {
    "email": ("email", "'kunde' || i || '@eksempel.no'"),
    "shown_email": ("email", "'Kunde Nr <kunde' || i || '@eksempel.no>'"),
    "e164": ("phone", "'+479' || lpad((i * 7919 % 10000000)::text, 7, '0')"),
    "spaced": ("phone", "'9' || lpad((i % 100)::text, 2, '0') || ' 12 ' || lpad(i::text, 3, '0')"),
    "prefixed": ("phone", "'00474' || lpad((i * 7919 % 10000000)::text, 7, '0')"),
    "bare_mobile": (
        "phone",
        "(array['4', '9'])[1 + i % 2] || lpad((i * 7919 % 10000000)::text, 7, '0')",
    ),
    "iban": ("account_number", "'NO9386011117947'"),
    "masked": ("account_number", "'**** **** **** ' || lpad(i::text, 4, '0')"),
    "ipv4": ("ip", "'10.' || i % 200 || '.7.' || i % 99"),
    "ipv6": ("ip", "'2001:db8::' || to_hex(i)"),
    "inet": ("ip", "('10.0.0.' || i % 250)::inet"),
    "person": ("name", "(array['Kari', 'Ola', 'Ahmed'])[1 + i % 3] || ' Fjell' || chr(97 + i % 20)"),
    "turned": ("name", "'Fjell' || chr(97 + i % 20) || ', ' || (array['Kari', 'Ola', 'Ahmed'])[1 + i % 3]"),
    "street": ("address", "'Storgata ' || i % 90"),
    "foreign_street": ("address", "i || ' Elm Street'"),
    "object": ("object_pointer", "'s3://samtaler/' || i || '.mp3'"),
    "told_email": ("free_text", "'Hun skrev fra kunde' || i || '@eksempel.no i går, og venter'"),
    "told_phone": ("free_text", "'Ring tilbake på 912 34 ' || lpad(i::text, 3, '0') || ' etter kl. 12'"),
    "rarely": ("free_text", "case when i = 7 then 'skriv til a@x.no' else 'alt er avtalt' end"),
}  # fmt: skip

#: What looks like something and is not.
HARMLESS = {
    "id": "i",
    "eight_digits": "10000000 + i",
    "eight_of_one_series": "(90000000 + i)::text",
    "eleven_digits": "lpad((i::bigint * 12345678917 % 99999999977)::text, 11, '0')",
    "sixteen_digits": "lpad((i::bigint * 1234567891234567 % 9999999999999937)::text, 16, '4')",
    "day": "to_char(date '2020-01-01' + i, 'YYYYMMDD')",
    "moment": "(timestamptz '2020-01-01' + i * interval '1 hour')::text",
    "real_moment": "timestamptz '2020-01-01' + i * interval '1 hour'",
    "truth": "i % 2 = 0",
    "uuid": "md5(i::text)::uuid::text",
    "state": "(array['active', 'ended', 'open'])[1 + i % 3]",
    "amount": "i * 1.25",
    "epoch": "1600000000 + i * 86400",
    "token": "'in_' || md5(i::text)",
    "page": "'https://eksempel.no/side/' || i",
    "version": "'10.' || i % 9 || '.0.' || i % 7",
    "plan": "(array['Gold Plan', 'Basic Plan', 'Annual Plan', 'Legal Help'])[1 + i % 4]",
    "sentence": "'Avtalen er sendt og alt er i orden, se sak ' || i",
    "time_of_day": "'12:30:' || lpad((i % 60)::text, 2, '0')",
}


@pytest.fixture
def made(conn: Connection) -> Connection:
    """A table of thing-like name whose columns' names say nothing of their values."""
    columns = {**{name: expression for name, (_, expression) in PERSONAL.items()}, **HARMLESS}
    listed = ", ".join(f"{expression} as {_hidden(name)}" for name, expression in columns.items())
    conn.execute("create schema made")
    conn.execute(
        f"create table made.numbers as select {listed} from generate_series(1, {ROWS}) as i"
    )
    conn.commit()
    return conn


def _hidden(name: str) -> str:
    names = [*PERSONAL, *HARMLESS]
    # The version's name is what tells it from an address.
    return "version" if name == "version" else f"c{names.index(name):02}"


def scanned(
    conn: Connection, table: str, columns: Sequence[str], **options: Any
) -> list[Detection]:
    schema, name = table.split(".")
    return list(detect(conn, [(schema, name, column) for column in columns], **options))


@pytest.mark.parametrize("name", PERSONAL)
def test_values_speak_whatever_the_column_is_called(made: Connection, name: str) -> None:
    (found,) = scanned(made, "made.numbers", [_hidden(name)])
    assert found.kind == PERSONAL[name][0]
    assert found.sampled == ROWS
    assert found.is_likely
    assert found.found[0].basis == "value"


def test_look_alikes_are_nothing(made: Connection) -> None:
    found = scanned(made, "made.numbers", [_hidden(name) for name in HARMLESS])
    assert {n: d.found for n, d in zip(HARMLESS, found, strict=True)} == dict.fromkeys(HARMLESS, ())


def _numbers(conn: Connection, condition: str) -> str:
    """A table of eleven-digit numbers that a function of ours accepts, made by trying."""
    conn.execute(
        "create schema if not exists made; drop table if exists made.elevens;"
        " create table made.elevens as select digits as c00, digits::bigint as c01 from ("
        "  select lpad(day::text, 2, '0') || lpad(month::text, 2, '0') || '85' || lpad(n::text, 5, '0')"
        "  as digits from generate_series(1, 28) as day, generate_series(1, 12) as month,"
        "  generate_series(10000, 49999, 97) as n order by md5(day::text || month || n) limit 60000"
        f" ) as tried where {condition}; analyze made.elevens"
    )
    conn.commit()
    return "made.elevens"


def test_national_ids_and_accounts_are_told_apart_by_their_share(conn: Connection) -> None:
    table = _numbers(conn, "sletteplikt.national_id(digits) = 'fodselsnummer'")
    text, number = scanned(conn, table, ["c00", "c01"])
    assert (text.kind, text.found[0].pattern) == ("national_id", "fodselsnummer")
    # Kept as a number, those of the first nine days lose their leading nought.
    assert number.kind == "national_id"
    # Of account numbers whose first six digits are days, more than by chance are possible national ids.
    table = _numbers(
        conn,
        "sletteplikt.is_bank_account(digits) and sletteplikt.control_sum_1(digits::bigint) > 2",
    )
    (account,) = scanned(conn, table, ["c00"])
    assert account.kind == "account_number"
    # All of them could be days of birth; without the checksums they are numbers.
    table = _numbers(conn, "true")
    assert [one.found for one in scanned(conn, table, ["c00"])] == [()]


def test_names_are_read_in_their_table(conn: Connection) -> None:
    conn.execute(
        "create schema made;"
        " create table made.product (name text, description text, city text);"
        " create table made.customer (name text, navn text, fornavn text, postnummer text, city text,"
        '  "billingAddress2" text, email_verified boolean, phone_number_id text, gender text,'
        "  fodselsdato date, created_at timestamptz, session_id uuid, name_count int);"
        " create table made.plan (name text, email text);"
        " insert into made.product values ('Testament', 'Et dokument som gjelder', 'Oslo');"
    )
    personal = [
        "name", "navn", "fornavn", "postnummer", "city", "billingAddress2", "gender", "fodselsdato",
        "session_id",
    ]  # fmt: skip
    others = ["email_verified", "phone_number_id", "created_at", "name_count"]
    kinds = [one.kind for one in scanned(conn, "made.customer", personal + others)]
    assert kinds == ["name"] * 3 + ["address"] * 3 + ["other", "other", "online_id"] + [None] * 4
    things = scanned(conn, "made.product", ["name", "description", "city"])
    assert [one.kind for one in things] == [None] * 3
    # A contact point is somebody's wherever it lies.
    assert [one.kind for one in scanned(conn, "made.plan", ["name", "email"])] == [None, "email"]


def test_a_name_yields_to_values_that_speak_against_it(conn: Connection) -> None:
    conn.execute(
        "create schema made; create table made.customer as select 'status_' || i as email,"
        " 'in_' || md5(i::text) as phone, i as fornavn, 'kunde' || i || '@eksempel.no' as telefon"
        " from generate_series(1, 50) as i"
    )
    found = scanned(conn, "made.customer", ["phone", "fornavn", "telefon"])
    assert [one.kind for one in found] == [None, None, "email"]


def test_documents_are_judged_by_their_fields(conn: Connection) -> None:
    conn.execute(
        "create schema made; create table made.event as select"
        " jsonb_build_object('customerEmail', 'k' || i || '@eksempel.no', 'n', i) as a,"
        " jsonb_build_object('deep', jsonb_build_array("
        " jsonb_build_object('phoneNumber', '+4791234' || 100 + i))) as b,"
        " jsonb_build_object('k' || i || '@eksempel.no', true) as by_key,"
        " json_build_object('amount', i, 'state', 'open')::json as c,"
        ' \'{"fornavn": "Kari", "x": \' || i || \'}\' as d,'
        " '{not json ' || i as e"
        " from generate_series(1, 60) as i"
    )
    found = scanned(conn, "made.event", ["a", "b", "by_key", "c", "d", "e"])
    assert [one.kind for one in found] == ["email", "phone", "email", None, "name", None]
    assert {one.sampled for one in found} == {60}
    assert all(each.pattern == "json" for one in found for each in one.found)


def test_the_database_reads_names_as_we_do(conn: Connection) -> None:
    names = ["billingAddress2", "E-post", "fødselsDato", "ÅrsLønn", "customer.Phone Number", "_id_"]
    rows = conn.execute(
        "select sletteplikt.words_of(name) from unnest(%s::text[]) as name", (names,)
    )
    assert [row[0] for row in rows] == [words_of(name) for name in names]


def test_a_large_table_is_sampled_and_a_late_column_still_found(conn: Connection) -> None:
    conn.execute(
        "create schema made; create table made.large as select 'k' || i || '@eksempel.no' as c00,"
        " case when i > 59990 then 'k' || i || '@eksempel.no' end as c01, null::text as c02"
        " from generate_series(1, 60000) as i; analyze made.large;"
        " create view made.shown as select * from made.large"
    )
    first, late, empty = scanned(conn, "made.large", ["c00", "c01", "c02"], sample_rows=1000)
    assert 500 <= first.sampled <= 1000
    assert (late.kind, late.sampled) == ("email", 10)
    assert (empty.kind, empty.sampled) == (None, 0)
    # A view cannot be sampled by blocks.
    (shown,) = scanned(conn, "made.shown", ["c00"], sample_rows=1000)
    assert (shown.kind, shown.sampled) == ("email", 1000)
    # The same blocks each time.
    assert scanned(conn, "made.large", ["c00"], sample_rows=1000)[0] == first


def test_another_servers_table_is_judged_by_name_unless_asked_for(conn: Connection) -> None:
    conn.execute(
        "create schema made; create foreign data wrapper nowhere; create server away"
        " foreign data wrapper nowhere; create foreign table made.far (email text, c00 text) server away"
    )
    email, other = scanned(conn, "made.far", ["email", "c00"])
    assert (email.kind, email.sampled, email.unread) == ("email", 0, "foreign table")
    assert other.found == ()
    # Asked for, its rows are read; this wrapper cannot.
    (email,) = scanned(conn, "made.far", ["email"], foreign=True)
    assert email.unread is not None
    assert email.unread.startswith("the database reported")


def test_it_reads_only_and_leaves_the_session_as_it_was(
    made: Connection, settings: Settings
) -> None:
    columns = [("made", "numbers", _hidden("email")), ("made", "gone", "email")]
    with connect(settings, role=EXAMINER, read_only=True) as examiner:
        email, gone = detect(examiner, columns)
        assert (email.kind, gone.kind, gone.unread) == ("email", "email", "absent")
    timeout = made.execute("show statement_timeout").fetchone()
    detect(made, columns)
    assert made.execute("show statement_timeout").fetchone() == timeout
    assert made.execute("show transaction_read_only").fetchone() == ("off",)


def test_it_cannot_write(conn: Connection) -> None:
    """A view that writes when it is read is refused by the transaction, whoever reads."""
    conn.execute(
        "create schema made; create table made.written (note text);"
        " create function made.write() returns text language sql as"
        " $$ insert into made.written values ('x') returning note $$;"
        " create view made.trap as select made.write() as c00"
    )
    conn.commit()
    (trapped,) = scanned(conn, "made.trap", ["c00"])
    assert trapped.unread == "the database reported ReadOnlySqlTransaction"
    assert conn.execute("select count(*) from made.written").fetchone() == (0,)


def test_one_table_that_fails_does_not_keep_the_others_from_being_read(made: Connection) -> None:
    made.execute("create view made.failing as select c00::int as phone from made.numbers")
    failing, email = detect(
        made, [("made", "failing", "phone"), ("made", "numbers", _hidden("email"))]
    )
    assert failing.unread == "the database reported InvalidTextRepresentation"
    assert (failing.sampled, failing.kind, failing.found[0].basis) == (0, "phone", "name")
    assert (email.sampled, email.unread) == (ROWS, None)


def test_no_value_leaves_the_database(conn: Connection, caplog: pytest.LogCaptureFixture) -> None:
    """Canaries in values, in keys of documents and in what an error quotes."""
    canary = "kanari7261"
    conn.execute(
        f"create schema made; create table made.person as"
        f" select '{canary}' || i || '@eksempel.no' as email,"
        f" 'Kari {canary}' as navn,"
        f" jsonb_build_object('{canary}', i, '{canary}epost', '{canary}@x.no') as doc,"
        f" '{canary} ' || i as note from generate_series(1, 40) as i;"
        " create view made.failing as select note::int as note from made.person"
    )
    received: list[str] = []
    conn.add_notice_handler(lambda notice: received.append(str(notice.message_primary)))
    cursors: list[Any] = []

    class Watching(psycopg.Cursor[Any]):
        def fetchall(self) -> list[Any]:
            rows = super().fetchall()
            cursors.extend(rows)
            return rows

    conn.cursor_factory = Watching
    found = scanned(conn, "made.person", ["email", "navn", "doc", "note"])
    found += scanned(conn, "made.failing", ["note"])
    assert [one.kind for one in found[:3]] == ["email", "name", "email"]
    assert cursors
    for text in (repr(found), repr(cursors), repr(received), caplog.text):
        assert canary not in text


def test_an_error_of_the_scan_itself_quotes_nothing(conn: Connection) -> None:
    conn.execute("create schema made; create table made.person (email text)")
    conn.execute("drop function sletteplikt.value_mark(text)")
    (found,) = scanned(conn, "made.person", ["email"])
    assert found.unread == "the database reported UndefinedFunction"
    conn.commit()
    conn.close()
    with pytest.raises(WarehouseError, match="lost while the scan for personal data"):
        scanned(conn, "made.person", ["email"])


def test_a_scan_is_plain_data(made: Connection) -> None:
    """Words and counts that JSON can hold, for the command and the ledger."""
    from dataclasses import asdict

    (found,) = scanned(made, "made.numbers", [_hidden("email")])
    assert json.loads(json.dumps(asdict(found)))["found"] == [
        {
            "kind": "email",
            "pattern": "email",
            "confidence": "high",
            "basis": "value",
            "matched": ROWS,
        }
    ]
