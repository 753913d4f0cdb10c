"""Near-duplicate pictures, by the cosine of 32 x 32 grey values, from which each picture's mean is subtracted.

It finds a picture that was saved again as a JPEG or turned by two degrees, and tells X-rays of different patients
apart, which hashes of a few bits do not (docs/methods.md)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
SIDE = 64  # pixels of a side of the stored grey values
COMPARED = 32  # pixels of a side in the comparison: means of 2 x 2
NEAR = 0.98  # at .95, 8 of 3,882 X-rays are near one of another patient; at .99, 7 % of changed copies are missed
FLAT = 1e-3  # a picture whose values without their mean have a smaller length is flat, up to rounding
CELLS = 10_000_000  # similarities in memory at a time: 40 MB


def near_pictures(greys: Sequence[bytes], golden: Sequence[bytes], threshold: float = NEAR) -> BoolArray:
    """Whether each picture is near a golden one. greys, golden: 64 x 64 bytes each. threshold: above 0, at most 1.
    Returns shape (greys,). A picture of a single value is near none; the content hash finds equal ones."""
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
    """The pictures as rows, shape (greys, 1024), of mean 0 and length 1; rows of zeros for flat pictures."""
    values = np.frombuffer(b"".join(greys), dtype=np.uint8).reshape(len(greys), SIDE, SIDE).astype(np.float32)
    times = SIDE // COMPARED
    rows: NDArray[np.float32] = (
        values.reshape(len(greys), COMPARED, times, COMPARED, times).mean(axis=(2, 4)).reshape(len(greys), -1)
    )
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > FLAT, lengths, np.inf)
    return rows
