"""Gone is gone: what stands in the server's files before and after a compaction, byte by byte.

Belongs here: canaries in every column type, in TOAST, indexes, statistics, copies and the ledger's own
tables; a purge by the real way; a stopped server whose files are searched. Does not belong here: who may
compact and when (test_erasure.py), and logs and reports beyond the server's own folder.

The write-ahead log is left out, as the deletion report says; everything else below the server's folder is
searched, its own log too.
"""

import secrets
import string
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from retention.erasure.compaction import compact
from retention.erasure.level import level_reached
from retention.purge import execute
from retention.settings import Settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop, open_shop

pytestmark = pytest.mark.integration

PURGED, KEPT = range(1, 31), range(101, 131)
CONTACTS_EACH = 8

#: What PostgreSQL's compression leaves whole of a value that it has never seen: between two control bytes
#: stand eight bytes as they were.
WINDOW = 8

#: Column types of shop.contact beyond the declared ones, with how a canary is written in them.
COLUMNS = {
    "c_varchar": ("varchar(200)", "'{c} varchar'"),
    "c_char": ("char(80)", "'{c} char'"),
    "c_json": ("json", """'{{"said": "{c} json"}}'"""),
    "c_jsonb": ("jsonb", """jsonb_build_object('{c}jsonb', array['{c} in jsonb'])"""),
    "c_array": ("text[]", "array['{c} array', null, 'x']"),
    "c_bytea": ("bytea", "convert_to('{c} bytea', 'UTF8')"),
    "c_tsvector": ("tsvector", "to_tsvector('simple', '{c} tsvector')"),
    "c_number": ("text", "'{c}' || 1234567.89::numeric"),
    "c_date": ("text", "'{c}' || '1970-01-02'::date"),
    "c_old_target": ("text", "'{c} no longer analysed'"),
    # Compressed inside the row, and as chunks in TOAST; not compressed, and as chunks in TOAST.
    "c_compressed": ("text", "repeat('a', 3000) || '{c}' || repeat('b', 3000)"),
    "c_toasted": ("text", "{noise} || repeat('a', 9000) || '{c}' || {noise}"),
    "c_external": ("text", "repeat('a', 5000) || '{c}' || repeat('b', 5000)"),
    "c_large_jsonb": ("jsonb", "jsonb_build_object('k', {noise} || '{c}' || {noise})"),
}
#: Types that a server may lack.
OPTIONAL = {
    "c_xml": ("xml", "'<said>{c}</said>'"),
    "c_hstore": ("hstore", "hstore('k', '{c} hstore')"),
}
NOISE = (
    "(select string_agg(encode(sha256(format('%s.%s.%s', n, i, j)::bytea), 'base64'), '')"
    " from generate_series(1, 60) as j)"
)

SET_UP = """
alter table shop.contact alter column c_external set storage external;
create index contact_btree on shop.contact (notes, c_varchar);
create index contact_lower on shop.contact (lower(notes));
create index contact_covering on shop.contact (id) include (c_char);
create index contact_gin_jsonb on shop.contact using gin (c_jsonb);
create index contact_gin_words on shop.contact using gin (c_tsvector);
create index contact_gin_array on shop.contact using gin (c_array);
create index contact_brin on shop.contact using brin (c_varchar);
create statistics shop.contact_pairs (mcv) on notes, c_varchar from shop.contact;
create statistics shop.contact_words on lower(c_char), upper(notes) from shop.contact;
alter table shop.objection add column said text;
create statistics shop.objection_pairs (mcv) on email, said from shop.objection;
"""

#: Where the canaries must have been found before the compaction, or the search looks in the wrong place.
PLACES = (
    "shop.contact", "shop.contact_btree", "shop.contact_lower", "shop.contact_covering",
    "shop.contact_gin_jsonb", "shop.contact_gin_words", "shop.contact_gin_array", "shop.contact_brin",
    "shop.visit", "shop.visit_pkey", "shop.objection", "shop.objection_pkey", "shop.charge",
    "analytics.said", "staging.stg_shop__visit", "intermediate.int_record_cases", "retention.records",
    "ledger.plan_items", "ledger.review_decisions", "pg_catalog.pg_statistic",
    "pg_catalog.pg_statistic_ext_data",
)  # fmt: skip


@pytest.fixture
def stem() -> tuple[str, str]:
    """What every canary of a purged record begins with, and of a kept one. A lexeme keeps it whole."""
    letters = string.ascii_lowercase + string.digits
    purged, kept = ("q" + "".join(secrets.choice(letters) for _ in range(23)) for _ in range(2))
    return purged, kept


@pytest.fixture
def planted(own_server: Settings, tmp_path: Path, stem: tuple[str, str]) -> Iterator[Shop]:
    """A warehouse on a server of its own: canaries in the rows of overdue persons and of others, and in
    every trace that a database keeps of them."""
    # Vacuuming in between would decide by chance what is still there before the compaction.
    embedded.start(own_server, extra={"fsync": "off", "autovacuum": "off"})
    with connect(own_server) as conn:
        migrate(conn)
    shop = open_shop(own_server, embedded.approver_url(own_server), tmp_path / "shop")
    _land(shop, *stem)
    model = Model("said", "select id, notes, c_varchar from shop.contact")
    shop.classify()
    shop.conn.execute(
        "insert into ledger.review_decisions (source_schema, source_table, record_key, decision, reason)"
        " select 'shop', 'visit', record_key, 'purge', 'x' from staging.stg_shop__visit"
    )
    build(shop.conn, [model])
    write_manifest(shop.settings, [model])
    shop.conn.execute("select brin_summarize_new_values('shop.contact_brin')")
    shop.conn.execute("analyze")
    shop.conn.execute("alter table shop.contact alter column c_old_target set statistics 0")
    shop.conn.commit()
    yield shop
    shop.conn.close()


