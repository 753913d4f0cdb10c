"""The history of a model, from the request to train it to the decisions about it.

bot/wording/model_history.py has the sentences."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.learning.data.erased_rows import RowSource, erased_rows, erased_sources
from core.learning.evaluation.scorecard import Scorecard
from core.learning.lifecycle.cards import DecisionLine, corrections_in, decisions_about, snapshot_of, weighing_of
from core.policy import Policy
from core.records.learning import Artifact, Evaluation, ModelVersion, Snapshot, TrainingRun
from core.vocabulary import Coded, Trigger


@dataclass(frozen=True)
class Requested:
    trigger: Trigger
    person: str | None
    policy: str


@dataclass(frozen=True)
class Weighed:
    """choice: of `WeightChoice`."""

    choice: Coded


@dataclass(frozen=True)
class SnapshotTaken:
    """near_golden: rows left out because they resemble a golden example."""

    content_hash: str
    rows: int
    corrections: int
    near_golden: int


@dataclass(frozen=True)
class Fitted:
    model: str
    learner: str
    seed: int
    parameters: str
    artifact: str
    library: str


@dataclass(frozen=True)
class Evaluated:
    """blocks: of `GateBlock`; none: the gate passed it."""

    golden_hash: str
    scorecard: Scorecard
    passed: bool
    blocks: tuple[Coded, ...]
    policy: str


@dataclass(frozen=True)
class RowsErased:
    """Rows that it learned from and that have been erased since."""

    rows: tuple[RowSource, ...]


Step = Requested | Weighed | SnapshotTaken | Fitted | Evaluated | DecisionLine | RowsErased


@dataclass(frozen=True)
class HistoryLine:
    """One step of the history of a model."""

    at: datetime
    step: Step


def model_history(session: Session, model_id: int, policy: Policy) -> list[HistoryLine]:
    """The steps, oldest first. Raises NotFound."""
    model = session.get(ModelVersion, model_id)
    if model is None:
        raise NotFound(f"There is no model {model_id}.")
    run, snapshot = session.get_one(TrainingRun, model.run_id), snapshot_of(session, model)
    lines = [
        HistoryLine(run.requested_at, Requested(run.trigger, run.requested_by, run.policy_fingerprint)),
        *([HistoryLine(snapshot.created_at, Weighed(choice))] if (choice := weighing_of(run)) else []),
        HistoryLine(snapshot.created_at, _taken(session, snapshot)),
        HistoryLine(model.created_at, _fitted(model, run, session.get_one(Artifact, model_id))),
    ]
    evaluations = session.scalars(select(Evaluation).where(Evaluation.model_id == model_id).order_by(Evaluation.id))
    lines += [HistoryLine(evaluation.created_at, _evaluated(evaluation)) for evaluation in evaluations]
    lines += [HistoryLine(one.at, one) for one in decisions_about(session, model_id, policy.queue(model.queue.name))]
    _count, at = erased_rows(session, snapshot.id)
    if at is not None:
        lines.append(HistoryLine(at, RowsErased(erased_sources(session, snapshot.id))))
    return sorted(lines, key=lambda line: line.at)


def _taken(session: Session, snapshot: Snapshot) -> SnapshotTaken:
    corrections = corrections_in(session, snapshot.id)
    return SnapshotTaken(snapshot.content_hash, snapshot.rows, corrections, snapshot.near_golden_left_out)


def _fitted(model: ModelVersion, run: TrainingRun, artifact: Artifact) -> Fitted:
    fingerprint = model.parameters_fingerprint
    return Fitted(model.name, model.learner, run.seed, fingerprint, artifact.sha256, artifact.runtime)


def _evaluated(evaluation: Evaluation) -> Evaluated:
    return Evaluated(
        golden_hash=evaluation.golden_hash,
        scorecard=Scorecard.from_dict(evaluation.scorecard),
        passed=evaluation.passed,
        blocks=tuple(map(Coded.from_dict, evaluation.blocks)),
        policy=evaluation.policy_fingerprint,
    )
