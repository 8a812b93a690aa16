"""`findings.md`: every kind of finding, what it means and what to do next.

Belongs here: laying them out; the kinds of coverage are read from the words that the command itself says.
Does not belong here: what is a finding (`retention.findings`, `retention.coverage`). A test compares the
kinds with the published schema.
"""

from docs.generate.finding_words import SECTIONS, Words
from docs.generate.markdown import code, page_of, prose, sentence, table
from retention.coverage import Finding, FindingKind
from retention.coverage.words import next_steps, said
from retention.settings import load_settings

_OF_COLUMNS = (
    FindingKind.UNDECLARED_COLUMN,
    FindingKind.MISSING_COLUMN,
    FindingKind.TYPE_CHANGED,
    FindingKind.TYPE_DIFFERS,
    FindingKind.COLUMN_NOT_NULLABLE,
    FindingKind.HARMLESS_SEEMS_PERSONAL,
)


def page() -> str:
    """The findings of the status by subject, then those of coverage."""
    return page_of(
        "Findings",
        "`docs/generate/finding_words.py` and `retention/coverage/words.py`",
        prose(
            """
            `retention status` lists what somebody must look at, and ends with 1 while there is
            any. In `--json` each has a `kind`; these are all of them. A finding names tables,
            rules, counts and days, never a value. How long the policy is patient:
            [`operations`](policy-file.md#operations).
            """
        ),
        *(f"## {title}\n\n{_table(words)}" for title, words in SECTIONS.items()),
        prose(
            """
            ## Coverage: what is declared, and what is there

            Also listed by `retention coverage`, with the day since which each stands. Whether one
            is a warning or an error, and whether it keeps its table from the purge, the policy
            says ([`coverage.findings`](policy-file.md#findingrules)); a warning that outlasts its
            patience becomes an error.
            """
        ),
        table(("kind", "what it says", "next"), (_of_coverage(kind) for kind in FindingKind)),
    )


def _table(words: Words) -> str:
    return table(
        ("kind", "means", "next"),
        [(code(kind), sentence(means), sentence(do)) for kind, (means, do) in words.items()],
    )


def _of_coverage(kind: FindingKind) -> tuple[str, str, str]:
    """The command's own words, of a table that is called TABLE."""
    table_name = None if kind is FindingKind.UNDECLARED_SCHEMA else "TABLE"
    finding = Finding("SCHEMA", table_name, "COLUMN" if kind in _OF_COLUMNS else None, kind, "…")
    (step,) = next_steps([finding], load_settings({}))
    return code(kind.value), sentence(said(finding)), sentence(step)
