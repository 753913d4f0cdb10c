"""Parallel predictions, as rows: those of a model in shadow or canary, beside the answer that was returned. A worker
makes them from stored predictions, so that a caller waits for one model only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, select, union_all
from sqlalchemy.orm import Session

from core.learning.data.inputs import Input
from core.learning.data.pixels import with_pixels
from core.records.predictions import Prediction
from core.records.rollout import Canary, ParallelPrediction, Shadow
from core.storage.bulk import Bulk, insert_all

PIECE = 200  # predictions in one transaction
FORGOTTEN = 1000  # rows deleted in one transaction
SETTLES = timedelta(seconds=5)  # ids are given out before the commit: an older one may still be on its way

_ROWS = Bulk(
    cast(Table, ParallelPrediction.__table__),
    same=("model_id", "created_at"),
    each=("prediction_id", "label", "confidence"),
    key=("model_id", "prediction_id"),
)


@dataclass(frozen=True)
class Answered:
    """A stored prediction with its input."""

    prediction_id: int
    model_version: str
    input: Input


def answered_since(
    session: Session, queue_id: int, after: int, until: datetime, now: datetime, versions: Sequence[str] = ()
) -> list[Answered]:
    """A piece of the predictions with larger ids than `after` that came before `until`, oldest first. versions: only of
    these models; empty: of any."""
    found = session.execute(
        select(Prediction.id, Prediction.model_version, Prediction.text, Prediction.image_url, Prediction.fields)
        .where(
            Prediction.queue_id == queue_id,
            Prediction.id > after,
            Prediction.created_at < until,
            Prediction.created_at <= now - SETTLES,
            Prediction.label.is_not(None),
            Prediction.erased_at.is_(None),
            *([Prediction.model_version.in_(versions)] if versions else []),
        )
        .order_by(Prediction.id)
        .limit(PIECE)
    ).all()
    inputs = with_pixels(session, queue_id, [Input.of(text, url, fields) for _id, _version, text, url, fields in found])
    return [Answered(row[0], row[1], one) for row, one in zip(found, inputs, strict=True)]


def store_parallel(session: Session, model_id: int, said: Mapping[int, Mapping[str, float]], now: datetime) -> None:
    """Store a model's predictions. said: prediction -> label -> probability. Predictions whose input was erased
    meanwhile are left out: the rows are locked (shared) until the transaction ends. Repeating it is safe."""
    still = session.scalars(
        select(Prediction.id)
        .where(Prediction.id.in_(said), Prediction.erased_at.is_(None))
        .with_for_update(read=True, of=Prediction)
    )
    rows = []
    for prediction_id in still:
        chances = said[prediction_id]
        label = max(chances, key=lambda name: (chances[name], name))
        rows.append({"prediction_id": prediction_id, "label": label, "confidence": chances[label]})
    insert_all(session, _ROWS, {"model_id": model_id, "created_at": now}, rows)


def erase_parallel(session: Session, predictions: Sequence[int]) -> None:
    """Erase the parallel predictions for these inputs."""
    if predictions:
        session.execute(delete(ParallelPrediction).where(ParallelPrediction.prediction_id.in_(predictions)))


def forget_parallel(session: Session, before: datetime) -> int:
    """Delete some of the parallel predictions that were made before then, unless their shadow or canary still runs; its
    counts are kept. Returns how many."""
    runs = union_all(
        select(Shadow.model_id).where(Shadow.finished_at.is_(None)),
        select(Canary.model_id).where(Canary.finished_at.is_(None)),
        select(Canary.former_model_id).where(Canary.finished_at.is_(None)),
    )
    table = ParallelPrediction.__table__.c
    found = (
        select(table.model_id, table.prediction_id)
        .where(table.created_at < before, table.model_id.not_in(runs))
        .limit(FORGOTTEN)
    )
    rows = session.execute(found).all()
    for model_id in {model_id for model_id, _prediction in rows}:
        ids = [prediction for model, prediction in rows if model == model_id]
        session.execute(delete(ParallelPrediction).where(table.model_id == model_id, table.prediction_id.in_(ids)))
    return len(rows)
