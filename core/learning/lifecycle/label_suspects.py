"""A list of stored labels that may be wrong, golden ones and those of training rows, found after each training run.

Golden and training rows are judged alike, by models that were fitted without the row (core/learning/evaluation/
confident_learning.py). These models are discarded. A candidate's own disagreement with the golden set is no reason to
suspect a golden label: correcting only what a candidate gets wrong would favour that candidate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import Refusal
from core.learning.data.golden import golden_set
from core.learning.data.inputs import Example
from core.learning.data.snapshots import snapshot_rows
from core.learning.evaluation.confident_learning import doubtful_labels
from core.learning.learners.out_of_fold import OutOfFold, out_of_fold
from core.learning.learners.own_encoder import with_own_encoder
from core.policy import Policy, QueuePolicy
from core.records.learning import GoldenExample, LabelSuspect, Live, SeedExample, TrainingRun
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.storage.database import LONG, PATIENT, Database
from core.vocabulary import Destination, QuestionAbout, Source, SuspectReason

SUSPECTS = "suspects"  # the job that makes the list anew

Key = tuple[QuestionAbout, str, int]  # (about, source, id) of a label; source is empty for a golden example


@dataclass(frozen=True, slots=True)
class Subject:
    """A row whose label is checked."""

    key: Key
    example: Example


@dataclass(frozen=True)
class Suspicion:
    """A stored label that may be wrong. suggested: the likelier label. score: how much likelier, in [0, 1]; 1 where
    people gave both labels."""

    key: Key
    reason: SuspectReason
    label: str
    suggested: str
    score: float


def find_suspects(
    database: Database,
    claimed: jobs.Claim,
    clock: Callable[[], datetime],
    policy: Policy,
    execute: jobs.Execute = jobs.execute_here,
    extra_learners: Mapping[str, str] = {},
) -> None:
    """Make the list of suspects anew, for the job of this name.

    1. Read the rows of a run and the golden set. 2. Outside any transaction, `execute` fits the folds. 3. A transaction
    replaces the list and finishes the job. If the rows cannot be learned from, the list has only the conflicts.
    """
    with database.reading(wait=LONG, large=True) as session:
        run = session.get_one(TrainingRun, claimed.payload["run_id"])
        queue = policy.queue(run.queue.name)
        subjects = _subjects(session, run, queue)
    examples = [one.example for one in subjects]
    try:
        learner = queue.retraining.learner
        installed = with_own_encoder(queue, extra_learners)
        said = execute(out_of_fold, learner, installed, examples, run.seed, report=jobs.unheard)
        found = suspicions(subjects, said)
    except Refusal:
        found = []
    with database.transaction(wait=PATIENT) as session:
        session.get_one(Live, run.queue_id, with_for_update=True)  # one list at a time
        jobs.finish(session, claimed)
        store_suspects(session, run.queue_id, [*conflicts(session, run.queue_id), *found], clock())


def suspicions(subjects: Sequence[Subject], said: OutOfFold) -> list[Suspicion]:
    """The suspicious labels, the least plausible first. subjects: in the order in which they were held out."""
    held_out = [subjects[place] for place in said.places]
    given = [said.classes.index(one.example.label) for one in held_out]
    return [
        Suspicion(
            held_out[doubt.place].key,
            SuspectReason.OUT_OF_FOLD,
            held_out[doubt.place].example.label,
            said.classes[doubt.suggested],
            doubt.margin,
        )
        for doubt in doubtful_labels(given, said.probabilities)
    ]


def conflicts(session: Session, queue_id: int) -> list[Suspicion]:
    """Corrections, in training or golden, to whose content a seed example gives another label."""
    found = session.execute(
        select(Correction, SeedExample.label, GoldenExample.id, GoldenExample.label)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .join(
            SeedExample,
            (SeedExample.queue_id == queue_id) & (SeedExample.content_hash == Prediction.content_hash),
        )
        .outerjoin(GoldenExample, GoldenExample.correction_id == Correction.id)
        .where(
            Correction.queue_id == queue_id,
            Correction.is_current,
            Correction.label != SeedExample.label,
            Correction.destination.in_((Destination.TRAINING, Destination.GOLDEN)),
            ReviewItem.about == QuestionAbout.PREDICTION,
            SeedExample.erased_at.is_(None),
        )
        .order_by(Correction.id)
    )
    return [
        _conflict(correction, seed_label, golden_id, golden_label)
        for correction, seed_label, golden_id, golden_label in found
        if correction.destination is Destination.TRAINING or golden_id is not None
    ]


def _conflict(correction: Correction, seed: str, golden_id: int | None, golden_label: str | None) -> Suspicion:
    if golden_id is not None:
        golden: Key = (QuestionAbout.GOLDEN, "", golden_id)
        return Suspicion(golden, SuspectReason.SEED_CONFLICT, golden_label or "", seed, 1.0)
    key: Key = (QuestionAbout.TRAINING_ROW, Source.CORRECTION, correction.id)
    return Suspicion(key, SuspectReason.SEED_CONFLICT, correction.label or "", seed, 1.0)


def store_suspects(session: Session, queue_id: int, found: Sequence[Suspicion], now: datetime) -> None:
    """Replace the queue's list. Suspects about which people were asked stay in it; neither the label that was asked
    about nor the one that people found is suspected again. The caller holds the Live row."""
    session.execute(delete(LabelSuspect).where(LabelSuspect.queue_id == queue_id, LabelSuspect.item_id.is_(None)))
    known = _answered(session, queue_id)
    first = {one.key: one for one in reversed(found) if one.label not in known.get(one.key, set())}
    for one in reversed(first.values()):
        session.add(_row(queue_id, one, now))
    session.flush()


def _row(queue_id: int, one: Suspicion, now: datetime) -> LabelSuspect:
    about, source, subject_id = one.key
    return LabelSuspect(
        queue_id=queue_id,
        about=about,
        source=source,
        subject_id=subject_id,
        reason=one.reason,
        label=one.label,
        suggested=one.suggested,
        score=one.score,
        found_at=now,
    )


def _answered(session: Session, queue_id: int) -> dict[Key, set[str]]:
    """For each subject about which people were asked: the labels that were asked about and those that people found."""
    rows = session.execute(
        select(LabelSuspect, Correction.label)
        .outerjoin(Correction, (Correction.item_id == LabelSuspect.item_id) & Correction.is_current)
        .where(LabelSuspect.queue_id == queue_id, LabelSuspect.item_id.is_not(None))
    )
    known: dict[Key, set[str]] = {}
    for row, label in rows:
        known.setdefault((row.about, row.source, row.subject_id), set()).update({row.label, label or row.label})
    return known


def _subjects(session: Session, run: TrainingRun, policy: QueuePolicy) -> list[Subject]:
    rows = snapshot_rows(session, run.snapshot_id or 0)
    training = [
        Subject((QuestionAbout.TRAINING_ROW, row.source, row.source_id), Example(row.input, row.label))
        for row in rows
        if row.source is not Source.SYNTHETIC  # people were asked about their batch
    ]
    golden = [
        Subject((QuestionAbout.GOLDEN, "", one.id), Example(one.input, one.label))
        for one in golden_set(session, run.queue_id)
    ]
    return [one for one in (*golden, *training) if one.example.label in policy.label_names]


def suspect_list(session: Session, queue_id: int, lock: bool = False) -> list[LabelSuspect]:
    """The suspects about which people were not asked yet: golden examples first; in each group, the least plausible
    label first."""
    golden_first = case((LabelSuspect.about == QuestionAbout.GOLDEN, 0), else_=1)
    listed = (
        select(LabelSuspect)
        .where(LabelSuspect.queue_id == queue_id, LabelSuspect.item_id.is_(None))
        .order_by(golden_first, LabelSuspect.score.desc(), LabelSuspect.id)
    )
    return list(session.scalars(listed.with_for_update() if lock else listed))


def listed_suspicions(session: Session, queue_id: int) -> list[Suspicion]:
    """The same as `suspect_list`, as values."""
    return [
        Suspicion((row.about, row.source, row.subject_id), row.reason, row.label, row.suggested, row.score)
        for row in suspect_list(session, queue_id)
    ]
