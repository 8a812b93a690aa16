"""Everybody who has a part in the stories of the decision table, and the steps they take.

Belongs here: landing, classifying, asking, verifying, deciding and purging, each for all stories at once,
and what is then found of a record. Does not belong here: what should be found (the table, compared by
`integration/test_rights_stories.py`), and the lives (`rights_stories`).
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import psycopg

from landing.sample import land_sample
from landing.sample.scene import Ref
from retention import classify, holds, orders
from retention.code_hash import code_hash
from retention.declarations import load_declarations
from retention.ledger import classifications
from retention.plan import Plan, create_decided, landing_rights
from retention.purge import PurgeResult, execute
from retention.rights import rectification, register
from retention.rights.consent.requests import object_to_marketing
from retention.rights.erasure import decide
from retention.rights.intake import take_in
from retention.rights.model import Right, Verified
from retention.rights.out_of_use import restriction
from retention.rights.package.make import make_package
from retention.settings import Settings
from tests.keys import make_keys
from tests.packages import opened
from tests.rights_found import Looking
from tests.rights_stories import Life, land, tell
from tests.rights_table import stories

SEED = 20_230_112


@dataclasses.dataclass
class Office(Looking):
    """`settings` is the job's login, `officer` that of whoever answers requests, `corrector` that of an
    officer who may also classify, and so look into landing. `asked` are the requests of each story by its
    number, its own first; `withdrawals` the decisions that withdrawn consents led to,
    `beside` counts those that the sample itself tells of, by table."""

    settings: Settings
    officer: Settings
    corrector: Settings
    as_of: date
    lives: dict[int, Life]
    asked: dict[int, list[UUID]] = dataclasses.field(default_factory=dict)
    withdrawals: dict[int, list[UUID]] = dataclasses.field(default_factory=dict)
    beside: Counter[str] = dataclasses.field(default_factory=Counter)

    @classmethod
    def open(
        cls,
        settings: Settings,
        officer: Settings,
        corrector: Settings,
        conn: psycopg.Connection[Any],
    ) -> "Office":
        """Land the sample's cases and the stories' lives in an empty warehouse."""
        make_keys(settings)
        as_of = classify.today()
        lives = {line.number: tell(line, as_of) for line in stories()}
        land_sample(conn, people=0, seed=SEED, as_of=as_of)
        land(conn, lives.values())
        conn.commit()
        landing_rights.grant(settings, load_declarations(settings.declarations_dir))
        return cls(conn, settings, officer, corrector, as_of, lives)

    def classify(self) -> None:
        """As the job does."""
        begun = classifications.begin(self.conn, self.as_of, code_hash(self.settings))
        self.conn.commit()
        classify.build(self.settings, self.as_of)
        classifications.finish(self.conn, begun)
        self.conn.commit()

    def receive(self) -> None:
        """Take in what landed; enter by hand what somebody asks whom no landed person can ask for."""
        take_in(self.settings)
        registered = {
            (f"{schema}.{table}", key): request
            for schema, table, key, request in self.rows(
                "select source_schema, source_table, record_key, request_id from ledger.requests"
                " where record_key is not null"
            )
        }
        for number, life in self.lives.items():
            self.asked[number] = [registered[ref] for ref in life.requests]
            if life.person is None:
                right = Right(life.line.asserted)
                received = life.ago(days=6)
                self.asked[number].append(
                    register.open_request(self.officer, right, received, person=None, purpose=None)
                )

    def block(self) -> None:
        """A court's hold on some, and a restriction that stands already."""
        for life in self.lives.values():
            kinds: dict[str, holds.Kind] = {"held": "hold", "restricted": "restriction"}
            if life.line.besides in kinds and life.person is not None:
                self._block(kinds[life.line.besides], life.person.id)

    def verify(self) -> None:
        """Make sure of everybody's identity but of those whose story says otherwise, and the unknown."""
        for life, request in self._asking():
            if life.person is not None and life.line.besides != "not verified":
                register.verify(self.officer, request, Verified.IDENTITY_DOCUMENT)

    def decide(self) -> None:
        """Decide every verified erasure in one set-wise run; restrict and suppress where that is asked."""
        erasures = self._verified("erasure")
        done = decide(self.officer, erasures)
        assert done.requests == len(erasures)
        for request in self._verified("restriction"):
            restriction.restrict(
                self.officer,
                request_id=request,
                reason="what is held is contested",
                authority="GDPR art. 18(1)(a)",
            )
        for request in self._verified("objection"):
            object_to_marketing(self.corrector, request)

    def correct(self) -> None:
        """Note what is wrong, let the source land what is right, and look for the old value."""
        for life in self.lives.values():
            if life.line.asserted == "rectification" and life.person is not None:
                (request,) = self.asked[life.line.number]
                person = str(life.person.id)
                rectification.record(
                    self.corrector, request, table="crm.person", record_key=person, column="phone"
                )
                self.conn.execute(
                    "update crm.person set phone = '+47 150 00 001' where id::text = %s", (person,)
                )
                self.conn.commit()
                rectification.trace(self.corrector, request)

    def copies(self) -> dict[int, dict[Ref, str]]:
        """The records in each copy that was asked for: `flag` where somebody must look first."""
        found = {}
        for number, life in self.lives.items():
            if life.line.asserted in ("access", "portability") and life.person is not None:
                files = opened(make_package(self.officer, self.asked[number][0]))
                tables = json.loads(files["manifest.json"])["tables"]
                cells = json.loads(files["review.json"])["cells"] if "review.json" in files else []
                flagged = {(cell["table"], cell["record_key"]) for cell in cells}
                refs = {
                    (table["table"], record["record_key"])
                    for table in tables
                    for record in table["records"]
                }
                found[number] = {ref: "flag" if ref in flagged else "show" for ref in refs}
        return found

    def withdraw_consents(self) -> None:
        """The source lands that consents were withdrawn."""
        for life in self.lives.values():
            if life.line.asserted == "withdrawal":
                self.conn.execute(
                    "update crm.consent set withdrawn_at = now() - interval '1 hour'"
                    " where purpose = %s and id::text = any(%s)",
                    (life.line.purpose, [key for _, key in life.kinds["consent"]]),
                )
        self.conn.commit()

    def purge(self) -> list[tuple[Plan, PurgeResult]]:
        """Plan what was decided, let the decisions approve it, carry it out; once more when the stores
        have answered."""
        decided = {
            (f"{schema}.{table}", key): decision
            for schema, table, key, decision in self.rows(
                "select source_schema, source_table, record_key, decision_id"
                " from ledger.erasure_decisions where basis = 'withdrawal' and record_key is not null"
            )
        }
        for number, life in self.lives.items():
            refs = {ref for refs in life.kinds.values() for ref in refs} & decided.keys()
            self.withdrawals[number] = [decided.pop(ref) for ref in refs]
        done = []
        for _ in range(2):
            plan = create_decided(self.settings)
            if plan is None or plan.state == "empty":
                break
            assert plan.state == "approved"
            done.append((plan, execute(self.settings, plan.plan_id)))
            found = orders.list_(self.settings, open_only=True)
            orders.acknowledge(self.settings, {order.order_id: "store" for order in found})
        standing = self.decisions().keys()
        self.beside = Counter(ref[0] for ref in decided if ref not in standing)
        return done

    def told(self, number: int) -> set[str]:
        """The recipients with a notice of what a story's person asked for; `partner` for partners, also
        where the request itself was relayed."""
        person = self.lives[number].person
        occasions = self.rows(
            "select unnest(%(asked)s::uuid[])"
            # That the source told of a withdrawal is a request that the register made itself.
            " union select request_id from ledger.requests inner join ledger.subject_tokens"
            " using (subject_token) where subject_id = %(person)s"
            " union all select blocker_id from ledger.blockers inner join ledger.subject_tokens"
            " on target = subject_token::text where subject_id = %(person)s and kind = 'restriction'",
            asked=self.asked[number] + self.withdrawals[number],
            person=f"crm.person:{person.id}" if person else None,
        )
        found = self.rows(
            "select case when partner_key is null then recipient_id else 'partner' end"
            " from ledger.notices where occasion_id = any(%(ids)s)"
            " and notice_id not in (select ledger.notices_waiting(array_agg(notice_id))"
            " from ledger.notices)"
            " union select 'partner' from ledger.relays where request_id = any(%(ids)s)"
            " and direction = 'out'",
            ids=[occasion for (occasion,) in occasions],
        )
        return {recipient for (recipient,) in found}

    def _block(self, kind: holds.Kind, person: int) -> None:
        holds.place(
            self.settings,
            kind=kind,
            scope="subject",
            target=f"crm.person:{person}",
            reason="a lawsuit",
            authority="the court",
        )

    def _verified(self, right: str) -> list[UUID]:
        return [
            request
            for (request,) in self.rows(
                "select request_id from ledger.requests where asserted = %s"
                " and state = 'identity_verified'",
                right,
            )
        ]

    def _asking(self) -> Iterator[tuple[Life, UUID]]:
        for number, requests in self.asked.items():
            for request in requests:
                yield self.lives[number], request
