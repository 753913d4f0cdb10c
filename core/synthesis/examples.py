"""The texts that a language model may be shown: a few corrected ones that train, masked; never golden or erased
ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import case, select, true
from sqlalchemy.orm import Session

from core.learning.data.golden import golden_set
from core.learning.data.inputs import Input
from core.learning.data.near_duplicates import near
from core.learning.data.text_similarity import without_near
from core.policy import QueuePolicy
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.synthesis.prompt import MOST_EXAMPLES, Shown, outgoing
from core.vocabulary import Destination

LOOKED_AT = 200  # the newest texts, from which the examples are chosen
ALIKE = 0.8  # cosine of n-grams; a text that resembles a shown one gives a language model no information


@dataclass(frozen=True)
class ShownExample:
    """An example. shown: as it is sent. content_hash: of the whole stored text."""

    correction_id: int
    content_hash: str
    shown: Shown


def examples_for(
    session: Session, queue_id: int, policy: QueuePolicy, label: str, mistaken_for: str | None,
    chosen: Collection[int] | None = None,
) -> list[ShownExample]:  # fmt: skip
    """Corrected texts with this label, at most `MOST_EXAMPLES`, none much like another: first those that the model
    mistook for the other label, then others that it got wrong, then those that people confirmed; in each group the
    newest first. chosen: only these corrections. Texts that are held back, audited, golden or near a golden example are
    not among them."""
    mistaken = case((Prediction.label == mistaken_for, 0), (Prediction.label != label, 1), else_=2)
    corrected = session.execute(
        select(Correction, Prediction)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(
            Correction.queue_id == queue_id,
            Correction.is_current,
            Correction.label == label,
            Correction.destination == Destination.TRAINING,
            ABOUT_PREDICTION,
            Prediction.erased_at.is_(None),
            Prediction.text != "",
            true() if chosen is None else Correction.id.in_(chosen),
        )
        .order_by(mistaken, Correction.id.desc())
        .limit(LOOKED_AT)
    ).all()
    first: dict[str, ShownExample] = {}
    clean = _apart_from_golden(session, queue_id, [row for _one, row in corrected], policy)
    for one, row in corrected:
        if row.content_hash in clean:
            first.setdefault(row.content_hash, _example(one, row, policy))
    found = list(first.values())
    return [found[place] for place in without_near([one.shown.text for one in found], ALIKE)][:MOST_EXAMPLES]


def _apart_from_golden(session: Session, queue_id: int, rows: Sequence[Prediction], policy: QueuePolicy) -> set[str]:
    """Content hashes of the rows that neither equal a golden example nor are near one, withdrawn examples included."""
    golden = golden_set(session, queue_id, with_withdrawn=True)
    inputs = [Input.of(row.text, row.image_url, row.fields, row.group) for row in rows]
    close = near(inputs, [one.input for one in golden], policy.golden.near_duplicate)
    equal = {one.content_hash for one in golden}
    pairs = zip(rows, close, strict=True)
    return {row.content_hash for row, is_close in pairs if not is_close and row.content_hash not in equal}


def _example(correction: Correction, row: Prediction, policy: QueuePolicy) -> ShownExample:
    reason = correction.reason.replace("_", " ") if correction.reason else ""
    note = outgoing(correction.note, policy.privacy)
    why = ": ".join(part for part in (reason, note) if part)
    return ShownExample(correction.id, row.content_hash, Shown(outgoing(row.text, policy.privacy), why))
