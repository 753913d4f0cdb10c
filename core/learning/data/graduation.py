"""Graduation: past errors that the golden set no longer needs move to training.

Each past error that stays golden is missing from training, and a long list tests little more than a short one. The
newest ones stay golden; older ones graduate, permanently, with the first snapshot that contains them. Figures are in
docs/methods.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from core.policy import GoldenPolicy
from core.records.learning import GoldenExample, LabelSuspect, Live, ModelVersion, Snapshot, TrainingRun
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.storage.database import kind_of
from core.storage.lists import among, as_list
from core.storage.ready import fetch
from core.vocabulary import Destination, ItemState, Origin, QuestionAbout, Stratum


@dataclass(frozen=True)
class Graduate:
    """A past error that graduates, with its current label. label_as_of: corrections up to this id are older."""

    id: int
    label: str
    label_as_of: int


def beyond_cap(past_errors: Sequence[int], eligible_up_to: int, policy: GoldenPolicy) -> list[int]:
    """Ids of past errors that are not kept, ascending. past_errors: ids in any order. eligible_up_to: ids up to this
    one were known when the live model's snapshot was taken, so the live model is not wrong on them by selection.

    Kept are the newest `past_errors` eligible ones, and the newest `past_errors_beyond` of all others.
    """
    newest = sorted(past_errors, reverse=True)
    kept = set([one for one in newest if one <= eligible_up_to][: policy.past_errors])
    kept |= set([one for one in newest if one not in kept][: policy.past_errors_beyond])
    return sorted(set(newest) - kept)


def graduates(session: Session, queue_id: int, policy: GoldenPolicy, lock: bool = False) -> tuple[Graduate, ...]:
    """The past errors that graduate now, oldest first. lock: lock them, where the decision is to be stored; the caller
    holds the Live row then, so that another model cannot become live meanwhile.

    An example stays while its label is suspected or people are asked about it, and for good if an audit drew its
    content.
    """
    ids = session.scalars(select(GoldenExample.id).where(*_capped(queue_id))).all()
    old = beyond_cap(ids, eligible_up_to(session, queue_id), policy)
    free = (
        GoldenExample.content_hash.not_in(_audited(queue_id)),
        GoldenExample.id.not_in(_suspected(queue_id)),
        ~_open_question().exists(),
    )
    due = select(GoldenExample).where(GoldenExample.id.in_(old), *_capped(queue_id), *free).order_by(GoldenExample.id)
    if lock:
        due = due.with_for_update(of=GoldenExample).execution_options(populate_existing=True)
    return tuple(Graduate(row.id, row.label, row.label_as_of) for row in session.scalars(due))


def eligible_up_to(session: Session, queue_id: int) -> int:
    """The last golden example whose near-duplicates were left out of the live model's snapshot; 0 without a live
    model."""
    found = (
        select(Snapshot.golden_up_to)
        .join(TrainingRun, TrainingRun.snapshot_id == Snapshot.id)
        .join(ModelVersion, ModelVersion.run_id == TrainingRun.id)
        .join(Live, Live.model_id == ModelVersion.id)
    )
    return session.scalar(found.where(Live.queue_id == queue_id)) or 0


def has_graduated(session: Session, queue_id: int, content_hash: str) -> bool:
    """Whether this content trains although it was golden once: it never becomes golden again."""
    return bool(graduated_among(session, [(queue_id, content_hash)]))


def graduated_among(session: Session, contents: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of these contents, given as queue and content hash, have graduated."""
    if not contents:
        return set()
    kind = kind_of(session)
    queues, hashes = {queue_id for queue_id, _hash in contents}, {content_hash for _queue, content_hash in contents}
    found = fetch(session, _graduated(kind), {"queues": as_list(kind, queues), "hashes": as_list(kind, hashes)})
    return {(row[0], row[1]) for row in found} & set(contents)


@cache
def _graduated(kind: str) -> Select[int, str]:
    conditions = (among(GoldenExample.queue_id, kind, "queues"), among(GoldenExample.content_hash, kind, "hashes"))
    found = select(GoldenExample.queue_id, GoldenExample.content_hash)
    return found.where(*conditions, GoldenExample.graduated_in.is_not(None))


def _capped(queue_id: int) -> tuple[ColumnElement[bool], ...]:
    """The past errors that the cap counts: pinned ones are kept whatever their age."""
    return (
        GoldenExample.queue_id == queue_id,
        GoldenExample.stratum == Stratum.PAST_ERROR,
        GoldenExample.origin == Origin.FLAGGED,
        GoldenExample.pin.is_(None),
        GoldenExample.graduated_in.is_(None),
        GoldenExample.withdrawn_at.is_(None),
        GoldenExample.erased_at.is_(None),
    )


def _audited(queue_id: int) -> Select[str]:
    """Contents that must not train, since an audit drew them."""
    return (
        select(Prediction.content_hash)
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Correction.queue_id == queue_id, Correction.destination == Destination.HELD_OUT)
    )


def _suspected(queue_id: int) -> Select[int]:
    """Examples whose label may be wrong, and about which no reviewer was asked yet."""
    return select(LabelSuspect.subject_id).where(
        LabelSuspect.queue_id == queue_id,
        LabelSuspect.about == QuestionAbout.GOLDEN,
        LabelSuspect.item_id.is_(None),
    )


def _open_question() -> Select[int]:
    return select(ReviewItem.id).where(
        ReviewItem.golden_id == GoldenExample.id,
        ReviewItem.about == QuestionAbout.GOLDEN,
        ReviewItem.state.in_((ItemState.OPEN, ItemState.DISPUTED)),
    )
