"""Which columns of a table are personal, which harmless, and which a person must look at.

Belongs here: joining what the scan found with what name and type tell. Does not belong here: the scan
(`retention.detection`). What is in doubt is proposed as personal: so much is certain not to be overlooked.
"""

from collections.abc import Collection, Iterable, Mapping

from retention.detection import Detection
from retention.onboarding import measure, shapes
from retention.onboarding.catalogue import Column, Connection, Table
from retention.onboarding.model import Because, Columns

# Few different values in many rows are codes, whatever they are called.
_FEW, _MANY = 20, 100


def sort_columns(
    conn: Connection,
    table: Table,
    columns: Iterable[Column],
    detections: Mapping[str, Detection],
    *,
    used: Collection[str],
    codes: Collection[str],
) -> Columns:
    """Sort `columns` of `table`. Those in `used` are declared otherwise already, unless they
    are personal; those in `codes` hold dates or codes, whatever their name."""
    personal: dict[str, tuple[str, Because]] = {}
    harmless: list[str] = []
    open_: list[Column] = []
    for column in columns:
        kind = _kind(detections.get(column.name))
        if kind:
            personal[column.name] = kind
        elif column.name in used:
            continue
        elif column.name in codes or shapes.link_stem(column.name):
            harmless.append(column.name)
        elif shapes.is_free_text(column):
            because = Because("low", "by its name, words somebody wrote")
            personal[column.name] = ("free_text", because)
        elif shapes.is_code(column):
            harmless.append(column.name)
        else:
            open_.append(column)
    different = measure.different_values(conn, table, [column.name for column in open_])
    doubtful: list[str] = []
    for column in open_:
        share = different.get(column.name)
        if share and share.hits <= _FEW and share.of >= _MANY:
            harmless.append(column.name)
        else:
            doubtful.append(column.name)
    return Columns(personal, tuple(doubtful), tuple(harmless))


def _kind(detection: Detection | None) -> tuple[str, Because] | None:
    if detection is None or not detection.found:
        return None
    first = detection.found[0]
    by = {
        "value": f"{first.matched} of {detection.sampled} values tried",
        "name": "by its name",
        "both": f"by its name, and {first.matched} of {detection.sampled} values tried",
    }[first.basis]
    return first.kind, Because(first.confidence, f"{first.pattern}, {by}")
