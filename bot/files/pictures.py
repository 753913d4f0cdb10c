"""Pictures in folders and in files that list them: read and decoded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.files.columns import missing_column, picture_cell
from bot.files.tables import read_rows
from core.errors import Invalid
from core.intake.predictions import picture_names
from core.pictures.burned_in import require_no_burned_in_text
from core.pictures.decoded import Decoded
from core.pictures.decoder import Decoder
from core.pictures.limits import MOST_BYTES
from core.policy import QueuePolicy

SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm")
INDEXES = ("predictions.csv", "predictions.jsonl", "predictions.parquet")


def is_picture(path: Path) -> bool:
    """Whether a file is a picture, by its name alone."""
    return path.suffix.lower() in SUFFIXES


def picture_files(path: Path) -> list[Path]:
    """The picture itself, or all pictures in a folder and its sub-folders, by name. Raises Invalid if there are
    none."""
    found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file() and is_picture(one))
    if not found:
        raise Invalid(
            f"{path}: there is no picture in this folder. The name of a picture ends in {', '.join(SUFFIXES)}."
        )
    return found


def index_of(folder: Path) -> Path | None:
    """The folder's file with a row for each picture; None: it has no such file."""
    return next((folder / name for name in INDEXES if (folder / name).is_file()), None)


@dataclass(frozen=True)
class Labelled:
    """A labelled example. paths: its pictures, of which a learner reads the first; group: such as a patient."""

    paths: tuple[Path, ...]
    label: str
    group: str | None = None


def lists_pictures(path: Path) -> bool:
    """Whether a path holds labelled pictures: it is a folder, or a file with a column `image`."""
    if path.is_dir():
        return True
    _number, first = next(read_rows(path), (0, {}))
    return "image" in first


def labelled_pictures(path: Path, by_folder: bool = False) -> list[Labelled]:
    """The pictures of a folder whose sub-folders are labels, or of a file with the columns `image`, `label` and, if
    wanted, `group`. by_folder: a folder within that of the label is a group, such as a patient. Raises Invalid."""
    return _of_folder(path, by_folder) if path.is_dir() else _of_file(path)


def _of_folder(folder: Path, by_folder: bool) -> list[Labelled]:
    found = []
    for path in picture_files(folder):
        label, *others = path.relative_to(folder).parts
        if not others:
            raise Invalid(f"{path}: move the picture into a sub-folder that has the name of its label.")
        if by_folder and len(others) < 2:
            raise Invalid(
                f"{path}: move the picture into a folder of its group, such as its patient, within “{label}”."
            )
        found.append(Labelled((path,), label, "/".join(others[:-1]) if by_folder else None))
    return found


def _of_file(path: Path) -> list[Labelled]:
    return [_of_row(path, number, row) for number, row in read_rows(path)]


def _of_row(file: Path, number: int, row: dict[str, Any]) -> Labelled:
    for name in ("image", "label"):
        if name not in row:
            raise Invalid(f"{file}: {missing_column(name, list(map(str, row)))}")
        if not row[name] or not str(row[name]).strip():
            raise Invalid(f"{file}, row {number}: {name} is empty.")
    names = picture_names(picture_cell(row["image"]))
    group = row.get("group")
    return Labelled(
        tuple(file.parent / name for name in names),
        str(row["label"]).strip(),
        None if group in (None, "") else str(group),
    )


def read_picture(path: Path, decoder: Decoder, policy: QueuePolicy | None) -> Decoded:
    """Read and decode a picture. policy: of the picture's queue; None: it is for no queue. Raises Invalid, naming the
    file, if it cannot be read or if its pixels may hold a name."""
    try:
        with path.open("rb") as file:
            picture = decoder.decode(file.read(MOST_BYTES + 1))
        if policy is not None:
            require_no_burned_in_text(picture, policy)
        return picture
    except OSError as error:
        raise Invalid(f"{path.name}: the file cannot be read: {error.strerror}.", field="image") from None
    except Invalid as refusal:
        raise Invalid(f"{path.name}: {refusal}", field="image") from None


def read_labelled(found: Sequence[Labelled], policy: QueuePolicy | None) -> Iterator[list[Decoded] | Invalid]:
    """Yield the pictures of each example, or why one of them cannot be used."""
    with Decoder() as decoder:
        for one in found:
            try:
                yield [read_picture(path, decoder, policy) for path in one.paths]
            except Invalid as refusal:
                yield refusal


def read_pictures(paths: Sequence[Path], policy: QueuePolicy) -> Iterator[Decoded | Invalid]:
    """Yield the result for each picture, in order. A refusal does not end the others."""
    with Decoder() as decoder:
        for path in paths:
            try:
                yield read_picture(path, decoder, policy)
            except Invalid as refusal:
                yield refusal
