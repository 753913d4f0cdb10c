"""Between training and golden set: what equals a golden example, or is close to one, does not train."""

from collections.abc import Collection, Sequence

from core.learning.data.golden import Golden
from core.learning.data.near_duplicates import near
from core.learning.data.snapshots import LeakageError, Row
from core.policy import QueuePolicy


def exclude_near_duplicates(rows: Sequence[Row], golden: Sequence[Golden], policy: QueuePolicy) -> list[Row]:
    """The rows that neither equal a golden example nor are near one. Raises LeakageError if a row is left whose content
    equals a golden example or was found near one."""
    hashes = {example.content_hash for example in golden}
    others = [row for row in rows if row.content_hash not in hashes]
    close = near([row.input for row in others], [example.input for example in golden], policy.golden.near_duplicate)
    kept = [row for row, is_close in zip(others, close, strict=True) if not is_close]
    _assert_no_leak(kept, hashes, {row.content_hash for row, is_close in zip(others, close, strict=True) if is_close})
    return kept


def _assert_no_leak(rows: Sequence[Row], golden: Collection[str], close: Collection[str]) -> None:
    """golden: content hashes of golden examples; close: of rows near one. The similarities themselves are not computed
    twice: that took as long again as a tenth of the fit."""
    exact = sum(row.content_hash in golden for row in rows)
    near_golden = sum(row.content_hash in close for row in rows)
    if exact or near_golden:
        raise LeakageError(f"{exact} equal and {near_golden} near-golden rows are left in the training set")
