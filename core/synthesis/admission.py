"""The rule of admission: the size of the sample that people are asked about, and the answers that admit a batch."""

import math

FEWEST_ASKED, SHARE_ASKED = 10, 0.2  # of a batch; of fewer texts, all are in the sample
CONFIRMED = 90  # of 100 texts in the sample


def sample_size(kept: int) -> int:
    """The number of texts that people are asked about, of a batch with so many texts that passed the guards."""
    return min(kept, max(FEWEST_ASKED, math.ceil(SHARE_ASKED * kept)))


def fewest_confirmed(asked: int) -> int:
    """The number of texts that must be confirmed, of those that people are asked about."""
    return -(-CONFIRMED * asked // 100)


def admits(confirmed: int, asked: int) -> bool:
    """Whether the batch is admitted when people confirm so many of the texts that they are asked about."""
    return confirmed >= fewest_confirmed(asked)
