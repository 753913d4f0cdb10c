"""Candidates: a fitted model is compared with the live model on the golden set, and stored."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.jobs import Execute, execute_here, unheard
from core.learning.data.class_floor import class_floor_warning
from core.learning.data.golden import Golden, golden_set, version_of
from core.learning.data.snapshots import Row
from core.learning.evaluation.compare import GoldenRow
from core.learning.evaluation.gate import GateVerdict
from core.learning.evaluation.judging import Case, Incumbent, Judged, judge
from core.learning.evaluation.scorecard import Scorecard
from core.learning.learners.artifacts import Packed
from core.learning.learners.external import Connect, GoldenAnswers, unconnected
from core.learning.learners.stored_model import Model, StoredModel, reads_of
from core.learning.lifecycle.held_out import RightRows, store_right_rows, stored_right_rows
from core.learning.lifecycle.incumbent import load_incumbent
from core.learning.lifecycle.presenting import candidate_stored, model_changed
from core.learning.lifecycle.service_answers import is_of_service, with_service_answers
from core.learning.lifecycle.serving import stored_model
from core.learning.lifecycle.submissions import submitted_answers
from core.policy import QueuePolicy
from core.records.learning import Artifact, Evaluation, Live, ModelVersion, Snapshot, TrainingRun
from core.storage.database import LONG, Database
from core.vocabulary import Coded, GateWarning, Modality, ModelState


@dataclass(frozen=True)
class Measured:
    """One comparison: the live model at that time (`live_changes` says which), the golden set, and the verdict of the
    gate."""

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
    database: Database, run: TrainingRun, fitted: Model | None, model_id: int | None, rows: Sequence[Row],
    policy: QueuePolicy, extra_learners: Mapping[str, str] = {}, right: RightRows | None = None,
    connect: Connect = unconnected, execute: Execute = execute_here,
) -> Measured:  # fmt: skip
    """Compare the candidate with the live model, once: a stored comparison of the two is used again
    (`measured_before`). The candidate is `fitted`, or stored as model_id. The database is only read; afterwards
    `execute` opens both models, has them predict and judges them.

    Golden examples are measured if the candidate can read them and their label is in the policy;
    core/learning/evaluation/eligibility.py decides which of them count. If no Goldloop model is live, or another
    runtime made the live one, core/learning/evaluation/judging.py has the replacement, and the verdict warns. If a
    model is live, both models also answer the newest 3,000 stored texts, which takes as long as that many predictions.

    right: for a fitted candidate, the training rows that it gets right when they are held out. connect: how models of a
    service are asked, before `execute` judges; for golden inputs, the answers that the service submitted count. Raises
    ModelUnavailable if a service does not answer.
    """
    with database.reading(wait=LONG, large=True) as session:
        live = session.get_one(Live, run.queue_id)
        if model_id and (before := measured_before(session, model_id, live, policy)):
            return before
        candidate = fitted or _held_to_labels(session, model_id or 0, policy, extra_learners)
        live_model = _held_to_labels(session, live.model_id, policy, extra_learners) if live.model_id else None
    models = [model for model in (candidate, live_model) if model is not None]
    readers = execute(reads_of, models, report=unheard)
    with database.reading(wait=LONG, large=True) as session:
        golden = _measurable(session, run, readers[0], policy)
        incumbent = load_incumbent(session, live, live_model, golden, rows, readers)
        right = stored_right_rows(session, model_id) if model_id else right
        submitted = _submitted(session, run, live)
    case = with_service_answers(_case(candidate, incumbent, golden, rows, right), connect(policy), *submitted)
    judged = execute(judge, case, policy, report=unheard)
    thin = class_floor_warning(rows, policy.label_names, readers[0])
    first = [warning for warning in (_unusable(judged), thin, _no_held_out(judged, models)) if warning]
    verdict = replace(judged.verdict, warnings=(*first, *judged.verdict.warnings))
    return Measured(live.model_id, live.changes, version_of(golden), judged.scorecard, verdict)


def _held_to_labels(
    session: Session, model_id: int, policy: QueuePolicy, extra_learners: Mapping[str, str]
) -> StoredModel:
    return replace(stored_model(session, model_id, policy, extra_learners), labels=policy.label_names)


def _submitted(session: Session, run: TrainingRun, live: Live) -> tuple[GoldenAnswers, GoldenAnswers]:
    """The answers to golden inputs that services have submitted: for the candidate, and for the live model."""
    trained_by = session.get_one(ModelVersion, live.model_id).run_id if live.model_id else None
    return submitted_answers(session, run.id), submitted_answers(session, trained_by) if trained_by else {}


def _case(
    candidate: Model, incumbent: Incumbent, golden: Sequence[Golden], rows: Sequence[Row], right: RightRows | None
) -> Case:
    met = [
        GoldenRow(row.id, row.input, row.label, row.stratum, pinned=row.pinned, is_traffic=row.origin.is_traffic)
        for row in golden
    ]
    groups = {row.content_hash: row.input.group for row in rows if row.input.group}
    return Case(candidate, incumbent, met, right.right if right else None, groups, Counter(row.label for row in rows))


def _unusable(judged: Judged) -> Coded | None:
    return Coded(GateWarning.LIVE_UNUSABLE, {"sentence": judged.unusable}) if judged.unusable else None


def _no_held_out(judged: Judged, models: Sequence[Model]) -> Coded | None:
    """The gate's rule on held-out training rows needs both models' answers, which a service does not give."""
    is_compared = len(models) == 2 and judged.unusable is None
    return Coded(GateWarning.NO_HELD_OUT) if is_compared and any(map(is_of_service, models)) else None


def measured_before(session: Session, model_id: int, live: Live, policy: QueuePolicy) -> Measured | None:
    """The stored comparison of this candidate with the present live model, as after a rollback and its reversal:
    repeating it until chance passes it would overfit the golden set.

    It is used only if the policy is the same; the models, and so the snapshot, never change. Golden examples that were
    relabelled, withdrawn or pinned since count for the next candidate. None: there is no such comparison, or the live
    model could not be opened then, or this release cannot read what was stored.
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


def _measurable(session: Session, run: TrainingRun, reads: Collection[Modality], policy: QueuePolicy) -> list[Golden]:
    snapshot = session.get_one(Snapshot, run.snapshot_id)
    return [
        row
        for row in golden_set(session, run.queue_id, snapshot.golden_up_to, as_of=snapshot.created_at)
        if row.label in policy.label_names and row.input.has_any(reads)
    ]


def store_candidate(
    session: Session, run: TrainingRun, learner: str, parameters: str, packed: Packed, measured: Measured,
    now: datetime, policy: QueuePolicy, rows: Sequence[Row] = (), right: RightRows | None = None,
) -> int:  # fmt: skip
    """Store model, artefact and evaluation, and supersede a candidate that is still waiting. The caller holds the Live
    row. rows: those on which the model was fitted; right: those of them that it gets right when they are held out."""
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