def _land(shop: Shop, purged: str, kept: str) -> None:
    columns = COLUMNS | {name: kind for name, kind in OPTIONAL.items() if _has(shop, kind[0])}
    for name, (kind, _) in columns.items():
        shop.conn.execute(f"alter table shop.contact add column {name} {kind}".encode())
    shop.conn.execute(SET_UP.encode())
    shop.conn.commit()
    listed = ", ".join(f"{name}: free_text" for name in ("notes", *columns))
    shop.redeclare("personal: {notes: free_text}", f"personal: {{{listed}}}")
    shop.redeclare(
        "objection: {email: [email]},\n          personal: {email: email}",
        "objection: {email: [email]},\n          personal: {email: email, said: free_text}",
    )
    for persons, canary in ((PURGED, purged), (KEPT, kept)):
        for number in persons:
            shop.buyer(number, overdue=persons is PURGED)
            shop.add("visit", person_id=number, page=f"{canary} page")
        values = ", ".join(
            expression.format(c=canary, noise=NOISE) for _, expression in columns.values()
        )
        # The same words in many rows, and others in each: common values and a histogram.
        shop.conn.execute(
            f"insert into shop.contact (id, person_id, kind, occurred_at, notes, {', '.join(columns)})"
            f" select 1000 * n + i, n, 'call', '2020-05-04', case when i < 5 then '{canary} often'"
            f" else '{canary}' || n || i end, {values}"
            f" from generate_series({persons[0]}, {persons[-1]}) as n,"
            f" generate_series(1, {CONTACTS_EACH}) as i".encode()
        )
        shop.conn.execute(
            f"update shop.charge set note = '{canary} note', receipt_email = '{canary}@shop.example'"
            f" where substr(id, 4)::int between {persons[0]} and {persons[-1]}".encode()
        )
    # A table whose rows all go: nothing renews its statistics.
    for number in range(5):
        email = f"{purged}{number}@shop.example"
        shop.add("objection", email=email, said=f"{purged} said")
        key = shop.one("select sletteplikt.link_hash('key', %s)", email)
        shop.judge("objection", key, "overdue")
    shop.conn.commit()


def _has(shop: Shop, kind: str) -> bool:
    try:
        if kind == "hstore":
            shop.conn.execute("create extension hstore")
        shop.conn.execute(f"select '<a/>'::{kind}" if kind == "xml" else "select 1")  # type: ignore[arg-type]
    except psycopg.Error:
        shop.conn.rollback()
        return False
    shop.conn.commit()
    return True


def test_no_file_holds_what_was_purged_once_its_tables_were_rewritten(
    planted: Shop, stem: tuple[str, str]
) -> None:
    purged, kept = stem
    before = {row for row in planted.rows() if purged not in row}
    plan = planted.approve(planted.plan())
    done = execute(planted.settings, plan.plan_id)
    assert done.purged > len(PURGED) * CONTACTS_EACH
    assert done.minimised == len(PURGED)
    assert not done.skipped
    # Seen by no query: level logical.
    rows = planted.rows()
    assert not any(purged in row for row in rows)
    assert {row for row in before if kept in row} <= rows

    places = {place: _files(planted, place) for place in PLACES}
    assert level_reached(planted.conn, plan.plan_id).level == "logical"
    planted.conn.close()
    found = _search(planted.settings, purged)
    missing = [place for place, files in places.items() if not files & found]
    assert missing == [], f"the search does not find what is there: {missing}"

    planted.conn = connect(planted.settings)
    done = compact(planted.settings)
    assert done.left == ()
    assert level_reached(planted.conn, plan.plan_id).level == "physical"
    assert planted.rows() == rows
    places = {place: _files(planted, place) for place in ("shop.contact", "analytics.said")}
    planted.conn.close()
    assert _search(planted.settings, purged) == set()
    left = _search(planted.settings, kept)
    assert all(files & left for files in places.values())


def _files(shop: Shop, relation: str) -> set[Path]:
    """The files of a relation and of its TOAST."""
    row = shop.conn.execute(
        "select pg_relation_filepath(c.oid), pg_relation_filepath(nullif(c.reltoastrelid, 0))"
        " from pg_class as c where c.oid = %s::regclass",
        (relation,),
    ).fetchone()
    shop.conn.commit()
    assert row is not None
    return {Path(path) for path in row if path}


def _search(settings: Settings, stem: str) -> set[Path]:
    """Stop the server and return the files below its folder that hold a part of the canary."""
    embedded.stop(settings)
    home = embedded.files(settings)
    assert home is not None
    windows = [stem[at : at + WINDOW].encode() for at in range(len(stem) - WINDOW + 1)]
    windows += [window.upper() for window in windows]
    found = set()
    looked_at = 0
    for path in home.rglob("*"):
        if not path.is_file() or path.is_symlink() or "pg_wal" in path.parts:
            continue
        if "postgresql-" in str(path.relative_to(home)):
            continue
        looked_at += 1
        content = path.read_bytes()
        if any(window in content for window in windows):
            inside = path.relative_to(home)
            found.add(Path(*inside.parts[1:]) if inside.parts[0] == "data" else inside)
    assert looked_at > 500
    return found
