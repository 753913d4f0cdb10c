"""Candidates: a fitted model is compared with the live model on the golden set, and stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.learning.data.class_floor import class_floor_warning
from core.learning.data.golden import Golden, golden_set, version_of
from core.learning.data.snapshots import Row
from core.learning.evaluation.compare import GoldenRow, compare, predict
from core.learning.evaluation.eligibility import with_eligibility
from core.learning.evaluation.gate import GateVerdict, gate
from core.learning.evaluation.paired_scores import training_score
from core.learning.evaluation.scorecard import Scorecard, TrainingScore
from core.learning.evaluation.training_labels import RowsGone, rows_gone
from core.learning.learners.artifacts import Packed
from core.learning.learners.base import Fitted
from core.learning.learners.external import Connect, answered_before, is_external, unconnected
from core.learning.learners.vectors import cached_vectors
from core.learning.lifecycle.held_out import RightRows, store_right_rows, stored_right_rows
from core.learning.lifecycle.incumbent import Incumbent, load_incumbent
from core.learning.lifecycle.presenting import candidate_stored, model_changed
from core.learning.lifecycle.serving import load_model
from core.learning.lifecycle.submissions import submitted_answers
from core.policy import QueuePolicy
from core.records.learning import Artifact, Evaluation, Live, ModelVersion, Snapshot, TrainingRun
from core.storage.database import LONG, Database
from core.vocabulary import Coded, GateWarning, ModelState


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
    policy: QueuePolicy, extra_learners: Mapping[str, str] = {}, right: RightRows | None = None,
    connect: Connect = unconnected,
) -> Measured:  # fmt: skip
    """Compare the candidate (just fitted, or stored as model_id) with the live model, once: a stored comparison of the
    two is used again (`measured_before`). Reads only; both predict after the transaction.

    Golden examples are measured if the candidate can read them and their label is in the policy;
    core/learning/evaluation/eligibility.py decides which of them count. If no Goldloop model is live, or another
    runtime made it, core/learning/lifecycle/incumbent.py has the replacement, and the verdict warns. If a model is
    live, both also answer the newest 3,000 stored texts, which takes as long as that many predictions. right: of a
    candidate just fitted, the training rows that it gets right when they are held out. connect: how models of a service
    are asked; of golden inputs, what the service submitted counts. Raises ModelUnavailable if a service does not
    answer.
    """
    with database.reading(wait=LONG) as session:
        live = session.get_one(Live, run.queue_id)
        if model_id and (before := measured_before(session, model_id, live, policy)):
            return before
        candidate = fitted or load_model(session, model_id or 0, policy, extra_learners, connect).fitted
        golden = _measurable(session, run, candidate, policy)
        right = stored_right_rows(session, model_id) if model_id else right
        incumbent = load_incumbent(session, live, golden, candidate.reads, policy, extra_learners, connect)
        submitted = submitted_answers(session, run.id)
    met = [
        GoldenRow(row.id, row.input, row.label, row.stratum, pinned=row.pinned, is_traffic=row.origin.is_traffic)
        for row in golden
    ]
    met = with_eligibility(met, incumbent.training, policy.golden.near_duplicate)
    with cached_vectors():
        baseline, standing = incumbent.on_golden(met, rows, candidate.reads)
        texts = incumbent.on_texts(candidate, policy)
        said = predict(answered_before(candidate, submitted), met)
        scorecard = compare(met, standing, said, policy, baseline, texts)
    scorecard = replace(
        scorecard,
        training=_on_training(incumbent.right_rows, right, rows),
        rows_gone=_rows_gone(incumbent, rows, policy),
    )
    verdict = gate(scorecard, policy.promotion)
    thin = class_floor_warning(rows, policy.label_names, candidate.reads)
    first = [warning for warning in (incumbent.unusable, thin, _no_held_out(incumbent, candidate)) if warning]
    verdict = replace(verdict, warnings=(*first, *verdict.warnings))
    return Measured(live.model_id, live.changes, version_of(golden), scorecard, verdict)


def _no_held_out(incumbent: Incumbent, candidate: Fitted) -> Coded | None:
    """The gate's rule on held-out training rows needs both models' answers, which a service does not give."""
    live = incumbent.model.fitted if incumbent.model else None
    return Coded(GateWarning.NO_HELD_OUT) if live and (is_external(live) or is_external(candidate)) else None


def _on_training(live: RightRows | None, candidate: RightRows | None, rows: Sequence[Row]) -> TrainingScore | None:
    groups = {row.content_hash: row.input.group for row in rows if row.input.group}
    return training_score(live.right, candidate.right, groups) if live and candidate else None


def _rows_gone(incumbent: Incumbent, rows: Sequence[Row], policy: QueuePolicy) -> tuple[RowsGone, ...]:
    learned = incumbent.training.labels if incumbent.training else {}
    return rows_gone(learned, Counter(row.label for row in rows), policy.label_names)


def measured_before(session: Session, model_id: int, live: Live, policy: QueuePolicy) -> Measured | None:
    """The stored comparison of this candidate with the present live model, for example after a rollback and back:
    repeating it until chance passes it would overfit the golden set.

    The same are: the candidate, the live model (and so its snapshot, which never changes) and the policy. Golden
    examples that were relabelled, withdrawn or pinned since count for the next candidate. None where there is none, or
    where the live model could not be opened then, or where this release cannot read what was stored.
    """
    if live.model_id is None:
        return None
    stored = select(Evaluation).where(
        Evaluation.model_id == model_id,
        Evaluation.live_model_id == live.model_id,
        Evaluation.policy_fingerprint == policy.fingerprint,
    )
    for evaluation in session.scalars(stored.order_by(Evaluation.id.desc())):
        with suppress(Invalid):
            scorecard = Scorecard.from_dict(evaluation.scorecard)
            if scorecard.baseline == "live":
                return Measured(live.model_id, live.changes, evaluation.golden_hash, scorecard, _verdict(evaluation))
    return None


def _verdict(evaluation: Evaluation) -> GateVerdict:
    blocks, warnings = (tuple(map(Coded.from_dict, found)) for found in (evaluation.blocks, evaluation.warnings))
    return GateVerdict(evaluation.passed, blocks, warnings)


def _measurable(session: Session, run: TrainingRun, candidate: Fitted, policy: QueuePolicy) -> list[Golden]:
    snapshot = session.get_one(Snapshot, run.snapshot_id)
    return [
        row
        for row in golden_set(session, run.queue_id, snapshot.golden_up_to, as_of=snapshot.created_at)
        if row.label in policy.label_names and row.input.has_any(candidate.reads)
    ]


def store_candidate(
    session: Session, run: TrainingRun, learner: str, parameters: str, packed: Packed, measured: Measured,
    now: datetime, policy: QueuePolicy, rows: Sequence[Row] = (), right: RightRows | None = None,
) -> int:  # fmt: skip
    """Model, artefact and evaluation; a candidate that still waited is superseded. The caller holds the Live row. rows:
    what it was fitted on; right: those that are right when held out."""
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
    store_right_rows(session, model.id, rows, right)
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
