"""Items about predictions and their corrections in pages, for other systems and for files. An item has no text, since
the sender has it. A correction has everything that a model or a person can learn from it, masked as the policy says."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, takewhile

from sqlalchemy import func, select
from sqlalchemy.orm import Session, lazyload

from core.learning.data.golden import golden_among
from core.learning.data.inputs import Input
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.predictions import Flag, Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.content import shown_input
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import AnswerKind, Destination, ErrorReason, ItemState, Reason, Settler

MOST_CHARACTERS = 5_000_000  # of the texts in one page of corrections, to bound its memory
SAID = (AnswerKind.LABEL, AnswerKind.NONE_OF_THESE, AnswerKind.CANNOT_JUDGE)


@dataclass(frozen=True)
class ItemLine:
    """One review item. Votes are left out: they are hidden until the item is settled."""

    id: int
    external_id: str
    model_version: str
    model_label: str | None
    confidence: float | None
    flags: tuple[Reason | str, ...]
    state: ItemState
    blind: bool
    opened_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class GivenAnswer:
    """A reviewer's answer, with their reason and note. Only the first two kinds are votes; label: None for the others.
    person: their id where the policy reveals names, else None."""

    kind: AnswerKind
    label: str | None
    reason: ErrorReason | None
    note: str
    person: str | None


@dataclass(frozen=True)
class CorrectionLine:
    """The outcome of an item. text, image_url, group, fields: of the prediction; all empty if it was erased. label:
    None for "none of these". reason, note: of the lead who decided, or the most frequent reason and the first note of
    the votes that won. answers: of all reviewers, oldest first, without skips and withdrawn answers. withheld: it is
    golden, in a queue whose models a service trains; everything that tells the label is then None or empty."""

    id: int
    item_id: int
    external_id: str
    text: str
    image_url: str | None
    group: str | None
    fields: dict[str, str]
    model_version: str
    model_label: str | None
    label: str | None
    model_was_right: bool | None
    reason: ErrorReason | None
    note: str
    tally: dict[str, int]
    answers: tuple[GivenAnswer, ...]
    settled_by: Settler
    destination: Destination
    guideline_version: int
    settled_at: datetime
    withheld: bool = False


@dataclass(frozen=True)
class Corrections:
    """more: whether there are further ones after these."""

    lines: list[CorrectionLine]
    more: bool


def item_page(session: Session, queue_id: int, state: ItemState | None, after: int, limit: int) -> list[ItemLine]:
    """At most `limit` items with a larger id than `after`, oldest first; in this state, or in any."""
    wanted = (
        select(
            ReviewItem.id,
            ReviewItem.prediction_id,
            Prediction.external_id,
            Prediction.model_version,
            Prediction.label,
            Prediction.confidence,
            ReviewItem.state,
            ReviewItem.blind,
            ReviewItem.opened_at,
            ReviewItem.settled_at,
        )
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(ReviewItem.queue_id == queue_id, ReviewItem.id > after, ABOUT_PREDICTION)
        .order_by(ReviewItem.id)
        .limit(limit)
    )
    if state is not None:
        wanted = wanted.where(ReviewItem.state == state)
    found = session.execute(wanted).all()
    flags = _flags(session, [row.prediction_id for row in found])
    return [
        ItemLine(
            row.id, row.external_id, row.model_version, row.label, row.confidence, tuple(flags[row.prediction_id]),
            row.state, row.blind, row.opened_at, row.settled_at,
        )
        for row in found
    ]  # fmt: skip


def correction_page(
    session: Session, queue: QueuePolicy, since: datetime | None, after: int, limit: int, settled_by: datetime
) -> Corrections:
    """At most `limit` current corrections with a larger id than `after`, oldest first; only those settled at `since`
    or later. Fewer where their texts are long: a page has at least one, and up to `MOST_CHARACTERS`.

    The page ends before the first one that was settled after `settled_by`, which should lie a few seconds back: ids are
    given out before the commit, so a younger one may be visible before an older one, and a reader who went on from the
    younger one would never see the older."""
    wanted = (
        select(Correction.id, Correction.settled_at, func.length(Prediction.text))
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(Correction.queue_id == queue_named(session, queue.name).id, Correction.id > after)
        .where(Correction.is_current, ABOUT_PREDICTION)
        .order_by(Correction.id)
        .limit(limit + 1)
    )
    if since is not None:
        wanted = wanted.where(Correction.settled_at >= since)
    ripe = list(takewhile(lambda row: row[1] <= settled_by, session.execute(wanted).all()))
    totals = accumulate(length for _id, _settled_at, length in ripe)
    fit = sum(total <= MOST_CHARACTERS for total in totals)
    ids = [found for found, _settled_at, _length in ripe[: min(max(fit, 1), limit)]]
    return Corrections(_correction_lines(session, ids, queue), more=len(ripe) > len(ids))


def _flags(session: Session, predictions: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    wanted = select(Flag.prediction_id, Flag.reason).where(Flag.prediction_id.in_(predictions)).order_by(Flag.id)
    for prediction_id, reason in session.execute(wanted):
        found[prediction_id].append(reason)
    return found


def _correction_lines(session: Session, ids: Sequence[int], queue: QueuePolicy) -> list[CorrectionLine]:
    found = session.execute(
        select(Correction, Prediction)
        .options(lazyload(Correction.item))
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(Correction.id.in_(ids))
        .order_by(Correction.id)
    ).all()
    answers = _answers(session, [row.item_id for row, _prediction in found], queue)
    golden = _withheld(session, [prediction for _row, prediction in found], queue)
    lines = [
        (_correction_line(row, prediction, answers[row.item_id], queue), prediction.content_hash in golden)
        for row, prediction in found
    ]
    return [_without_label(line) if withheld else line for line, withheld in lines]


def _withheld(session: Session, predictions: Sequence[Prediction], queue: QueuePolicy) -> set[str]:
    """Golden contents of a queue whose models a service trains. The service may read this list, so the list must not
    tell their labels."""
    if not queue.trains_elsewhere:
        return set()
    contents = {row.content_hash for row in predictions}
    return golden_among(session, queue_named(session, queue.name).id, contents)


def _without_label(line: CorrectionLine) -> CorrectionLine:
    return replace(
        line, label=None, model_was_right=None, reason=None, note="", tally={}, answers=(), withheld=True
    )  # fmt: skip


def _answers(session: Session, items: Sequence[int], queue: QueuePolicy) -> dict[int, list[GivenAnswer]]:
    found: dict[int, list[GivenAnswer]] = defaultdict(list)
    named = queue.review.reveal == "names"
    wanted = select(Answer).where(Answer.item_id.in_(items), Answer.is_current, Answer.kind.in_(SAID))
    for row in session.scalars(wanted.order_by(Answer.id)):
        note, person = queue.privacy.shown(row.note), row.person if named else None
        found[row.item_id].append(GivenAnswer(row.kind, row.label, row.reason, note, person))
    return found


def _correction_line(
    row: Correction, prediction: Prediction, answers: Sequence[GivenAnswer], queue: QueuePolicy
) -> CorrectionLine:
    shown = shown_input(Input.of(prediction.text, prediction.image_url, prediction.fields), queue)
    return CorrectionLine(
        id=row.id,
        item_id=row.item_id,
        external_id=prediction.external_id,
        text=shown.text,
        image_url=shown.image_url,
        group=prediction.group,
        fields=dict(shown.fields),
        model_version=prediction.model_version,
        model_label=prediction.label,
        label=row.label,
        model_was_right=bool(row.model_was_right),
        reason=row.reason,
        note=queue.privacy.shown(row.note),
        tally=row.tally,
        answers=tuple(answers),
        settled_by=row.settled_by,
        destination=row.destination,
        guideline_version=row.guideline_version,
        settled_at=row.settled_at,
    )
