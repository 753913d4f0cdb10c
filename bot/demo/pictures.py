"""The demo's pictures: scikit-learn's handwritten digits, or the user's own."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.demo.data import FEWEST_LABELS, FEWEST_PER_LABEL, FEWEST_ROWS, Ticket, titles
from bot.files.pictures import labelled_pictures, read_labelled
from core.errors import Invalid
from core.pictures.decoded import Decoded
from core.pictures.decoding import decode
from core.pictures.limits import UnreadablePictureError

NAMES = {"pneumoniamnist": ("normal", "pneumonia")}
Pixels = NDArray[np.uint8]


def holds_pictures(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() == ".npz"


def digits() -> list[Ticket]:
    """1,797 pictures of 8 x 8 pixels, which come with scikit-learn (Alpaydin and Kaynak 1998, UCI)."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = np.round(found.images * (255 / 16)).astype(np.uint8)
    return _unique(zip(map(_decoded, pixels), map(str, found.target), strict=True))


def own_pictures(path: Path, size: int) -> list[Ticket]:
    """The user's pictures: a folder whose sub-folders are labels, or the training part of a MedMNIST file, which a
    folder may also contain. Of a large set, only about twice as many as `size` are decoded, spread over each label's
    pictures, so that a demo begins within seconds. Raises Invalid if one of them cannot be read, or if there are too
    few."""
    path = _only_archive(path) or path
    tickets = _unique(_of_folder(path, size) if path.is_dir() else _of_archive(path, size))
    labels = {ticket.label for ticket in tickets}
    if len(tickets) < FEWEST_ROWS or len(labels) < FEWEST_LABELS:
        raise Invalid(
            f"{path}: the demo needs at least {FEWEST_ROWS} different pictures and {FEWEST_LABELS} labels; "
            f"there are {len(tickets)} pictures and {len(labels)} labels."
        )
    return tickets


def _only_archive(path: Path) -> Path | None:
    """The MedMNIST file in a folder that has no sub-folders."""
    if not path.is_dir() or any(one.is_dir() for one in path.iterdir()):
        return None
    archives = sorted(path.glob("*.npz"))
    return archives[0] if len(archives) == 1 else None


def _spread(labels: Sequence[object], size: int) -> list[int]:
    """Positions of the pictures to decode, in order: for each label twice its share of `size`, because some may be
    equal."""
    grouped: dict[object, list[int]] = {}
    for place, label in enumerate(labels):
        grouped.setdefault(label, []).append(place)
    most = 2 * max(FEWEST_PER_LABEL, size // max(1, len(grouped)))
    return sorted(rows[number] for rows in grouped.values() for number in _evenly(len(rows), most))


def _evenly(count: int, most: int) -> list[int]:
    return [number * count // most for number in range(most)] if count > most else list(range(count))


def _of_folder(folder: Path, size: int) -> Iterator[tuple[Decoded, str]]:
    everything = labelled_pictures(folder)
    shown = titles({one.label for one in everything})
    found = [everything[place] for place in _spread([one.label for one in everything], size)]
    for read, one in zip(read_labelled(found, None), found, strict=True):
        if isinstance(read, Invalid):
            raise read
        yield read[0], shown[one.label]


def _of_archive(file: Path, size: int) -> Iterator[tuple[Decoded, str]]:
    """Yield the pictures of a file with their labels, which are numbers for a data set that is not known here."""
    try:
        with np.load(file) as archive:
            pixels, targets = archive["train_images"], archive["train_labels"].ravel()
    except (OSError, ValueError, KeyError) as error:
        raise Invalid(f"{file}: this is no MedMNIST file with train_images and train_labels ({error}).") from None
    names: Sequence[str] = NAMES.get(file.stem.lower(), [])
    for place in _spread(targets.tolist(), size):
        one, target = pixels[place], targets[place]
        yield _decoded(one), names[int(target)] if int(target) < len(names) else str(target)


def _decoded(pixels: Pixels) -> Decoded:
    """A picture from an array of numbers. No foreign file is involved."""
    file = io.BytesIO()
    try:
        Image.fromarray(pixels).save(file, "PNG")
        return decode(file.getvalue())
    except (UnreadablePictureError, TypeError, ValueError) as error:
        raise Invalid(f"The pictures cannot be read: {error}") from None


def _unique(pairs: Iterator[tuple[Decoded, str]]) -> list[Ticket]:
    """The tickets: each picture once, with its last label."""
    return list({picture.sha256: Ticket("", label, picture=picture) for picture, label in pairs}.values())
