"""`retention sample`: the made-up warehouse, landed by name.

Belongs here: the command's arguments and how its result is printed. Does not belong here: what the
sample holds and where it is refused; `landing.sample` does.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table

if TYPE_CHECKING:
    from landing.sample import SampleSummary

DEFAULT_PEOPLE = 2000
DEFAULT_SEED = 1


def sample(
    people: Annotated[
        int, typer.Option(help="People of the random mixture, beside the named stories.")
    ] = DEFAULT_PEOPLE,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = DEFAULT_SEED,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="The day lives are told up to; today."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop the sample that is there, and only that.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make and load the sample warehouse, or keep the one that is there.

    Refused (3) where a landing schema does not bear the sample's marker.
    """
    from landing.sample import dates, land_sample
    from retention.settings import load_settings
    from retention.warehouse.connection import connect

    day = dates.today() if as_of is None else dates.parse_date(as_of)
    with progress("landing the sample"), connect(load_settings()) as connection:
        summary = land_sample(connection, people=people, seed=seed, as_of=day, replace=replace)
    if as_json:
        show_json(summary.as_dict())
    else:
        _show(summary)


def _show(summary: "SampleSummary") -> None:
    show_table(("table", "rows"), list(summary.rows.items()), footer=("total", summary.total))
    what = "a sample was there and is kept" if summary.kept else "landed the sample"
    if (marker := summary.marker) is None:
        say(what)
    else:
        say(f"{what}: {marker.people} people, seed {marker.seed}, as of {marker.as_of}")
    if summary.kept:
        say("to make it anew: retention sample --replace")
