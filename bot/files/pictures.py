"""Pictures in folders: listed, read and decoded."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import Invalid
from core.pictures.decoder import Decoder
from core.pictures.decoding import Decoded
from core.pictures.limits import MOST_BYTES

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


def labelled_pictures(folder: Path) -> list[tuple[Path, str]]:
    """The pictures of a folder whose sub-folders are labels, each with its label. Raises Invalid if a picture is in
    none of them."""
    found = [(path, path.relative_to(folder).parts[0]) for path in picture_files(folder)]
    loose = next((path for path, label in found if path.parent == folder), None)
    if loose is not None:
        raise Invalid(f"{loose}: move the picture into a sub-folder that has the name of its label.")
    return found


def read_picture(path: Path, decoder: Decoder) -> Decoded:
    """Read and decode a picture. Raises Invalid, which names the file and says what is wrong."""
    try:
        with path.open("rb") as file:
            return decoder.decode(file.read(MOST_BYTES + 1))
    except OSError as error:
        raise Invalid(f"{path.name}: the file cannot be read: {error.strerror}.", field="image") from None
    except Invalid as refusal:
        raise Invalid(f"{path.name}: {refusal}", field="image") from None


def read_pictures(paths: Sequence[Path]) -> Iterator[Decoded | Invalid]:
    """Yield the result for each picture, in order. A refusal does not end the others."""
    with Decoder() as decoder:
        for path in paths:
            try:
                yield read_picture(path, decoder)
            except Invalid as refusal:
                yield refusal
