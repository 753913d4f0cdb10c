"""A fitted model meets the golden set, beside what is live, and becomes a candidate."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.learning.data.golden import Golden, golden_set
from core.learning.data.inputs import Input
from core.learning.data.recent_inputs import recent_inputs
from core.learning.data.snapshots import Row
from core.learning.evaluation.compare import GoldenRow, Predicted, always, answers, compare, predict
from core.learning.evaluation.eligibility import with_eligibility
from core.learning.evaluation.gate import GateVerdict, gate
from core.learning.evaluation.scorecard import Baseline, Scorecard
from core.learning.evaluation.stored_texts import TEXTS, TextScore, text_score
from core.learning.learners.artifacts import OtherRuntime, Packed
from core.learning.learners.base import Fitted
from core.learning.learners.label_subset import NoCommonLabels
from core.learning.lifecycle.live_training import live_training
from core.learning.lifecycle.presenting import candidate_stored, model_changed
from core.learning.lifecycle.serving import LiveModel, load_model
from core.policy import QueuePolicy
from core.records.learning import (
    Artifact,
    Evaluation,
    GoldenExample,
    Live,
    ModelVersion,
    Snapshot,
    TrainingRun,
)
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.storage.database import LONG, Database
from core.vocabulary import Coded, GateWarning, Modality, ModelState


@dataclass(frozen=True)
class Measured:
    """One comparison: what was live (`live_changes` says when), on which golden set, and what the gate says."""

    live_model_id: int | None
    live_changes: int
    golden_hash: str
    scorecard: Scorecard
    verdict: GateVerdict

    def store(self, session: Session, model_id: int, now: datetime, policy: QueuePolicy) -> None:
        session.add(
            Evaluation(
                model_id=model_id,
                live_model_id=self.live_model_id,
                live_changes=self.live_changes,
                golden_hash=self.golden_hash,
                scorecard=self.scorecard.as_dict(),
                passed=self.verdict.passed,
                blocks=[block.as_dict() for block in self.verdict.blocks],
                warnings=[warning.as_dict() for warning in self.verdict.warnings],
                policy_fingerprint=policy.fingerprint,
                created_at=now,
            )
        )
        session.flush()


def measure(
    database: Database, run: TrainingRun, fitted: Fitted | None, model_id: int | None, rows: Sequence[Row],
    policy: QueuePolicy, extra_learners: Mapping[str, str] = {},
) -> Measured:  # fmt: skip
    """Compare the candidate (just fitted, or stored as model_id) with what is live. Reads only; both predict after the
    transaction.

    Measured are the golden examples that have something of what the candidate reads, under labels of the policy; which
    of them count is said in core/learning/evaluation/eligibility.py. Beside a live model, both also answer the newest
    3,000 stored texts, which takes as long as so many predictions do.
    Where no model of ours is live, the sender's recorded predictions stand in; where there are none for any golden
    example, the majority label of the training rows. So too where another runtime made what is live; the verdict warns.
    """
    with database.reading(wait=LONG) as session:
        candidate = fitted or load_model(session, model_id or 0, policy, extra_learners).fitted
        live = session.get_one(Live, run.queue_id)
        snapshot = session.get_one(Snapshot, run.snapshot_id)
        golden = [
            row
            for row in golden_set(session, run.queue_id, snapshot.golden_up_to)
            if row.label in policy.label_names and row.input.has_any(candidate.reads)
        ]
        live_model, unusable = _opened(session, live.model_id, policy, extra_learners)
        training = live_training(session, live_model.id, golden) if live_model else None
        readers = (candidate.reads, live_model.fitted.reads) if live_model else ()
        texts = recent_inputs(session, run.queue_id, readers, TEXTS) if live_model else []
        recorded = {} if live_model else _recorded(session, run.queue_id)
    rows_to_meet = with_eligibility(
        [GoldenRow(row.id, row.input, row.label, row.stratum, pinned=row.pinned) for row in golden],
        training,
        policy.golden.near_duplicate,
    )
    baseline: Baseline = "majority"
    standing = always(_majority(rows, candidate.reads), rows_to_meet)
    if live_model:
        baseline, standing = "live", predict(live_model.fitted, rows_to_meet)
    elif any(row.id in recorded for row in golden):
        baseline, standing = "recorded", Predicted(tuple(recorded.get(row.id) for row in golden))
    scorecard = compare(
        rows_to_meet,
        standing,
        predict(candidate, rows_to_meet),
        policy,
        baseline,
        _on_texts(live_model.fitted, candidate, texts, policy) if live_model else None,
    )
    verdict = gate(scorecard, policy.promotion)
    if unusable:
        verdict = replace(verdict, warnings=(unusable, *verdict.warnings))
    return Measured(live.model_id, live.changes, _golden_hash(golden), scorecard, verdict)


def _on_texts(live: Fitted, candidate: Fitted, texts: Sequence[Input], policy: QueuePolicy) -> TextScore:
    """Both models on the same stored texts. Memory: 8 bytes for each text and label, of one model at a time."""
    return text_score(answers(live, texts).labels, answers(candidate, texts).labels, policy.label_names)


def _opened(
    session: Session, model_id: int | None, policy: QueuePolicy, extra_learners: Mapping[str, str]
) -> tuple[LiveModel | None, Coded | None]:
    """The live model, or why it cannot be used with its learner's present runtime, or under other labels: training anew
    must mend that. Raises Invalid where it was changed or damaged: a person has to look at that."""
    if model_id is None:
        return None, None
    try:
        return load_model(session, model_id, policy, extra_learners), None
    except (OtherRuntime, NoCommonLabels) as refusal:
        return None, Coded(GateWarning.LIVE_UNUSABLE, {"sentence": str(refusal)})


def store_candidate(
    session: Session, run: TrainingRun, learner: str, parameters: str, packed: Packed, measured: Measured,
    now: datetime, policy: QueuePolicy,
) -> int:  # fmt: skip
    """Model, artefact and evaluation; a candidate that still waited is superseded. The caller holds the Live row."""
    _supersede_pending(session, run, now)
    version = session.scalar(select(func.max(ModelVersion.version)).where(ModelVersion.queue_id == run.queue_id)) or 0
    model = ModelVersion(
        queue_id=run.queue_id,
        version=version + 1,
        run_id=run.id,
        state=ModelState.CANDIDATE,
        learner=learner,
        parameters_fingerprint=parameters,
        created_at=now,
    )
    session.add(model)
    session.flush()
    session.add(Artifact(model_id=model.id, content=packed.content, sha256=packed.sha256, runtime=packed.runtime))
    measured.store(session, model.id, now, policy)
    candidate_stored(session, model.id, model.queue, now)
    return model.id


def _supersede_pending(session: Session, run: TrainingRun, now: datetime) -> None:
    pending = session.scalars(
        select(ModelVersion).where(ModelVersion.queue_id == run.queue_id, ModelVersion.state == ModelState.CANDIDATE)
    )
    for model in pending:
        model.state = ModelState.SUPERSEDED
        model_changed(session, model.id, now)


def _recorded(session: Session, queue_id: int) -> dict[int, str | None]:
    """What the sender's model had said about the golden examples that came from its predictions."""
    found = session.execute(
        select(GoldenExample.id, Prediction.label)
        .join(Correction, Correction.id == GoldenExample.correction_id)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(GoldenExample.queue_id == queue_id, Prediction.label.is_not(None))
    )
    return dict(found.all())


def _majority(rows: Sequence[Row], reads: Collection[Modality]) -> str:
    """The most frequent label of the rows that could be learnt from; of equals the first by name."""
    readable = [row for row in rows if row.input.has_any(reads)]
    counted = Counter(row.label for row in readable or rows)  # all of them may have been erased since
    return min(counted, key=lambda label: (-counted[label], label))


def _golden_hash(golden: Sequence[Golden]) -> str:
    lines = [[row.id, row.content_hash, row.label, row.stratum] for row in golden]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()
