"""`retention what-if`: what a policy that nobody has put into force would change.

Belongs here: the command's arguments, and printing its document. Does not belong here: trying the policy,
and the words for what came of it (`retention.what_if`).
"""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.errors import Refused
from retention.language import Language, chosen, speaker
from retention.settings import Settings, load_settings


def what_if(
    policy: Annotated[
        Path, typer.Argument(metavar="POLICY", help="A policy file that is not in force.")
    ],
    examples: Annotated[
        int, typer.Option("--examples", min=0, help="Keys shown of each group, at most.")
    ] = 3,
    by_month: Annotated[bool, typer.Option("--by-month", help="A line for each month.")] = False,
    page: Annotated[
        bool, typer.Option("--page", help="Keep it as a page too, in each language, without keys.")
    ] = False,
    language: Annotated[
        Language | None, typer.Option("--lang", help="The language of what is printed.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Classify today's records by another policy, beside what is in force, and show what would change.

    Touches nothing: what it builds is gone afterwards. Ends with 2 for a file that is no valid policy, with
    3 where today's records are not classified or a run is going.
    """
    from retention.what_if import what_if as tried
    from retention.what_if.page import write_pages
    from retention.what_if.words import sentences, tables, title

    settings = load_settings()
    words = speaker(chosen(language), settings.policy_dir)
    refuse_during_a_run(settings)
    with progress("classifying by the other policy"):
        document = tried(settings, policy, examples=examples)
    pages = write_pages(settings, document) if page else {}
    if as_json:
        show_json(document)
        return
    say(title(document, words))
    for sentence in sentences(document, words):
        say(sentence)
    for table in tables(document, words, by_month=by_month, examples=examples > 0):
        show_table(table.columns, table.rows, title=table.title)
    for path in pages.values():
        say(words.say("page: {path}", path=path))
    say(words.say("This was a trial: nothing in force was touched, and what it built is gone."))


def refuse_during_a_run(settings: Settings) -> None:
    """Raise Refused while a run is going."""
    from orchestration.lock import run_is_going
    from retention.warehouse.connection import connect

    with connect(settings, read_only=True) as conn:
        if run_is_going(conn):
            raise Refused("a run is going: wait until it has ended, then try again")
