"""The rows behind a queue's promise: how many were accepted or reviewed, and the answers in their random samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.intake.cuts import Unscored
from core.intake.drift_watch import last_alarm
from core.intake.scores import score_of
from core.learning.data.inputs import Input
from core.quality.promise import AGE, ALWAYS_UNSEEN, WINDOW, SampledStratum, Strata
from core.records.learning import Live
from core.records.predictions import Flag, Prediction, WaitingPrediction
from core.records.reviews import CLOCKS_APART, Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import Reason, WaitState

_REVIEWED = Prediction.flag_probability >= 1


@dataclass(frozen=True)
class SampledRow:
    """A row that was drawn at random, or that a rule sent to people for the present model. unscored: its input, if
    another model answered it. settled: the label that people settled; None: no label fits, or not settled; is_settled
    tells these two apart. went_unseen: a rule flagged it, and its turn has not come."""

    prediction_id: int
    is_reviewed: bool
    is_present: bool
    label: str | None
    score: float
    settled: str | None
    is_settled: bool
    went_unseen: bool
    unscored: Unscored | None


@dataclass(frozen=True)
class PromiseSample:
    """The sample, and counts: numbers of rows by whether a rule sent them to people and whether the present model
    answered them."""

    counts: Mapping[tuple[bool, bool], int]
    rows: tuple[SampledRow, ...]

    def strata(self, said: Mapping[int, tuple[str, float]]) -> Strata:
        """The strata of the bound. said: label, and score in [0, 1], that the present model gives to the rows that
        another model answered. Rows without them, because they were erased or cannot be read, count as wrong and
        unseen."""
        counts = self.counts
        accepted = counts.get((False, True), 0) + counts.get((False, False), 0)
        return Strata(
            self._stratum(accepted, [row for row in self.rows if not row.is_reviewed], said),
            self._stratum(counts.get((True, True), 0), [r for r in self.rows if r.is_reviewed and r.is_present], said),
            self._stratum(
                counts.get((True, False), 0), [r for r in self.rows if r.is_reviewed and not r.is_present], said
            ),
        )

    def _stratum(
        self, rows: int, sampled: Sequence[SampledRow], said: Mapping[int, tuple[str, float]]
    ) -> SampledStratum:
        answers = [(row, *said.get(row.prediction_id, (row.label, row.score))) for row in sampled]
        wrong = [
            ALWAYS_UNSEEN if row.went_unseen else score
            for row, label, score in answers
            if not row.is_settled or label is None or label != row.settled
        ]
        return SampledStratum(rows, len(sampled), tuple(wrong))


def window_began(session: Session, queue_id: int, model: str, since: datetime, now: datetime) -> datetime:
    """The time from which on rows count: 60 days ago, but not before the last drift alarm and, once another model has
    gone live, not before rows were first held back (`since`). For a sender's own model, which cannot score other
    models' rows: not before its first row."""
    began = max(now - WINDOW, last_alarm(session, queue_id) or now - WINDOW)
    live = session.get(Live, queue_id)
    if live is not None and live.model_id is not None and live.changed_at is not None:
        return max(began, min(since, live.changed_at))
    first = select(func.min(Prediction.created_at)).where(Prediction.queue_id == queue_id)
    return max(began, session.scalar(first.where(Prediction.model_version == model)) or began)


def promise_sample(session: Session, queue_id: int, model: str, began: datetime, now: datetime) -> PromiseSample:
    """The sample of the rows that came since `began` and are at least three days old. model: the present one."""
    mine = (
        Prediction.queue_id == queue_id, Prediction.lot_probability > 0, Prediction.label.is_not(None),
        Prediction.created_at >= began, Prediction.created_at <= now - AGE,
    )  # fmt: skip
    present = Prediction.model_version == model
    counted = select(_REVIEWED, present, func.count()).where(*mine).group_by(_REVIEWED, present)
    counts = {(bool(reviewed), bool(is_present)): n for reviewed, is_present, n in session.execute(counted)}
    sampled = (
        (_REVIEWED & present) | (~_REVIEWED & _drawn(Reason.AUDIT)) | (_REVIEWED & ~present & _drawn(Reason.HELD_BACK))
    )
    waited = select(WaitingPrediction.id).where(
        WaitingPrediction.prediction_id == Prediction.id, WaitingPrediction.reason == Reason.UNCERTAIN,
        WaitingPrediction.state != WaitState.OPENED,
    )  # fmt: skip
    settled = (
        select(ReviewItem.prediction_id, Correction.label)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Correction.queue_id == queue_id, Correction.is_current, ABOUT_PREDICTION)
        .where(Correction.settled_at >= began - CLOCKS_APART)  # otherwise all items ever would be read
        .subquery()
    )
    found = (
        select(Prediction, settled.c.label, settled.c.prediction_id.is_not(None), waited.exists())
        .outerjoin(settled, settled.c.prediction_id == Prediction.id)
        .where(*mine, sampled)  # not ordered by id: SQLite would read all predictions for that
    )
    rows = (_row(row, label, bool(known), bool(unseen), model) for row, label, known, unseen in session.execute(found))
    return PromiseSample(counts, tuple(sorted(rows, key=lambda row: row.prediction_id)))


def _drawn(reason: Reason) -> ColumnElement[bool]:
    return select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == reason).exists()


def _row(row: Prediction, label: str | None, is_settled: bool, went_unseen: bool, model: str) -> SampledRow:
    """The row as a sample. If another model answered it, it is not known yet how the present model would."""
    is_present = row.model_version == model
    readable = not is_present and row.erased_at is None
    return SampledRow(
        prediction_id=row.id,
        is_reviewed=row.flag_probability >= 1,
        is_present=is_present,
        label=row.label if is_present else None,
        score=score_of(row) if is_present else ALWAYS_UNSEEN,
        settled=label,
        is_settled=is_settled,
        went_unseen=went_unseen,
        unscored=Unscored(row.id, Input.of(row.text, row.image_url, row.fields)) if readable else None,
    )
