"""Near-duplicate pictures: the cosine of 32 x 32 grey values, each picture's mean taken off.

It finds a picture that was saved again as a JPEG or turned by two degrees, and tells X-rays of different patients
apart, which hashes of a few bits do not (docs/methods.md)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
SIDE = 64  # of what is stored
COMPARED = 32  # of what is compared: means of 2 x 2
NEAR = 0.98  # at .95, 8 of 3,882 X-rays are near one of another patient; at .99, 7 % of changed copies are missed
FLAT = 1e-3  # length of what is left of a picture without its mean; below, rounding is all there is
CELLS = 10_000_000  # similarities in memory at a time: 40 MB


def near_pictures(greys: Sequence[bytes], golden: Sequence[bytes], threshold: float = NEAR) -> BoolArray:
    """Whether each picture is near a golden one. greys, golden: 64 x 64 bytes each. threshold: above 0, at most 1.
    Returns shape (greys,). A picture of one value everywhere is near none: the content hash knows its equals."""
    close = np.zeros(len(greys), dtype=np.bool_)
    if not greys or not golden:
        return close
    others = _standardised(golden).T
    size = max(1, CELLS // len(golden))
    for start in range(0, len(greys), size):
        part = slice(start, start + size)
        close[part] = (_standardised(greys[part]) @ others).max(axis=1) >= threshold
    return close


def _standardised(greys: Sequence[bytes]) -> NDArray[np.float32]:
    """(greys, 1024), rows of mean 0 and length 1, or 0 throughout."""
    values = np.frombuffer(b"".join(greys), dtype=np.uint8).reshape(len(greys), SIDE, SIDE).astype(np.float32)
    times = SIDE // COMPARED
    rows: NDArray[np.float32] = (
        values.reshape(len(greys), COMPARED, times, COMPARED, times).mean(axis=(2, 4)).reshape(len(greys), -1)
    )
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > FLAT, lengths, np.inf)
    return rows
