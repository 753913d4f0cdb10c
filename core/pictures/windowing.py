"""Pixel values of more than 8 bits as 8-bit greys."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CLIPPED = 0.5  # per cent at both ends: otherwise a few very bright values would make the rest black


def eight_bits(values: NDArray[Any], clipped: bool = True) -> NDArray[np.uint8]:
    """Spread the values over 0 to 255, from the darkest to the brightest. clipped: leave out half a per cent at each
    end. A picture of a single value becomes 0."""
    low, high = np.percentile(values, [CLIPPED, 100 - CLIPPED]) if clipped else (values.min(), values.max())
    if low == high:
        low, high = values.min(), values.max()
    scaled = (values - low) * (255 / max(float(high - low), 1e-9))
    greys: NDArray[np.uint8] = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    return greys
