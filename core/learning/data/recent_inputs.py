"""The newest stored inputs of a queue, on which two models are compared without labels."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.data.inputs import Input
from core.learning.data.pixels import with_pixels
from core.learning.data.traffic import IS_TRAFFIC
from core.records.predictions import Prediction
from core.vocabulary import Modality

LOOKED_AT = 10  # the most rows read per wanted input, so that a queue of duplicates is not read to its beginning
PAGE = 1_000  # rows fetched at a time


def recent_inputs(session: Session, queue_id: int, readers: Sequence[Collection[Modality]], most: int) -> list[Input]:
    """The newest inputs that all models can read, newest first, each content once and at most `most`, from the newest
    `10 * most` predictions. readers: the modalities that each model reads. Erased inputs are left out."""
    rows = session.execute(
        select(Prediction.content_hash, Prediction.text, Prediction.image_url, Prediction.fields, Prediction.group)
        .where(Prediction.queue_id == queue_id, Prediction.erased_at.is_(None), IS_TRAFFIC)
        .order_by(Prediction.created_at.desc(), Prediction.id.desc())
        .limit(LOOKED_AT * most)
        .execution_options(yield_per=PAGE)
    )
    found: dict[str, Input] = {}
    for page in rows.partitions():
        inputs = with_pixels(session, queue_id, [Input.of(*row[1:]) for row in page])
        for row, one in zip(page, inputs, strict=True):
            if len(found) < most and all(one.has_any(reads) for reads in readers):
                found.setdefault(row[0], one)
        if len(found) == most:
            rows.close()
            break
    return list(found.values())
