"""The model card: the model, its training data, its evaluations and decisions. It contains no texts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.learning.data.erased_rows import erased_rows
from core.learning.data.synthetic import written_in
from core.learning.evaluation.scorecard import Scorecard
from core.learning.lifecycle.canary import CanaryLine, canary_line
from core.learning.lifecycle.cards import DecisionLine, decisions_about, service_version, snapshot_of
from core.learning.lifecycle.shadow import ShadowReport, shadow_report
from core.policy import Policy
from core.records.learning import Artifact, Evaluation, ModelVersion, Snapshot, SnapshotRow, TrainingRun
from core.vocabulary import Coded, ModelState, Source, Trigger


@dataclass(frozen=True)
class Fit:
    """How the model was fitted. parameters, artifact: SHA-256 of the fitted parameters and of the stored bytes.
    service_version: as the service calls it that trained it; None: it was trained here."""

    learner: str
    runtime: str
    seed: int
    parameters: str
    artifact: str
    service_version: str | None = None


@dataclass(frozen=True)
class TrainingData:
    """The snapshot that the model learned from. erased: rows whose text was erased since. labels: rows of each, most
    first, then by name. written: rows of a language model, from these batches."""

    snapshot_hash: str
    rows: int
    seeds: int
    corrections: int
    written: int
    batches: tuple[int, ...]
    near_golden_left_out: int
    erased: int
    labels: dict[str, int]
    policy: str


@dataclass(frozen=True)
class EvaluationLine:
    """One comparison with what was live. compared_with: the live model's name; None: none was live. blocks: of
    `GateBlock`, warnings: of `GateWarning`."""

    at: datetime
    compared_with: str | None
    golden_hash: str
    scorecard: Scorecard
    passed: bool
    blocks: tuple[Coded, ...]
    warnings: tuple[Coded, ...]
    policy: str


@dataclass(frozen=True)
class ModelCard:
    """evaluations, decisions: oldest first; of evaluations the last one counts. requested_by: None: not by a person.
    shadow, canary: None: it never was in one. untaught: labels of the present policy that no row of the snapshot has,
    in the policy's order."""

    id: int
    name: str
    queue: str
    queue_title: str
    state: ModelState
    created_at: datetime
    trigger: Trigger
    requested_by: str | None
    requested_at: datetime
    fit: Fit
    training: TrainingData
    untaught: tuple[str, ...]
    evaluations: tuple[EvaluationLine, ...]
    shadow: ShadowReport | None
    canary: CanaryLine | None
    decisions: tuple[DecisionLine, ...]

    def as_dict(self) -> dict[str, Any]:
        """The card as dicts, lists, texts and numbers, for JSON; times in ISO 8601."""
        dumped: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return dumped


_ADAPTER = TypeAdapter(ModelCard)


def model_card(session: Session, model_id: int, policy: Policy) -> ModelCard:
    """The card of a model. Raises NotFound if there is no such model, or its queue has left the policy."""
    model = session.get(ModelVersion, model_id)
    if model is None:
        raise NotFound(f"There is no model {model_id}.")
    queue, run = policy.queue(model.queue.name), session.get_one(TrainingRun, model.run_id)
    training = _training(session, snapshot_of(session, model))
    return ModelCard(
        id=model.id,
        name=model.name,
        queue=queue.name,
        queue_title=queue.shown_title,
        state=model.state,
        created_at=model.created_at,
        trigger=run.trigger,
        requested_by=run.requested_by,
        requested_at=run.requested_at,
        fit=_fit(session, model, run),
        training=training,
        untaught=tuple(name for name in queue.label_names if name not in training.labels),
        evaluations=tuple(_evaluations(session, model_id)),
        shadow=shadow_report(session, model_id),
        canary=canary_line(session, model_id),
        decisions=tuple(decisions_about(session, model_id, queue)),
    )


def _fit(session: Session, model: ModelVersion, run: TrainingRun) -> Fit:
    sha256, runtime = session.execute(
        select(Artifact.sha256, Artifact.runtime).where(Artifact.model_id == model.id)
    ).one()
    version = service_version(session, model)
    return Fit(model.learner, runtime, run.seed, model.parameters_fingerprint, sha256, version)


def _training(session: Session, snapshot: Snapshot) -> TrainingData:
    def counted(column: Any) -> dict[str, int]:
        found = select(column, func.count()).where(SnapshotRow.snapshot_id == snapshot.id).group_by(column)
        return dict(session.execute(found).all())

    sources, labels = counted(SnapshotRow.source), counted(SnapshotRow.label)
    written = written_in(session, snapshot.id)
    return TrainingData(
        snapshot_hash=snapshot.content_hash,
        rows=snapshot.rows,
        seeds=sources.get(Source.SEED, 0),
        corrections=sources.get(Source.CORRECTION, 0),
        written=written.rows,
        batches=written.batches,
        near_golden_left_out=snapshot.near_golden_left_out,
        erased=erased_rows(session, snapshot.id)[0],
        labels={name: labels[name] for name in sorted(labels, key=lambda name: (-labels[name], name))},
        policy=snapshot.policy_fingerprint,
    )


def _evaluations(session: Session, model_id: int) -> list[EvaluationLine]:
    found = session.scalars(select(Evaluation).where(Evaluation.model_id == model_id).order_by(Evaluation.id))
    return [
        EvaluationLine(
            at=row.created_at,
            compared_with=session.get_one(ModelVersion, row.live_model_id).name if row.live_model_id else None,
            golden_hash=row.golden_hash,
            scorecard=Scorecard.from_dict(row.scorecard),
            passed=row.passed,
            blocks=tuple(map(Coded.from_dict, row.blocks)),
            warnings=tuple(map(Coded.from_dict, row.warnings)),
            policy=row.policy_fingerprint,
        )
        for row in found.all()
    ]
