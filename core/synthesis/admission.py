"""How many texts of a batch people are asked about, and which answers admit it."""

import math

FEWEST_ASKED, SHARE_ASKED = 10, 0.2  # texts of a batch: all of fewer
CONFIRMED = 90  # of 100 texts of the sample


def sample_size(kept: int) -> int:
    """Of a batch of which the guards kept so many texts."""
    return min(kept, max(FEWEST_ASKED, math.ceil(SHARE_ASKED * kept)))


def fewest_confirmed(asked: int) -> int:
    """Of those asked about, how many must have the batch's label."""
    return -(-CONFIRMED * asked // 100)


def admits(confirmed: int, asked: int) -> bool:
    """Whether the batch is admitted when so many of those asked about have its label."""
    return confirmed >= fewest_confirmed(asked)
