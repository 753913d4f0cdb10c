"""Between training and golden set: what equals a golden example, or is close to one, does not train."""

from collections.abc import Sequence

from core.learning.data.golden import Golden
from core.learning.data.near_duplicates import near
from core.learning.data.snapshots import LeakageError, Row
from core.policy import QueuePolicy


def exclude_near_duplicates(rows: Sequence[Row], golden: Sequence[Golden], policy: QueuePolicy) -> list[Row]:
    """The rows that are not near a golden example, and proof of it: raises LeakageError if one is left."""
    hashes = {example.content_hash for example in golden}
    others = [row for row in rows if row.content_hash not in hashes]
    close = near([row.input for row in others], [example.input for example in golden], policy.golden.near_duplicate)
    kept = [row for row, is_close in zip(others, close, strict=True) if not is_close]
    _assert_no_leak(kept, golden, policy)
    return kept


def _assert_no_leak(rows: Sequence[Row], golden: Sequence[Golden], policy: QueuePolicy) -> None:
    hashes = {example.content_hash for example in golden}
    exact = [row for row in rows if row.content_hash in hashes]
    close = near([row.input for row in rows], [example.input for example in golden], policy.golden.near_duplicate)
    if exact or close.any():
        raise LeakageError(f"{len(exact)} equal and {int(close.sum())} near-golden rows are left in the training set")
