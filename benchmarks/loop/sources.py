"""Data sets of labelled texts, read where they lie and never copied.

banking77, clinc150 and hwu64 (Casanueva et al. 2020, arXiv:2003.04807; Larson et al. 2019, EMNLP; Liu et al. 2019,
arXiv:1903.05566) have train.csv, test.csv and perhaps val.csv, with the columns text and label.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loop.plan import SOURCES, Setting
from core.text.content_hash import content_hash

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
OUTSIDE = "oos"  # texts of clinc150 that are in no category


@dataclass(frozen=True)
class Text:
    """A text and its right label."""

    text: str
    label: str


@dataclass(frozen=True)
class Source:
    """stream: what may arrive; unseen: what never does, and on which models are judged. No text is in both."""

    stream: tuple[Text, ...]
    unseen: tuple[Text, ...]

    @property
    def labels(self) -> list[str]:
        return sorted({row.label for row in self.stream})

    def only(self, labels: Collection[str]) -> "Source":
        kept = [tuple(row for row in rows if row.label in labels) for rows in (self.stream, self.unseen)]
        return Source(*kept)


def missing_file(folder: Path, settings: Sequence[Setting]) -> Path | None:
    """The first file that the settings need and the folder lacks."""
    names = [name for name in SOURCES if any(one.source == name for one in settings)]
    needed = [folder / name / part for name in names for part in ("train.csv", "test.csv")]
    return next((path for path in needed if not path.exists()), None)


def read_source(folder: Path, name: str) -> Source:
    """Arrives: the training part. Unseen: the test part and, where there is one, the validation part."""
    stream = _read(folder / name / "train.csv")
    held_out = [row for part in ("test.csv", "val.csv") for row in _read(folder / name / part)]
    known = {content_hash(row.text) for row in stream}
    return Source(tuple(stream), tuple(row for row in held_out if content_hash(row.text) not in known))


def _read(path: Path) -> list[Text]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Text(row["text"], row["label"]) for row in csv.DictReader(file)]
    return [row for row in rows if row.label != OUTSIDE]
