"""Immutable training sets: the rows on which a model was trained, each with its source."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, func, or_, select, true, update
from sqlalchemy.orm import Session

from core.learning.data.erased_rows import SEED_OF_ROW, WRITTEN_ROW, erased_rows
from core.learning.data.golden import Golden
from core.learning.data.inputs import Example, Input
from core.learning.data.pixels import with_pixels
from core.policy import QueuePolicy
from core.policy.retraining import AUTO
from core.records.learning import GoldenExample, SeedExample, Snapshot, SnapshotRow
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.records.synthetic import SyntheticText
from core.storage import bulk
from core.vocabulary import Destination, QuestionAbout, Source

SEED_WEIGHT = 1.0  # the weight of a row that no model has predicted
UNMEASURED_WEIGHT = 2.0  # the weight of a row that corrects the model, until a run has measured it; docs/methods.md
NO_LABEL = ""  # the label of a correction that removes a row; no label of a policy is empty

# The columns of an input, of a seed example or of a prediction.
_STORED = (
    SeedExample.text, SeedExample.image_url, SeedExample.group,
    Prediction.text, Prediction.image_url, Prediction.fields, Prediction.group,
)  # fmt: skip
_ROW = (SnapshotRow.source, SnapshotRow.source_id, SnapshotRow.label, SnapshotRow.weight, SnapshotRow.content_hash)

# Must be quick: on SQLite no click is stored meanwhile.
ROWS = bulk.Bulk(
    cast(Table, SnapshotRow.__table__),
    same=("snapshot_id",),
    each=("position", "source", "source_id", "content_hash", "label", "weight"),
)


class LeakageError(Exception):
    """A golden example is among the training rows. Never expected: the snapshot is not stored."""


class ErasedMeanwhileError(Exception):
    """A row was erased between gathering and storing. The snapshot or model that contains it is not stored."""


@dataclass(frozen=True, slots=True)
class Row:
    source: Source
    source_id: int
    input: Input
    label: str
    weight: float
    content_hash: str
    graduate: bool = field(default=False, compare=False)  # it was golden; only set when gathered, not stored
    corrects: bool = field(default=False, compare=False)  # it corrects a model; only set when gathered, not stored

    @property
    def example(self) -> Example:
        return Example(self.input, self.label, self.weight, self.source is Source.SYNTHETIC)


def gather(session: Session, queue_id: int, policy: QueuePolicy, graduating: Collection[int] = ()) -> list[Row]:
    """Every row that may train: seeds, corrections that went to training, and golden examples that have graduated or
    are graduating (ids), with their golden label. For each content the newest label counts, and a correction counts
    before a seed. Rows with labels that left the policy are left out, and so are rows about which people were asked
    again and found no label. The order is fixed."""
    found = _graduates(session, queue_id, policy, graduating)
    graduated = {row.content_hash for _as_of, row in found}
    found += [(row.source_id, row) for row in _corrections(session, queue_id, policy, graduated)]
    corrected = {
        row.content_hash: row
        for _as_of, row in sorted(found, key=lambda one: (one[0], one[1].graduate))  # of equal ids, the graduate counts
        if row.label in policy.label_names or row.label == NO_LABEL
    }
    seeds = [
        row
        for row in _seeds(session, queue_id)
        if row.content_hash not in corrected and row.label in policy.label_names
    ]
    labelled = [row for row in corrected.values() if row.label != NO_LABEL]
    return _with_pixels(session, queue_id, seeds + sorted(labelled, key=lambda row: row.source_id))


def store(
    session: Session,
    queue_id: int,
    rows: Sequence[Row],
    left_out: int,
    golden: Sequence[Golden],
    now: datetime,
    policy: QueuePolicy,
    graduating: Collection[int] = (),
    graduates_left_out: int = 0,
) -> Snapshot:
    """Store the snapshot. left_out: the number of rows that were removed as near-duplicates of `golden`;
    graduates_left_out: how many of these were golden once. graduating: golden examples that train from now on; the
    caller has locked them and the Live row. Raises LeakageError if a row became golden since it was gathered, and
    ErasedMeanwhileError if one was erased."""
    _check_not_golden(session, queue_id, rows, graduating)
    snapshot = Snapshot(
        queue_id=queue_id,
        content_hash=content_hash_of(rows),
        rows=len(rows),
        near_golden_left_out=left_out,
        graduated=len(graduating),
        graduates_left_out=graduates_left_out,
        golden_up_to=max((example.id for example in golden), default=0),
        policy_fingerprint=policy.fingerprint,
        created_at=now,
    )
    session.add(snapshot)
    session.flush()
    session.execute(update(GoldenExample).where(GoldenExample.id.in_(graduating)).values(graduated_in=snapshot.id))
    stored = [_as_stored(position, row) for position, row in enumerate(rows)]
    bulk.insert_all(session, ROWS, {"snapshot_id": snapshot.id}, stored)
    if erased_rows(session, snapshot.id)[0]:
        raise ErasedMeanwhileError("training rows have been erased since they were gathered")
    return snapshot


def _check_not_golden(session: Session, queue_id: int, rows: Sequence[Row], graduating: Collection[int]) -> None:
    """Raises LeakageError if a row is golden. graduating: ids of golden examples that are allowed among the rows."""
    golden_now = set(
        session.scalars(
            select(GoldenExample.content_hash).where(
                GoldenExample.queue_id == queue_id,
                GoldenExample.erased_at.is_(None),
                GoldenExample.graduated_in.is_(None),
                GoldenExample.id.not_in(graduating),
            )
        )
    )
    leaked = sum(row.content_hash in golden_now for row in rows)
    if leaked:
        raise LeakageError(f"{leaked} training rows have become golden meanwhile")


def _as_stored(position: int, row: Row) -> dict[str, Any]:
    return {
        "position": position,
        "source": row.source.value,
        "source_id": row.source_id,
        "content_hash": row.content_hash,
        "label": row.label,
        "weight": row.weight,
    }


def snapshot_rows(session: Session, snapshot_id: int, start: int = 0, stop: int | None = None) -> list[Row]:
    """The rows of a snapshot in order. Their inputs come from their sources, and are empty if they were erased there.
    start, stop: select a part, as in a slice."""
    found = session.execute(
        select(*_ROW, SyntheticText.text, *_STORED)
        .outerjoin(Correction, (SnapshotRow.source == Source.CORRECTION) & (Correction.id == SnapshotRow.source_id))
        .outerjoin(ReviewItem, ReviewItem.id == Correction.item_id)
        .outerjoin(Prediction, Prediction.id == ReviewItem.prediction_id)
        .outerjoin(SeedExample, SeedExample.id == SEED_OF_ROW)
        .outerjoin(SyntheticText, WRITTEN_ROW)
        .where(SnapshotRow.snapshot_id == snapshot_id, SnapshotRow.position >= start)
        .where(true() if stop is None else SnapshotRow.position < stop)
        .order_by(SnapshotRow.position)
    )
    rows = [
        Row(source, source_id, _input(stored, written or ""), label, weight, hashed)
        for source, source_id, label, weight, hashed, written, *stored in found
    ]
    return _with_pixels(session, session.get_one(Snapshot, snapshot_id).queue_id, rows) if rows else []


def content_hash_of(rows: Sequence[Row]) -> str:
    """SHA-256 over every row in order: content, label, weight, origin."""
    digest = hashlib.sha256()
    for row in rows:
        line = [row.source, row.source_id, row.content_hash, row.label, float(row.weight)]
        digest.update(json.dumps(line).encode() + b"\n")
    return digest.hexdigest()


def _seeds(session: Session, queue_id: int) -> list[Row]:
    """The rows of seed examples. Read as columns, which takes a fifth of the time of objects: most rows of a training
    set are seeds."""
    seed = SeedExample
    found = session.execute(
        select(seed.id, seed.text, seed.image_url, seed.group, seed.label, seed.content_hash)
        .where(seed.queue_id == queue_id, seed.erased_at.is_(None))
        .order_by(seed.id)
    )
    return [
        Row(Source.SEED, seed_id, Input.of(text, image_url, {}, group), label, SEED_WEIGHT, hashed)
        for seed_id, text, image_url, group, label, hashed in found
    ]


def _graduates(
    session: Session, queue_id: int, policy: QueuePolicy, graduating: Collection[int]
) -> list[tuple[int, Row]]:
    """The rows of graduates, each with the id up to which corrections are older than its label. The source of such a
    row is the correction that made it golden."""
    found = session.execute(
        select(GoldenExample, Prediction.label)
        .join(Correction, Correction.id == GoldenExample.correction_id)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(
            GoldenExample.queue_id == queue_id,
            or_(GoldenExample.graduated_in.is_not(None), GoldenExample.id.in_(graduating)),
            GoldenExample.withdrawn_at.is_(None),
            GoldenExample.erased_at.is_(None),
        )
    )
    return [(example.label_as_of, _graduate(example, predicted, policy)) for example, predicted in found]


def _graduate(example: GoldenExample, predicted: str | None, policy: QueuePolicy) -> Row:
    corrects = example.label != predicted
    return Row(
        Source.CORRECTION,
        example.correction_id or 0,
        Input.of(example.text, example.image_url, example.fields, example.group),
        example.label,
        _predicted_weight(corrects, policy),
        example.content_hash,
        graduate=True,
        corrects=corrects,
    )


def _corrections(session: Session, queue_id: int, policy: QueuePolicy, graduated: Collection[str]) -> list[Row]:
    """The rows of corrections, oldest first, so that a newer row of the same content replaces an older one. A
    correction that found no label has `NO_LABEL`: it takes its row out of training. graduated: contents that were
    golden; all their corrections count except those from an audit."""
    digest, erased_at = _of_content("content_hash"), _of_content("erased_at")
    takes_out = and_(ReviewItem.about == QuestionAbout.TRAINING_ROW, Correction.label.is_(None))
    beside_golden = and_(
        ReviewItem.about == QuestionAbout.PREDICTION,
        Correction.destination.in_((Destination.GOLDEN, Destination.NOWHERE)),
        digest.in_(graduated),
    )
    found = session.execute(
        select(Correction.id, Correction.label, ReviewItem.seed_id, Prediction.label, digest, *_STORED)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .outerjoin(Prediction, Prediction.id == ReviewItem.prediction_id)
        .outerjoin(SeedExample, SeedExample.id == ReviewItem.seed_id)
        .where(
            Correction.queue_id == queue_id,
            Correction.is_current,
            or_(Correction.destination == Destination.TRAINING, takes_out, beside_golden),
            erased_at.is_(None),
        )
        .order_by(Correction.id)
    )
    return [
        Row(
            Source.CORRECTION,
            correction_id,
            _input(stored),
            label or NO_LABEL,
            SEED_WEIGHT if seed_id is not None else _predicted_weight(label != predicted, policy),
            hashed,
            corrects=seed_id is None and label != predicted,
        )
        for correction_id, label, seed_id, predicted, hashed, *stored in found
    ]


def _input(stored: Sequence[Any], written: str = "") -> Input:
    """The input of a row. stored: the values of `_STORED`. written: the text, if a language model wrote it."""
    seed, seed_image, seed_group, text, image_url, fields, group = stored
    if seed is not None:
        return Input.of(seed, seed_image, {}, seed_group)
    return Input.of(text or written, image_url, fields or {}, group)


def _with_pixels(session: Session, queue_id: int, rows: Sequence[Row]) -> list[Row]:
    inputs = with_pixels(session, queue_id, [row.input for row in rows])
    return [row if one is row.input else replace(row, input=one) for row, one in zip(rows, inputs, strict=True)]


def _of_content(column: str) -> ColumnElement[Any]:
    """A column of the row that a correction is about: a prediction, or a seed example about which people were asked
    again."""
    return func.coalesce(getattr(Prediction, column), getattr(SeedExample, column))


def _predicted_weight(corrects: bool, policy: QueuePolicy) -> float:
    """The weight of a row that a model has predicted. A row that it got wrong weighs more."""
    if not corrects:
        return policy.retraining.confirmed_weight
    error_weight = policy.retraining.error_weight
    return UNMEASURED_WEIGHT if error_weight == AUTO else error_weight
