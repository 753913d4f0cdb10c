"""The incumbent: what a candidate is compared with, read from the database (core/learning/evaluation/judging.py
judges)."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.data.golden import Golden
from core.learning.data.recent_inputs import recent_inputs
from core.learning.data.snapshots import Row
from core.learning.evaluation.judging import Incumbent
from core.learning.evaluation.stored_texts import TEXTS
from core.learning.learners.stored_model import StoredModel
from core.learning.lifecycle.held_out import stored_right_rows
from core.learning.lifecycle.live_training import live_training
from core.records.learning import GoldenExample, Live
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.vocabulary import Modality


def load_incumbent(
    session: Session, live: Live, model: StoredModel | None, golden: Sequence[Golden], rows: Sequence[Row],
    readers: Sequence[Collection[Modality]],
) -> Incumbent:  # fmt: skip
    """The incumbent. model: the live model. golden: the examples that will be measured. rows: those on which the
    candidate was trained. readers: what the candidate reads, and what the live model reads."""
    incumbent = Incumbent(None, _recorded(session, live.queue_id), _most_common(rows, readers[0]))
    if model is None or live.model_id is None:
        return incumbent
    right = stored_right_rows(session, live.model_id)
    return replace(
        incumbent,
        model=model,
        training=live_training(session, live.model_id, golden),
        right=right.right if right else None,
        texts=recent_inputs(session, live.queue_id, readers, TEXTS),
    )


def _recorded(session: Session, queue_id: int) -> dict[int, str | None]:
    """The answers of the sender's model to the golden examples that came from its predictions."""
    found = session.execute(
        select(GoldenExample.id, Prediction.label)
        .join(Correction, Correction.id == GoldenExample.correction_id)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(GoldenExample.queue_id == queue_id, Prediction.label.is_not(None))
    )
    return dict(found.all())


def _most_common(rows: Sequence[Row], reads: Collection[Modality]) -> str:
    """The most frequent label of the rows that the candidate can learn from; of equally frequent ones, the first by
    name."""
    readable = [row for row in rows if row.input.has_any(reads)]
    counted = Counter(row.label for row in readable or rows)  # all of them may have been erased since
    return min(counted, key=lambda label: (-counted[label], label))
