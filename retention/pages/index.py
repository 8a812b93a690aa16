"""The two pages of our own: what there is, and the figures of one day.

Belongs here: arranging names and counts for a reader who has ten minutes. Does not belong here: sending
them (server.py), and any number that stands in no file.
"""

import re
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import Template

from retention.language import Language, Said, Speaker, speaker
from retention.pages.checks import kept_checks
from retention.pages.served import DBT_DOCS, DELETIONS, INDEX, REPORTS, TRIED, names
from retention.settings import Settings
from retention.templates import environment

_TEMPLATE = "index.html.j2"
_DAY_PAGE = re.compile(r"reports/(\d{4}-\d{2}-\d{2})/")


def index_page(settings: Settings, language: Language) -> str:
    """The index: reports by day, deletion reports, the last check results, the models' descriptions."""
    return _rendered(
        language,
        up="",
        days=[_day(day, files) for day, files in _by_day(settings).items()],
        deletions=[PurePosixPath(name) for name in names(settings, DELETIONS)],
        tried=[(name, _language_of(name)) for name in names(settings, TRIED)],
        kept=kept_checks(settings),
        has_models=INDEX in names(settings, DBT_DOCS),
        csv=None,
    )


def latest_report(settings: Settings, language: Language) -> str | None:
    """The name of the newest day's report as a page, in this language where it is written in it; None
    where there is none."""
    for day, files in _by_day(settings).items():
        pages = [name for name in files if name.endswith(".html")]
        in_it = [name for name in pages if _language_of(name) == language]
        for name in (*in_it, *pages):
            return f"{day}/{name}"
    return None


def day_page(settings: Settings, address: str, language: Language) -> str | None:
    """The figures of one day, each as CSV; None where the address is none of these or the day has none."""
    asked = _DAY_PAGE.fullmatch(address)
    files = _by_day(settings).get(asked[1]) if asked else None
    if asked is None or not files:
        return None
    return _rendered(
        language,
        up="../../",
        days=[_day(asked[1], files)],
        deletions=[],
        tried=[],
        kept=None,
        has_models=False,
        csv=sorted(name for name in files if name.startswith("csv/")),
    )


def _by_day(settings: Settings) -> dict[str, list[str]]:
    """The names of a day's files below its folder; the last day first."""
    found: dict[str, list[str]] = {}
    for name in names(settings, REPORTS):
        day, _, rest = name.partition("/")
        found.setdefault(day, []).append(rest)
    return found


def _day(day: str, files: list[str]) -> dict[str, Any]:
    """One row of the table: each form with the language that it is in, where it is in one."""
    whole = sorted(name for name in files if not name.startswith("csv/"))
    return {
        "day": day,
        "html": [(_language_of(name), name) for name in whole if name.endswith(".html")],
        "pdf": [(_language_of(name), name) for name in whole if name.endswith(".pdf")],
        "json": [name for name in whole if name.endswith(".json")],
        "csv": sum(name.startswith("csv/") for name in files),
    }


def _language_of(name: str) -> str | None:
    code = PurePosixPath(name).stem.rpartition(".")[2]
    return code if code in {language.value for language in Language} else None


def _rendered(language: Language, **values: Any) -> str:
    said = speaker(language)
    return _template().render(
        say=said.say,
        plural=said.plural,
        described=lambda text: _described(said, text),
        number=said.number,
        day=said.day,
        language=language.value,
        languages={Language.EN.value: "English", Language.NB.value: "Norsk bokmål"},
        **values,
    )


def _described(said: Speaker, text: str) -> Said:
    """What a check promises; in English where the file is older than the words of today."""
    try:
        return Said(said.template(text), said.language.value)
    except KeyError:
        return Said(text, Language.EN.value)


@cache
def _template() -> Template:
    return environment(Path(__file__).parent).get_template(_TEMPLATE)
