"""The share of the traffic for which a training row stands.

People see what was flagged, so uncertain predictions are over-represented among the rows that train. Each prediction
stores how likely one like it was to be flagged; the inverse is for how many such predictions it stands (Horvitz and
Thompson 1952, JASA 47, 663-685)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.data.snapshots import Row
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.vocabulary import Source


def flagged_with(session: Session, queue_id: int) -> dict[int, float]:
    """For each of the queue's current corrections of a drawn prediction, by its id: how likely a prediction like it was
    to be flagged at all. Reported by a person, one was not drawn, and is not among them."""
    found = session.execute(
        select(Correction.id, Prediction.flag_probability)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(Correction.queue_id == queue_id, Correction.is_current, Prediction.flag_probability > 0)
    )
    return dict(found.all())


def traffic_shares(rows: Sequence[Row], probabilities: Mapping[int, float]) -> list[float]:
    """A weight above 0 for each row, in their order; they sum to the number of rows. probabilities: of `flagged_with`.

    Rows with a probability count by its inverse, normalised to their number; the others, such as seeds, were not drawn
    from the traffic and count 1 each. So each of the two kinds keeps its share of the rows."""
    chances = [probabilities.get(row.source_id) if row.source is Source.CORRECTION else None for row in rows]
    inverse = [1 / chance for chance in chances if chance]
    scale = len(inverse) / sum(inverse) if inverse else 1.0
    return [scale / chance if chance else 1.0 for chance in chances]
