"""The warehouse under canaries in which the story of test_nothing_leaks.py is told.

Belongs here: the project with what a data team has added to it, planting, and running commands and jobs
as processes of their own, whose words are looked at. Does not belong here: the story.
"""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from retention import classify
from retention.declarations import Declarations, load_declarations
from retention.keys import MasterKey
from retention.ports import free_port
from retention.settings import load_settings
from tests.leaks.canaries import Canaries
from tests.leaks.channels import Leak, Scanner
from tests.leaks.patterns import Patterns
from tests.leaks.secrets import derived_keys, needles_for, secrets_of

#: Columns of types that the sample has none of, declared beside those it has.
MORE_TYPES = {"traits": "jsonb", "nicknames": "text[]", "income": "numeric", "portrait": "bytea"}

#: What the models of a data team call; each meets a person's value, until it is mended.
FAULTS = {
    "cast": "return (select first_name::int from crm.person where first_name is not null limit 1)",
    "unique": "create temp table seen (email text primary key) on commit drop;"
    " insert into seen select email from crm.person where email is not null limit 1;"
    " insert into seen select email from crm.person where email is not null limit 1; return 1",
    "check": "create temp table seen (email text check (email = '')) on commit drop;"
    " insert into seen select email from crm.person where email is not null limit 1; return 1",
}
MENDED = "return 1"

_PERSONAL = "                account_number: account_number\n"


@dataclass
class Stage:
    """The warehouse, and what was found so far. `scanner` sees nothing before `plant`."""

    environment: dict[str, str]
    approver: dict[str, str]
    folder: Path
    conn: psycopg.Connection[Any]
    declarations: Declarations
    canaries: Canaries = field(default_factory=Canaries)
    scanner: Scanner = field(default_factory=lambda: Scanner(Patterns(())))
    leaks: set[Leak] = field(default_factory=set)

    def plant(self) -> None:
        """Plant into what has landed, and look for that and for every secret from here on."""
        for column, kind in MORE_TYPES.items():
            self.run(f"alter table crm.person add column {column} {kind}")
        self.canaries.plant(self.conn, self.declarations)
        given = {**self.environment, "approver": self.approver["RETENTION_DATABASE_URL"]}
        named = secrets_of(given, self.folder / "state")
        key = MasterKey(bytes.fromhex(self.environment["RETENTION_HMAC_KEY"]))
        named |= derived_keys(key, self.declarations)
        named["salt of the link hashes"] = bytes(self.one("select salt from ledger.link_salt"))
        needles = self.canaries.needles(classify.today().isoformat())
        self.scanner = Scanner(
            Patterns([*needles, *needles_for(named)]),
            frozenset({"password in RETENTION_DATABASE_URL"}),
        )

    def command(self, *words: str, code: int = 0, approver: bool = False) -> None:
        """Run a command to its end and look at what it prints."""
        environment = self.approver if approver else self.environment
        self._run(("-m", "cli.main", *words), words, code, environment)

    def program(self, text: str, *, code: int = 0) -> None:
        """Run a program of the test's own with the command's settings."""
        self._run(("-c", text), ("program",), code, self.environment)

    def job(self, name: str, *, code: int = 0, before: str = "") -> None:
        """Run a job as `retention run` does, in a process of its own."""
        self.program(
            f"{before}\n"
            "import sys\n"
            "from cli.jobs import run_job\n"
            "from retention.errors import RetentionError\n"
            "from retention.settings import load_settings\n"
            "try:\n"
            f"    done = run_job(load_settings(), {name!r})\n"
            "except RetentionError as error:\n"
            "    print(error, file=sys.stderr)\n"
            "    sys.exit(error.exit_code)\n"
            "sys.exit(0 if done.success else 1)\n",
            code=code,
        )

    def one(self, query: str, *values: Any) -> Any:
        row = self.conn.execute(query, values).fetchone()
        return row[0] if row else None

    def all_(self, query: str, *values: Any) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.conn.execute(query, values).fetchall()]

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.conn.execute(statement)

    def let_models(self, faults: Mapping[str, str]) -> None:
        """What the models of the data team run into from now on."""
        for name, body in faults.items():
            self.run(
                f"create or replace function sletteplikt.team_{name}() returns int"
                f" language plpgsql security definer as $fault$ begin {body}; end $fault$"
            )

    def _run(
        self,
        arguments: Sequence[str],
        words: Sequence[str],
        code: int,
        environment: Mapping[str, str],
    ) -> None:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=dict(environment),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
        self.leaks |= self.scanner.output(words, done.stdout, done.stderr)


def set_stage(
    conn: psycopg.Connection[Any],
    folder: Path,
    environment: Mapping[str, str],
    url: str,
    approver_url: str,
) -> Stage:
    """A project of its own in `folder`, on the empty warehouse behind `url`."""
    shipped = load_settings({})
    project = folder / "dbt_project"
    shutil.copytree(
        shipped.dbt_dir, project, ignore=shutil.ignore_patterns("generated", "target", "logs")
    )
    _declare_more_types(project)
    _models_that_may_fail(project / "models" / "team")
    for name in ("tmp", "exported"):
        (folder / name).mkdir()
    ours = {
        **environment,
        "PYTHONPATH": str(shipped.project),
        "RETENTION_PROJECT_DIR": str(folder),
        "RETENTION_POLICY_DIR": str(shipped.policy_dir),
        "RETENTION_STATE_DIR": str(folder / "state"),
        "RETENTION_DATABASE_URL": url,
        "RETENTION_HMAC_KEY": secrets.token_hex(32),
        "RETENTION_SIGNING_KEY": secrets.token_hex(32),
        **{f"RETENTION_{server}_PORT": str(free_port()) for server in ("UI", "AUDITOR", "PAGES")},
        "TMPDIR": str(folder / "tmp"),
        "NO_COLOR": "1",
    }
    return Stage(
        ours,
        {**ours, "RETENTION_DATABASE_URL": approver_url},
        folder,
        conn,
        load_declarations(project / "models" / "staging"),
    )


def _declare_more_types(project: Path) -> None:
    path = project / "models" / "staging" / "crm" / "_crm__sources.yml"
    text = path.read_text(encoding="utf-8")
    assert _PERSONAL in text
    more = "".join(f"                {column}: other\n" for column in MORE_TYPES)
    path.write_text(text.replace(_PERSONAL, _PERSONAL + more, 1), encoding="utf-8")


def _models_that_may_fail(folder: Path) -> None:
    """What each selects is decided by a function, which the controls' database has not."""
    folder.mkdir()
    for name in FAULTS:
        (folder / f"team_{name}.sql").write_text(
            "select {{ '1' if target.dbname.endswith('_controls')"
            f" else 'sletteplikt.team_{name}()' }}}} as answer\n"
        )
