"""Landing what is labelled and scanning it.

Belongs here: the three sources (real files, sample, generated tables), each scanned whole. Does not
belong here: the servers they are landed on, and what the answers are worth (`scoring`).
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from landing.files import land_directory
from landing.sample import land_sample
from retention.detection.scan import detect
from tests.detection import generated
from tests.detection.labels import Label, all_labels
from tests.detection.scoring import Judged

ROOT = Path(__file__).resolve().parents[2]
SHARED_DATA = ROOT.parent / "shared" / "data"

#: The sample that the labels' forms were read from.
SAMPLE = {"people": 1_150, "seed": 20_230_112, "as_of": date(2026, 11, 23)}

Connection = psycopg.Connection[Any]


def judge_files(conn: Connection) -> list[Judged]:
    """Land the real files and scan them."""
    land_directory(conn, SHARED_DATA)
    return _judge(conn, (label for label in all_labels() if label.source == "files"))


def judge_sample(conn: Connection) -> list[Judged]:
    """Land the sample and scan it."""
    land_sample(conn, **SAMPLE)  # type: ignore[arg-type]
    return _judge(conn, (label for label in all_labels() if label.source == "sample"))


def judge_generated(conn: Connection) -> list[Judged]:
    """Land the generated tables and scan them."""
    generated.land(conn)
    return _judge(conn, generated.labels())


def _judge(conn: Connection, labels: Iterable[Label]) -> list[Judged]:
    asked = list(labels)
    conn.commit()
    detections = detect(conn, [label.name for label in asked])
    return [Judged(label, found) for label, found in zip(asked, detections, strict=True)]
