"""Where a proposal is written: beside what is there, and never over it.

Belongs here: the file's name and its making. Does not belong here: what stands in it (`yaml_text`).
"""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from retention.errors import Refused


def write_proposal(folder: Path, schema: str, text: str) -> Path:
    """Write `text` as the sources of `schema` below `folder`, and return the path.

    The file is `<schema>/_<schema>__sources.yml`; where that is taken, `_<schema>__2__sources.yml` and so
    on: dbt reads a source that is told in several files as one, and so does the loader. A reader sees the
    whole file or none. Raises Refused where the folder cannot be written.
    """
    place = folder / schema
    try:
        place.mkdir(parents=True, exist_ok=True)
        draft = place / f".{schema}.{os.getpid()}.proposal"
        draft.write_text(text, encoding="utf-8")
        try:
            for name in _names(schema):
                try:
                    # A link to a name that is taken fails, whoever took it and whenever.
                    os.link(draft, place / name)
                except FileExistsError:
                    continue
                return place / name
        finally:
            draft.unlink()
    except OSError as error:
        raise Refused(
            f"cannot write below {place}: {error.strerror}; `--print` shows the proposal instead"
        ) from None
    raise AssertionError("there is no last number")


def files_of(folder: Path, schema: str) -> list[Path]:
    """The files that tell of the sources of `schema`, by name."""
    return sorted((folder / schema).glob("_*__sources.yml"))


def _names(schema: str) -> Iterator[str]:
    yield f"_{schema}__sources.yml"
    for number in count(2):
        yield f"_{schema}__{number}__sources.yml"
