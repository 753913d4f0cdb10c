"""The features of the learner `image`: the directions of a picture's edges, and a small copy of the picture.

Histograms of oriented gradients (Dalal and Triggs 2005, CVPR, 886-893): cells of 8 x 8 pixels, 9 directions, blocks of
2 x 2 cells, values cut at .2. They do not change with brightness, and little with a small shift.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]

SIDE = 64  # pixels of a picture's side
CELL = 8  # pixels of a cell's side
DIRECTIONS = 9  # bins of edge directions, from 0 to 180 degrees
CLIP = 0.2  # the upper limit of a block's values, so that one strong edge does not hide the others
SMALL = 16  # pixels of the small picture's side
WIDTH = (SIDE // CELL - 1) ** 2 * 4 * DIRECTIONS + SMALL**2  # 2,020 numbers
AT_ONCE = 500  # pictures per batch: 100 MB while their gradients are computed
SLACK = 1e-4  # added to a block's squared length: noise in a flat block stays small


def features_of(greys: Sequence[bytes]) -> Features:
    """The features of pictures: float32, shape (greys, WIDTH). greys: 64 x 64 bytes each. A picture of a single value
    has the features 0. Each row depends on its picture alone. Some 2,000 pictures a second."""
    parts = [np.hstack([_edges(part), _small(part)]) for part in _parts(greys)]
    return np.vstack(parts) if parts else np.empty((0, WIDTH), dtype=np.float32)


def _parts(greys: Sequence[bytes]) -> Iterator[Features]:
    """Yield batches of pictures, shape (pictures, SIDE, SIDE), from 0 to 1."""
    for start in range(0, len(greys), AT_ONCE):
        values = np.frombuffer(b"".join(greys[start : start + AT_ONCE]), dtype=np.uint8)
        yield values.reshape(-1, SIDE, SIDE).astype(np.float32) / np.float32(255)


def _edges(pictures: Features) -> Features:
    """Histograms of gradients. Each gradient is divided between the two nearest directions, in proportion."""
    across, down = np.zeros_like(pictures), np.zeros_like(pictures)
    across[:, :, 1:-1] = pictures[:, :, 2:] - pictures[:, :, :-2]
    down[:, 1:-1] = pictures[:, 2:] - pictures[:, :-2]
    size, place = np.hypot(across, down), (np.arctan2(down, across) % np.pi) * (DIRECTIONS / np.pi)
    low = np.floor(place).astype(np.int64) % DIRECTIONS
    share = (place - np.floor(place)).astype(np.float32)
    cells = SIDE // CELL
    rows = np.arange(SIDE) // CELL
    first = (np.arange(len(pictures))[:, None, None] * cells**2 + rows[:, None] * cells + rows) * DIRECTIONS
    counts = sum(
        np.bincount((first + column).ravel(), (size * part).ravel(), len(pictures) * cells**2 * DIRECTIONS)
        for column, part in ((low, 1 - share), ((low + 1) % DIRECTIONS, share))
    )
    return _blocks(np.asarray(counts).reshape(len(pictures), cells, cells, DIRECTIONS))


def _blocks(cells: NDArray[np.float64]) -> Features:
    blocks = np.concatenate([cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, :-1, 1:], cells[:, 1:, 1:]], axis=3)
    clipped = np.minimum(_of_length_1(blocks), CLIP)
    return _of_length_1(clipped).reshape(len(cells), -1).astype(np.float32)


def _of_length_1(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.sqrt((blocks**2).sum(axis=3, keepdims=True) + SLACK)
    return blocks / lengths


def _small(pictures: Features) -> Features:
    """The small pictures, standardised each, and weighted so that all pixels together count as much as a block."""
    times = SIDE // SMALL
    means = pictures.reshape(len(pictures), SMALL, times, SMALL, times).mean(axis=(2, 4)).reshape(len(pictures), -1)
    means -= means.mean(axis=1, keepdims=True)
    small: Features = (means / (means.std(axis=1, keepdims=True) + 1e-3) / SMALL).astype(np.float32)
    return small
