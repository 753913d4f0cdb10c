"""Batches of written texts as rows: locked, ended, retired."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import AlreadySettled, NotFound
from core.learning.lifecycle.presenting import batch_changed
from core.records.reviews import ReviewItem
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.review.presenting import item_changed
from core.vocabulary import BatchProblem, Coded, ItemState, SyntheticState

SYNTHESIS = "synthesis"  # the name of the job
UNFINISHED = (SyntheticState.REQUESTED, SyntheticState.SAMPLED)


class BatchOver(Exception):  # noqa: N818 - a fact: it ended while it was worked on
    """The batch was withdrawn or erased, or another process has finished it."""


def batch_key(batch_id: int) -> str:
    """The key of the batch's job."""
    return f"{SYNTHESIS}:{batch_id}"


def fail_batch(session: Session, batch_id: int, problem: Coded, now: datetime) -> None:
    """End a batch as failed. problem: of `BatchProblem`. Does nothing to a batch that is over or judged. Locks it."""
    batch = locked_batch(session, batch_id)
    if batch.state is SyntheticState.REQUESTED:
        end_batch(batch, SyntheticState.FAILED, problem, now)
        session.flush()
        batch_changed(session, batch_id, now, urgent=True)


def retire_batch(session: Session, batch_id: int, person: str, now: datetime) -> SyntheticState:
    """End a batch: one under way is withdrawn, and one that was admitted trains in no further snapshot. Open items
    about it are closed. Returns its former state. The caller has checked that the person may. Locks the items, then the
    batch. Raises NotFound, and AlreadySettled if it trains nothing anyway."""
    items = locked_sample(session, batch_id)
    batch = locked_batch(session, batch_id)
    before = batch.state
    if before.is_over and before is not SyntheticState.ADMITTED:
        raise AlreadySettled(f"Batch {batch_id} is {before} already: it trains nothing.")
    close_items(session, items, now)
    end_batch(batch, SyntheticState.RETIRED, Coded(BatchProblem.WITHDRAWN), now)
    batch.retired_by = person
    session.flush()
    batch_changed(session, batch_id, now, urgent=True)
    return before


def locked_batch(session: Session, batch_id: int) -> SyntheticBatch:
    """The batch, locked. Raises NotFound."""
    found = session.get(SyntheticBatch, batch_id, with_for_update={"of": SyntheticBatch}, populate_existing=True)
    if found is None:
        raise NotFound(f"There is no batch {batch_id} of written texts.")
    return found


def locked_sample(session: Session, batch_id: int) -> Sequence[ReviewItem]:
    """The items about texts of this batch, in the order of their ids. They are locked before their batch, as clicks
    lock them."""
    found = select(ReviewItem).join(SyntheticText, SyntheticText.id == ReviewItem.synthetic_id)
    found = found.where(SyntheticText.batch_id == batch_id).order_by(ReviewItem.id)
    locking = found.with_for_update(of=ReviewItem).execution_options(populate_existing=True)
    return session.scalars(locking).unique().all()


def close_items(session: Session, items: Sequence[ReviewItem], now: datetime) -> None:
    """Close the undecided ones of these items. The caller holds them."""
    for item in items:
        if item.state.is_undecided:
            item.state, item.settled_at, item.disputed_because, item.disputed_values = ItemState.CLOSED, now, "", {}
            item_changed(session, item.id, now, urgent=True)


def end_batch(batch: SyntheticBatch, state: SyntheticState, problem: Coded | None, now: datetime) -> None:
    """Store the state in which a batch is over. The caller holds it, and redraws its card."""
    batch.state, batch.decided_at = state, now
    if problem is not None:
        batch.problem, batch.problem_values = problem.code, dict(problem.values)
