"""A trial as a page that is kept: counts, and no key of a record.

Belongs here: the page and where it is written. Does not belong here: its words (`words`).
"""

from pathlib import Path
from typing import Any

from retention.files import replace_text
from retention.language import Language, Speaker, speaker
from retention.settings import Settings
from retention.templates import environment
from retention.what_if.words import sentences, tables, title


def write_pages(settings: Settings, document: dict[str, Any]) -> dict[Language, Path]:
    """Write the page in each language, named by the tried text's hash, and return where they are."""
    folder = settings.state / "reports"
    paths = {}
    for language in Language:
        path = folder / f"what-if-{document['after']['hash'][:12]}.{language.value}.html"
        replace_text(path, render(document, speaker(language, settings.policy_dir)))
        paths[language] = path
    return paths


def render(document: dict[str, Any], words: Speaker) -> str:
    """The page: one file that asks nothing of the outside, runs no script, and prints."""
    template = environment(Path(__file__).parent).get_template("tried.html.j2")
    return template.render(
        language=words.language.value,
        title=title(document, words),
        sentences=list(sentences(document, words)),
        tables=list(tables(document, words, by_month=True, examples=False)),
        number=words.number,
        note=words.say(
            "A trial as of {day}: nothing in force was touched. Text {hash}, effective from {effective}.",
            day=words.day(document["as_of"]),
            hash=document["after"]["hash"],
            effective=words.day(document["after"]["effective_from"]),
        ),
    )
