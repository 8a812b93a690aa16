"""The books of a plan: what lay in landing when it was frozen, and what must add up whatever happened.

Belongs here: promise 9 for each table, rows and evidence in step, and the rows outside the plan, each
asked of the tables themselves. Does not belong here: what happened to the purge.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import sql

from retention import verify
from retention.ledger import entries
from retention.plan import Plan
from tests.factories import Shop

#: How the rows of a table are told by the key of an item, where the key is not the column `id` alone.
_SAME_KEY: dict[str, LiteralString] = {
    "assignment": "landed.id = (items.record_key::jsonb ->> 0)::bigint"
    " and landed._fivetran_start = (items.record_key::jsonb ->> 1)::timestamptz",
    "visit": "landed.person_id = (items.record_key::jsonb ->> 0)::bigint"
    " and landed.visited_at = (items.record_key::jsonb ->> 1)::timestamptz"
    " and landed.page = items.record_key::jsonb ->> 2",
    "objection": "landed.email = items.record_key",
}


@dataclass
class Books:
    """`previous` rows by table, the text of the rows `outside` the plan, the case of each row in it;
    `landed`, `resurrected` and `removed` are written by whoever changes landing meanwhile."""

    shop: Shop
    plan: Plan
    previous: Counter[str]
    outside: frozenset[str]
    planned: dict[str, str]
    landed: Counter[str] = field(default_factory=Counter)
    resurrected: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    checked: int = 0

    def check(self) -> None:
        """Compare landing with the evidence, table by table, and the rows outside with themselves."""
        rows, current = _rows(self.shop)
        purged = self._counted(
            "select source_table, count(*) from ledger.plan_items"
            " where plan_id = %(plan)s and state = 'purged' group by 1"
        )
        buried = self._counted(
            "select source_table, count(*) from ledger.tombstones"
            " where plan_id = %(plan)s group by 1"
        )
        proven = self._proven()
        assert purged == buried == proven, "rows without evidence, or evidence without rows"
        for table in self.previous | current | self.landed:
            expected = (
                self.previous[table]
                + self.landed[table]
                + self.resurrected[table]
                - purged[table]
                - self.removed[table]
            )
            assert current[table] == expected, f"the books of {table} do not add up"
        assert _hash(rows & self.outside) == _hash(self.outside), "a row outside the plan changed"
        self.checked += len(rows)

    def check_whole_cases(self) -> None:
        """Where nothing raced: every case is there as it was, or gone; nothing else is there, and what
        is there is what the summary shows, over all statuses."""
        rows, current = _rows(self.shop)
        assert +current == self._counted(
            "select source_table, sum(records)::bigint from retention.summary group by 1"
        ), "the summary is wrong"
        assert rows <= self.outside | self.planned.keys(), "a row changed"
        there = {case for row, case in self.planned.items() if row in rows}
        gone = {case for row, case in self.planned.items() if row not in rows}
        assert not there & gone, "a case was split"

    def check_end(self) -> None:
        """The plan was carried out: each batch once, and nothing that was purged can be read back."""
        self.check()
        shop, plan = self.shop, self.plan.plan_id
        batches = [e.content["batch_no"] for e in entries.of_plan(shop.conn, plan, "batch")]
        assert batches == sorted(set(batches)), "a batch is doubled"
        assert len(entries.of_plan(shop.conn, plan, "executed")) == 1
        shop.conn.commit()
        assert verify.read_back(shop.settings, plan).findings == ()

    def _counted(self, query: LiteralString) -> Counter[str]:
        """A number for each table; the query may ask for the plan, as %(plan)s."""
        rows = self.shop.conn.execute(query, {"plan": self.plan.plan_id}).fetchall()
        self.shop.conn.commit()
        return Counter(dict(rows))

    def _proven(self) -> Counter[str]:
        proven: Counter[str] = Counter()
        for entry in entries.of_plan(self.shop.conn, self.plan.plan_id, "batch"):
            tables: list[dict[str, Any]] = entry.content["tables"]
            proven.update({t["table"].removeprefix("shop."): t["purged"] for t in tables})
        self.shop.conn.commit()
        return +proven


def open_books(shop: Shop, plan: Plan) -> Books:
    """Note what lies in landing now, before anything of `plan` was carried out."""
    rows, previous = _rows(shop)
    planned: dict[str, str] = {}
    for table in shop.declarations.staged:
        found = shop.conn.execute(
            sql.SQL(
                "select landed::text, items.case_id from {} as landed join ledger.plan_items as items"
                " on items.plan_id = %s and items.source_table = %s and {}"
            ).format(
                sql.Identifier("shop", table.name),
                sql.SQL(_SAME_KEY.get(table.name, "landed.id::text = items.record_key")),
            ),
            (plan.plan_id, table.name),
        ).fetchall()
        planned |= {table.name + text: case for text, case in found}
    shop.conn.commit()
    assert len(planned) == plan.items
    return Books(shop, plan, previous, frozenset(rows - planned.keys()), planned)


def _rows(shop: Shop) -> tuple[set[str], Counter[str]]:
    """Every landing row as text with its table before it, and how many lie in each table: counted
    apart, so that two rows of one text are two."""
    current = {
        table.name: shop.one(
            sql.SQL("select count(*) from {}")
            .format(sql.Identifier("shop", table.name))
            .as_string()
        )
        for table in shop.declarations.staged
    }
    return shop.rows(), Counter(current)


def _hash(rows: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()
