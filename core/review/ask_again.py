"""Asking people again about a stored label: of a golden example, or of a row that trains.

The item is blind: it shows neither the label nor who gave it. core/review/corrections.py has the effects of settling
it. Callers check who may ask.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import AlreadySettled, NotFound, Refusal
from core.learning.data.graduation import has_graduated
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.learning import GoldenExample, SeedExample
from core.records.queues import Queue
from core.records.reviews import Correction, ReviewItem
from core.records.synthetic import SyntheticText
from core.review.presenting import items_opened
from core.storage.database import insert
from core.vocabulary import Destination, ItemState, QuestionAbout, Source


def ask_about_golden(session: Session, golden_id: int, person: str, now: datetime, policy: QueuePolicy) -> int:
    """Ask the queue's reviewers whether the label of this golden example is right. Returns the item's id.

    Shares the queue's row with intake, so that the text is not erased meanwhile. Raises NotFound, AlreadySettled where
    the example was withdrawn or has graduated, or Refusal where its text was erased or the question is open already.
    """
    queue = queue_to_fill(session, policy.name)
    example = session.get(GoldenExample, golden_id, populate_existing=True)
    if example is None or example.queue_id != queue.id:
        raise NotFound(f"{policy.shown_title} has no golden example {golden_id}.")
    if example.withdrawn_at is not None:
        raise AlreadySettled(f"Golden example {golden_id} was withdrawn.")
    if example.graduated_in is not None:
        raise AlreadySettled(
            f"Golden example {golden_id} is used for training now: ask about correction {example.correction_id}."
        )
    _check_kept(f"golden example {golden_id}", example.erased_at)
    return _open(session, queue, QuestionAbout.GOLDEN, "golden_id", golden_id, person, now)


def ask_about_training_row(
    session: Session, source: Source, source_id: int, person: str, now: datetime, policy: QueuePolicy
) -> int:
    """Ask the queue's reviewers whether the label of this training row is right. source, source_id: as snapshots name
    it. Returns the item's id. Locks and raises as `ask_about_golden`; raises Refusal also where the correction does not
    train, or a language model wrote the row."""
    queue = queue_to_fill(session, policy.name)
    if source is Source.SEED:
        seed = session.get(SeedExample, source_id, populate_existing=True)
        if seed is None or seed.queue_id != queue.id:
            raise NotFound(f"{policy.shown_title} has no seed example {source_id}.")
        return _ask_about_seed(session, queue, seed, person, now)
    if source is Source.SYNTHETIC:
        raise _written(session, queue, source_id, policy)
    correction = session.get(Correction, source_id, populate_existing=True)
    if correction is None or correction.queue_id != queue.id:
        raise NotFound(f"{policy.shown_title} has no correction {source_id}.")
    if not correction.is_current or not _trains(session, correction):
        raise Refusal(f"Correction {source_id} is not used for training.")
    if correction.item.seed is not None:  # it was an answer about a seed example itself
        return _ask_about_seed(session, queue, correction.item.seed, person, now)
    assert correction.item.prediction is not None, "golden examples do not train"
    _check_kept(f"correction {source_id}", correction.item.prediction.erased_at)
    prediction_id = correction.item.prediction.id
    return _open(session, queue, QuestionAbout.TRAINING_ROW, "prediction_id", prediction_id, person, now)


def _written(session: Session, queue: Queue, text_id: int, policy: QueuePolicy) -> Refusal:
    """The refusal to ask again about a text that a language model wrote."""
    row = session.get(SyntheticText, text_id)
    if row is None or row.queue_id != queue.id:
        return NotFound(f"{policy.shown_title} has no synthetic text {text_id}.")
    return Refusal(
        f"Synthetic text {text_id} was written by a language model. To take it out of training, retire its batch "
        f"({row.batch_id})."
    )


def _trains(session: Session, correction: Correction) -> bool:
    """Whether the correction trains. One that went to the golden set trains once its example has graduated."""
    prediction = correction.item.prediction
    if correction.destination is Destination.GOLDEN and prediction is not None:
        return has_graduated(session, correction.queue_id, prediction.content_hash)
    return correction.destination is Destination.TRAINING


def _ask_about_seed(session: Session, queue: Queue, seed: SeedExample, person: str, now: datetime) -> int:
    _check_kept(f"seed example {seed.id}", seed.erased_at)
    return _open(session, queue, QuestionAbout.TRAINING_ROW, "seed_id", seed.id, person, now)


def _check_kept(name: str, erased_at: datetime | None) -> None:
    if erased_at is not None:
        raise Refusal(f"The text of {name} was erased, so there is nothing to review.")


def _open(
    session: Session, queue: Queue, about: QuestionAbout, column: str, row_id: int, person: str, now: datetime
) -> int:
    """Open an item about the row. column: the item's column for the row that holds its content."""
    values = {"queue_id": queue.id, "about": about, column: row_id, "blind": True, "opened_at": now, "asked_by": person}
    new = insert(session, ReviewItem).values(values).on_conflict_do_nothing().returning(ReviewItem.id)
    item_id: int | None = session.scalar(new)
    if item_id is None:
        open_item = _undecided(session, column, row_id)
        raise Refusal(f"Reviewers are being asked about this label already (item {open_item}).", item_id=open_item)
    items_opened(session, [item_id], queue, now)
    return item_id


def _undecided(session: Session, column: str, row_id: int) -> int | None:
    states = (ItemState.OPEN, ItemState.DISPUTED)
    return session.scalar(
        select(ReviewItem.id).where(getattr(ReviewItem, column) == row_id, ReviewItem.state.in_(states))
    )
