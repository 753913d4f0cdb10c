"""Separation of training and golden set: a row that equals a golden example, or is a near-duplicate of one, does not
train."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.jobs import Execute, execute_here, unheard
from core.learning.data.golden import Golden
from core.learning.data.inputs import Input
from core.learning.data.near_duplicates import find_near
from core.learning.data.picture_similarity import NEAR
from core.learning.data.similarity_check import Beside, count_leaks
from core.learning.data.snapshots import LeakageError, Row
from core.policy import QueuePolicy
from core.records.learning import Snapshot, SnapshotRow

CHECKED = 200  # the most rows, and golden examples, checked per snapshot: at most a tenth of a second per hundred
PICTURES = 2_000  # the newest pictures with which each is compared: with 200 new ones, half a second
# Added to the threshold, so that a row just under it is no leak. Two orders of summation differ by less.
ABOVE = 0.01
EQUAL = 1 - 1e-9  # the cosine of equal texts may be a little below 1


@dataclass(frozen=True)
class Proven:
    """The rows, by content hash, and the golden examples up to an id that were checked for the newest snapshot. Pairs
    of both need no second check."""

    rows: frozenset[str] = frozenset()
    golden_up_to: int = 0


def exclude_near_duplicates(
    rows: Sequence[Row], golden: Sequence[Golden], policy: QueuePolicy, execute: Execute = execute_here
) -> list[Row]:
    """The rows that neither equal a golden example nor are near one; `execute` compares them. Raises LeakageError if a
    row is left whose content equals a golden example or was found near one."""
    hashes = {example.content_hash for example in golden}
    others = [row for row in rows if row.content_hash not in hashes]
    inputs, tested = [row.input for row in others], [example.input for example in golden]
    close = execute(find_near, inputs, tested, policy.golden.near_duplicate, report=unheard)
    kept = [row for row, is_close in zip(others, close, strict=True) if not is_close]
    _assert_no_leak(kept, hashes, {row.content_hash for row, is_close in zip(others, close, strict=True) if is_close})
    return kept


def proven(session: Session, queue_id: int, policy: QueuePolicy) -> Proven:
    """The rows and golden examples that were already checked. None before the first snapshot, and none under another
    policy, because its threshold may differ."""
    newest = select(Snapshot).where(Snapshot.queue_id == queue_id).order_by(Snapshot.id.desc()).limit(1)
    snapshot = session.scalar(newest)
    if snapshot is None or snapshot.policy_fingerprint != policy.fingerprint:
        return Proven()
    rows = session.scalars(select(SnapshotRow.content_hash).where(SnapshotRow.snapshot_id == snapshot.id))
    return Proven(frozenset(rows), snapshot.golden_up_to)


def check_apart(
    rows: Sequence[Row],
    golden: Sequence[Golden],
    before: Proven,
    policy: QueuePolicy,
    execute: Execute = execute_here,
) -> None:
    """Check independently of the filter that no row is near a golden example, in its text or in a picture; `execute`
    compares them.

    Pairs are checked if one of them is new: the newest `CHECKED` new rows beside all golden examples, and as many new
    golden examples beside all rows; see `count_alike` for what this may miss. before: what has been checked already.
    Raises LeakageError.
    """
    fresh = [row.input for row in rows if row.content_hash not in before.rows]
    later = [one.input for one in golden if one.id > before.golden_up_to]
    sides = ((fresh, [one.input for one in golden]), (later, [row.input for row in rows]))
    texts, pictures = execute(
        count_leaks, [_texts(*side) for side in sides], min(policy.golden.near_duplicate + ABOVE, EQUAL),
        [_pictures(*side) for side in sides], min(NEAR + ABOVE, EQUAL), report=unheard,
    )  # fmt: skip
    if texts:
        raise LeakageError(f"{texts} texts of the training set and the golden set are near-duplicates")
    if pictures:
        raise LeakageError(f"{pictures} pictures of the training set and the golden set are near-duplicates")


def _texts(new: Sequence[Input], others: Sequence[Input]) -> Beside[str]:
    fresh = [one.text for one in new if one.text][-CHECKED:]
    return fresh, [one.text for one in others if one.text] if fresh else []


def _pictures(new: Sequence[Input], others: Sequence[Input]) -> Beside[bytes]:
    """The pictures of the newest inputs, beside those of the newest others."""
    greys, known = ([grey for one in inputs if one.image for grey in one.image.greys] for inputs in (new, others))
    return greys[-CHECKED:], known[-PICTURES:] if greys else []


def _assert_no_leak(rows: Sequence[Row], golden: Collection[str], close: Collection[str]) -> None:
    """golden: content hashes of golden examples; close: of rows near one. `check_apart` computes similarities again."""
    exact = sum(row.content_hash in golden for row in rows)
    near_golden = sum(row.content_hash in close for row in rows)
    if exact or near_golden:
        raise LeakageError(f"{exact} equal and {near_golden} near-golden rows are left in the training set")
