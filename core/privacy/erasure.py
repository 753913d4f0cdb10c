"""Erasure of a person's text from all stored data, permanently. Counts, labels and decisions are kept.

Plain SHA-256 hashes of the text (`content_hash`) are kept, so that importing a seed file again does not bring it back
and a snapshot's hash can still be checked. They are not keyed: a key in the database would protect nothing, and if a
key kept elsewhere were lost, the text could come back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, false, or_, select, update
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.learning.data.erased_rows import models_that_learned_from, runs_that_learn_from
from core.learning.lifecycle.parallel import erase_parallel
from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.submissions import erase_submitted
from core.pictures.stored import erase_unused
from core.policy import QueuePolicy
from core.privacy.found_texts import erase_found, expire_found
from core.privacy.written_texts import batches_written_from, erase_batches, expire_written, texts_of
from core.queues import queue_named
from core.records.learning import GoldenChange, GoldenExample, SeedExample, SnapshotRow
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.flaggers import tell_erased
from core.review.presenting import item_changed
from core.text.content_hash import content_hash
from core.vocabulary import ItemState, Source

BLANK_SEED: Mapping[str, Any] = {"text": "", "image_url": None, "group": None}  # an input, erased
BLANK: Mapping[str, Any] = {**BLANK_SEED, "fields": {}}
UNPINNED: Mapping[str, Any] = {"pin": None, "pinned_by": None, "pinned_at": None}  # another example may be pinned
PIECE = 500  # predictions that retention erases in one transaction: no click waits long


@dataclass(frozen=True)
class Erased:
    """How many rows lost their content in this call. closed: open items that can no longer be judged; messages: cards
    that will be redrawn; models: names of those trained on the content; runs: ids of training runs under way, which
    will train without it; pictures: stored files that no other input needs; finds: texts of scans that waited for
    review; written: texts for which a language model had the content in its prompt."""

    queue: str
    predictions: int
    golden: int
    seeds: int
    notes: int
    closed: int
    messages: int
    models: tuple[str, ...]
    runs: tuple[int, ...]
    pictures: int = 0
    finds: int = 0
    written: int = 0


def erase(session: Session, queue_name: str, external_id: str, now: datetime) -> Erased:
    """Erase the content of every prediction with this external id: text, image and fields. With it go the reviewers'
    notes about it, golden and seed examples and finds of scans with the same content, the reasons for changes of these
    examples (which have no other name by which they could be asked for), and the texts that a language model wrote from
    it. Predictions of the same content under another external id are other tickets, and stay.

    Locks the queue's row against intake, then the predictions and their items. Open items are closed; every card is
    redrawn. Models trained on the content are named, and marked on their cards. Runs under way that contain it are
    named, and fit again without it. Repeating it finds nothing more to erase. Raises NotFound if the queue never had
    such a prediction.
    """
    queue = _closed_to_intake(session, queue_name)
    known = _locked_predictions(session, queue, external_id)
    addresses = {row.image_url for row in known if row.image_url}
    hashes = _content_hashes(known)
    finds = erase_found(session, queue.id, external_id, hashes)
    if not known and not finds:
        raise NotFound(f"The queue {queue_name} has no prediction “{external_id}”.")
    golden_ids, seed_ids = (_kept_examples(session, one, queue, hashes) for one in (GoldenExample, SeedExample))
    batches = batches_written_from(session, queue.id, hashes)
    texts = texts_of(session, batches)
    items = _locked_items(session, known, golden_ids, seed_ids, texts)
    golden = _blank_examples(session, GoldenExample, {**BLANK, **UNPINNED}, queue, hashes, now)
    _blank_changes(session, queue, hashes)
    erase_submitted(session, queue.id, sorted(hashes))
    seeds = _blank_examples(session, SeedExample, BLANK_SEED, queue, hashes, now)
    sources = _corrections_of(session, items), _seeds_of(session, queue, hashes), texts
    models = models_that_learned_from(session, queue.id, *sources)
    runs = runs_that_learn_from(session, queue.id, *sources)
    written = erase_batches(session, batches, now)
    fresh = [row for row in known if row.erased_at is None]
    notes, closed = _blank(session, queue, fresh, items, now)
    pictures = erase_unused(session, queue.id, addresses, now)
    messages = _redraw(session, items, fresh, now)
    for model in models:
        model_changed(session, model.id, now)
    return Erased(
        queue.name, predictions=len(fresh), golden=golden, seeds=seeds, notes=notes, closed=closed, messages=messages,
        models=tuple(model.name for model in models), runs=tuple(runs), pictures=pictures, finds=finds, written=written,
    )  # fmt: skip


def erase_expired(session: Session, policy: QueuePolicy, now: datetime, most: int = PIECE) -> int:
    """Erase, as retention asks, predictions that are older than the policy's days and neither trained a model nor are
    golden. The days count from the settling of their item, or from their arrival if they were never flagged;
    predictions whose item is not settled stay. Locks as `erase` does. Returns how many; fewer than `most` means that
    there are no more for now."""
    days = policy.privacy.retention_days
    if days == 0:
        return 0
    queue = _closed_to_intake(session, policy.name)
    expire_found(session, queue.id, now - timedelta(days=days))
    expire_written(session, queue.id, now - timedelta(days=days))
    ids = session.scalars(_expired(queue, now - timedelta(days=days)).limit(most)).all()
    rows = session.scalars(
        select(Prediction).where(Prediction.id.in_(ids)).order_by(Prediction.id).with_for_update(of=Prediction)
    ).all()
    items = _locked_items(session, rows)
    addresses = [row.image_url for row in rows]
    _blank(session, queue, rows, items, now)
    erase_unused(session, queue.id, addresses, now)
    _redraw(session, items, rows, now)
    return len(rows)


def _expired(queue: Queue, before: datetime) -> Select[Any]:
    trained = select(SnapshotRow.source_id).where(SnapshotRow.source == Source.CORRECTION)
    kept = select(Correction.item_id).where(Correction.queue_id == queue.id, Correction.id.in_(trained))
    needed = select(ReviewItem.id).where(
        ReviewItem.prediction_id == Prediction.id,
        or_(ReviewItem.settled_at.is_(None), ReviewItem.settled_at >= before, ReviewItem.id.in_(kept)),
    )
    golden = select(GoldenExample.content_hash).where(
        GoldenExample.queue_id == queue.id, GoldenExample.erased_at.is_(None)
    )
    return (
        select(Prediction.id)
        .where(
            Prediction.queue_id == queue.id,
            Prediction.erased_at.is_(None),
            Prediction.created_at < before,
            ~needed.exists(),
            Prediction.content_hash.not_in(golden),
        )
        .order_by(Prediction.id)
    )


def _closed_to_intake(session: Session, name: str) -> Queue:
    """The queue's row, locked. Intake shares its lock while it looks for erased ids, so it either sees this erasure or
    has stored its rows before. Votes are not held up: their foreign keys ask only that the key stays."""
    queue_id = queue_named(session, name).id
    return session.get_one(Queue, queue_id, with_for_update={"key_share": True}, populate_existing=True)


def _locked_predictions(session: Session, queue: Queue, external_id: str) -> Sequence[Prediction]:
    return session.scalars(
        select(Prediction)
        .where(Prediction.queue_id == queue.id, Prediction.external_id == external_id)
        .with_for_update(of=Prediction)
        .execution_options(populate_existing=True)
    ).all()


def _content_hashes(predictions: Sequence[Prediction]) -> set[str]:
    """The hashes under which examples may hold this content: of the whole input, of its text alone, and of its picture
    alone."""
    whole = {row.content_hash for row in predictions}
    texts = {content_hash(row.text) for row in predictions if row.text}
    return whole | texts | {content_hash("", row.image_url) for row in predictions if row.image_url}


def _kept_examples(
    session: Session, record: type[GoldenExample] | type[SeedExample], queue: Queue, hashes: set[str]
) -> Sequence[int]:
    return session.scalars(
        select(record.id).where(
            record.queue_id == queue.id, record.content_hash.in_(hashes), record.erased_at.is_(None)
        )
    ).all()


def _locked_items(
    session: Session, predictions: Sequence[Prediction], golden: Sequence[int] = (), seeds: Sequence[int] = (),
    written: Sequence[int] = (),
) -> Sequence[ReviewItem]:  # fmt: skip
    """The items that ask about any of these rows. All but `predictions` are ids."""
    about = [
        column.in_(ids)
        for column, ids in (
            (ReviewItem.prediction_id, [row.id for row in predictions]),
            (ReviewItem.golden_id, golden),
            (ReviewItem.seed_id, seeds),
            (ReviewItem.synthetic_id, written),
        )
        if ids
    ]
    return session.scalars(
        select(ReviewItem)
        .where(or_(false(), *about))
        .order_by(ReviewItem.id)
        .with_for_update(of=ReviewItem)
        .execution_options(populate_existing=True)
    ).all()


def _blank(
    session: Session, queue: Queue, predictions: Sequence[Prediction], items: Sequence[ReviewItem], now: datetime
) -> tuple[int, int]:
    """Empty the predictions and all notes about the items, and close the undecided ones. Returns how many notes were
    emptied and how many items closed."""
    for row in predictions:
        row.text, row.image_url, row.group, row.link, row.fields, row.erased_at = "", None, None, None, {}, now
    erase_parallel(session, [row.id for row in predictions])
    undecided = [item for item in items if item.state in (ItemState.OPEN, ItemState.DISPUTED)]
    for item in undecided:
        item.state, item.disputed_because, item.disputed_values = ItemState.ERASED, "", {}
        tell_erased(session, item, now)
    session.flush()
    ids, notes = [item.id for item in items], 0
    for record in (Answer, Correction):
        emptied = update(record).where(record.item_id.in_(ids), record.note != "").values(note="")
        notes += len(session.scalars(emptied.returning(record.id)).all())
    return notes, len(undecided)


def _blank_examples(
    session: Session,
    record: type[GoldenExample] | type[SeedExample],
    blank: Mapping[str, Any],
    queue: Queue,
    hashes: set[str],
    now: datetime,
) -> int:
    emptied = (
        update(record)
        .where(record.queue_id == queue.id, record.content_hash.in_(hashes), record.erased_at.is_(None))
        .values(**blank, erased_at=now)
        .returning(record.id)
    )
    return len(session.scalars(emptied).all())


def _blank_changes(session: Session, queue: Queue, hashes: set[str]) -> None:
    """Empty the reasons for changes of these golden examples, which may quote them."""
    ids = select(GoldenExample.id).where(GoldenExample.queue_id == queue.id, GoldenExample.content_hash.in_(hashes))
    session.execute(update(GoldenChange).where(GoldenChange.golden_id.in_(ids)).values(reason=""))


def _corrections_of(session: Session, items: Sequence[ReviewItem]) -> Sequence[int]:
    return session.scalars(select(Correction.id).where(Correction.item_id.in_([item.id for item in items]))).all()


def _seeds_of(session: Session, queue: Queue, hashes: set[str]) -> Sequence[int]:
    return session.scalars(
        select(SeedExample.id).where(SeedExample.queue_id == queue.id, SeedExample.content_hash.in_(hashes))
    ).all()


def _redraw(session: Session, items: Sequence[ReviewItem], fresh: Sequence[Prediction], now: datetime) -> int:
    """Redraw the cards that show erased content. fresh: the predictions that this call has erased. Returns how many."""
    ids = {row.id for row in fresh}
    changed = [item for item in items if item.prediction_id is None or item.prediction_id in ids]
    for item in changed:
        item_changed(session, item.id, now, urgent=True)
    return len(changed)
