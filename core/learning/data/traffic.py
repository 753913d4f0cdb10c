"""The share of the traffic that a training row represents.

Corrections that train come from predictions that a rule flagged; audited ones never train. So flagged traffic is
over-represented among the rows, and unflagged traffic is represented only by seeds. Each kind counts by its
share of the traffic (post-stratification; Holt and Smith 1979, JRSS A 142, 33-46)."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.learning.data.snapshots import Row
from core.records.predictions import Flag, Prediction
from core.vocabulary import Reason, Source

_FOUND = select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == Reason.DISCOVERY)
IS_TRAFFIC = ~_FOUND.exists()  # the input was sent, and not found by a scan
RECENT = 10_000  # predictions: they give the share to within one point, and a long history takes no longer


def flagged_share(session: Session, queue_id: int) -> float | None:
    """The share of the queue's newest predictions that a rule flagged, in [0, 1]; None: it has none."""
    newest = (
        select(Prediction.flag_probability)
        .where(Prediction.queue_id == queue_id, IS_TRAFFIC)
        .order_by(Prediction.id.desc())
        .limit(RECENT)
        .subquery()
    )
    counts = select(func.count().filter(newest.c.flag_probability >= 1), func.count()).select_from(newest)
    flagged, drawn = session.execute(counts).one()
    return flagged / drawn if drawn else None


def traffic_shares(rows: Sequence[Row], flagged: float | None) -> list[float]:
    """A weight for each row, in their order; they sum to the number of rows. flagged: of `flagged_share`.

    Corrections together have the share `flagged` and seeds the rest; rows of a kind have equal weights. All rows have
    equal weights if the share is unknown, is 0 or 1, or if there is only one kind."""
    corrections = sum(row.source is Source.CORRECTION for row in rows)
    seeds = len(rows) - corrections
    if not flagged or flagged >= 1 or not corrections or not seeds:
        return [1.0] * len(rows)
    of_correction, of_seed = flagged * len(rows) / corrections, (1 - flagged) * len(rows) / seeds
    return [of_correction if row.source is Source.CORRECTION else of_seed for row in rows]
