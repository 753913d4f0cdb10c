"""Values of more than 8 bits as greys."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CLIPPED = 0.5  # percentiles at both ends, where a few very bright values would make the rest black


def eight_bits(values: NDArray[Any], clipped: bool = True) -> NDArray[np.uint8]:
    """From the darkest to the brightest value; clipped: without half a per cent at each end. The same value everywhere
    becomes 0."""
    low, high = np.percentile(values, [CLIPPED, 100 - CLIPPED]) if clipped else (values.min(), values.max())
    if low == high:
        low, high = values.min(), values.max()
    scaled = (values - low) * (255 / max(float(high - low), 1e-9))
    greys: NDArray[np.uint8] = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    return greys
