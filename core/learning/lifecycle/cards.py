"""Cards of training runs and models, as plain data."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.learning.data.erased_rows import RowSource, erased_sources
from core.learning.data.golden import golden_set
from core.learning.data.synthetic import WrittenRows, written_in
from core.learning.evaluation.scorecard import Scorecard
from core.learning.lifecycle.canary import CanaryLine, StillAnswering, canary_line, still_answering
from core.learning.lifecycle.effort import Effort, effort
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.open_items import OpenItems, open_items_of
from core.learning.lifecycle.shadow import ShadowLine, shadow_line
from core.policy import Policy, QueuePolicy
from core.policy.external import EXTERNAL
from core.records.external import HandOut
from core.records.learning import (
    Approval,
    Decision,
    Evaluation,
    Live,
    ModelVersion,
    Snapshot,
    SnapshotRow,
    TrainingRun,
)
from core.vocabulary import Coded, DecisionKind, ModelState, Origin, RunState, Source, Stratum, Trigger


@dataclass(frozen=True)
class RunCard:
    run_id: int
    queue_title: str
    state: RunState
    trigger: Trigger
    requested_by: str | None
    progress: Coded  # a code of `RunStep`
    problem: Coded | None  # a code of `RunProblem`
    model: str | None
    model_id: int | None = None


@dataclass(frozen=True)
class CandidateCard:
    """A model and everything a lead needs to decide about it."""

    subject: CardRef
    name: str
    queue_title: str
    state: ModelState
    live_name: str | None
    scorecard: Scorecard
    effort: Effort | None  # since the rows of the live model were taken; None: they are the newer ones
    passed: bool
    outdated: bool  # the live model changed since; a new evaluation is on its way
    blocks: tuple[Coded, ...]  # codes of `GateBlock`
    warnings: tuple[Coded, ...]  # codes of `GateWarning`
    rows: int
    corrections: int
    written: WrittenRows  # by a language model
    left_out: int
    graduated: int  # past errors that train from this model on
    random_origins: dict[Origin, int]  # origins of the random golden examples, as far as they are known now
    graduates_left_out: int  # those of `left_out` that were golden once
    weighing: Coded | None  # a code of `WeightChoice`
    erased: tuple[RowSource, ...]  # training rows that have been erased since
    approvals: tuple[str, ...]
    approvals_needed: int
    evaluation_id: int
    decisions: tuple["DecisionLine", ...]
    superseded_by: str | None
    open_items: OpenItems
    shadow: ShadowLine | None
    canary: CanaryLine | None
    still_answers: StillAnswering | None = None
    service_version: str | None = None  # the training service's name for the model; None: it was trained here


@dataclass(frozen=True)
class PendingCandidate:
    """A waiting candidate in the list of a lead's work: what can be decided about it now, without its report. erased:
    it learned from rows that have been erased since. in_shadow: its shadow has no report yet."""

    subject: CardRef
    name: str
    queue_title: str
    live_name: str | None
    outdated: bool
    passed: bool
    erased: bool
    in_shadow: bool
    approvals: tuple[str, ...]
    approvals_needed: int
    evaluation_id: int


@dataclass(frozen=True)
class DecisionLine:
    """instead: the model that took over from this one; None where the decision is about this one."""

    at: datetime
    kind: DecisionKind
    leads: tuple[str, ...]
    reason: str
    snapshot_hash: str
    policy_fingerprint: str
    instead: str | None = None


def run_card(session: Session, run_id: int, policy: Policy) -> RunCard:
    run = session.get_one(TrainingRun, run_id, populate_existing=True)
    model = session.scalar(select(ModelVersion).where(ModelVersion.run_id == run_id))
    return RunCard(
        run_id=run.id,
        queue_title=policy.queue(run.queue.name).shown_title,
        state=run.state,
        trigger=run.trigger,
        requested_by=run.requested_by,
        progress=Coded(run.progress, run.progress_values),
        problem=Coded(run.problem, run.problem_values) if run.problem else None,
        model=model.name if model else None,
        model_id=model.id if model else None,
    )


def candidate_card(session: Session, model_id: int, policy: Policy) -> CandidateCard:
    model = session.get_one(ModelVersion, model_id, populate_existing=True)
    queue = policy.queue(model.queue.name)
    evaluation = newest_evaluation(session, model_id)
    snapshot = snapshot_of(session, model)
    compared = _compared(session, evaluation)
    newer = session.scalar(
        select(ModelVersion)
        .where(ModelVersion.queue_id == model.queue_id, ModelVersion.version > model.version)
        .order_by(ModelVersion.version)
        .limit(1)
    )
    return CandidateCard(
        subject=CardRef.of(model.id, model.created_at),
        name=model.name,
        queue_title=queue.shown_title,
        state=model.state,
        live_name=compared.name if compared else None,
        scorecard=Scorecard.from_dict(evaluation.scorecard),
        effort=_effort_since(session, compared, snapshot),
        passed=evaluation.passed,
        outdated=_is_outdated(session, model, evaluation),
        blocks=tuple(map(Coded.from_dict, evaluation.blocks)),
        warnings=tuple(map(Coded.from_dict, evaluation.warnings)),
        rows=snapshot.rows,
        corrections=corrections_in(session, snapshot.id),
        written=written_in(session, snapshot.id),
        left_out=snapshot.near_golden_left_out,
        graduated=snapshot.graduated,
        random_origins=_random_origins(session, model.queue_id, snapshot),
        graduates_left_out=snapshot.graduates_left_out,
        weighing=weighing_of(session.get_one(TrainingRun, model.run_id)),
        erased=erased_sources(session, snapshot.id),
        approvals=tuple(_approvals(session, evaluation)),
        approvals_needed=queue.promotion.approvals,
        evaluation_id=evaluation.id,
        decisions=tuple(decisions_about(session, model_id, queue)),
        superseded_by=newer.name if newer and model.state is ModelState.SUPERSEDED else None,
        open_items=open_items_of(session, model_id, queue),
        shadow=shadow_line(session, model, queue),
        canary=canary_line(session, model_id),
        still_answers=still_answering(session, model_id),
        service_version=service_version(session, model),
    )


def pending_candidate(session: Session, model_id: int, policy: Policy) -> PendingCandidate:
    model = session.get_one(ModelVersion, model_id, populate_existing=True)
    queue, evaluation = policy.queue(model.queue.name), newest_evaluation(session, model_id)
    compared, shadow = _compared(session, evaluation), shadow_line(session, model, queue)
    return PendingCandidate(
        subject=CardRef.of(model.id, model.created_at),
        name=model.name,
        queue_title=queue.shown_title,
        live_name=compared.name if compared else None,
        outdated=_is_outdated(session, model, evaluation),
        passed=evaluation.passed,
        erased=bool(erased_sources(session, snapshot_of(session, model).id)),
        in_shadow=shadow is not None and shadow.report is None,
        approvals=tuple(_approvals(session, evaluation)),
        approvals_needed=queue.promotion.approvals,
        evaluation_id=evaluation.id,
    )


def _compared(session: Session, evaluation: Evaluation) -> ModelVersion | None:
    return session.get(ModelVersion, evaluation.live_model_id) if evaluation.live_model_id else None


def _is_outdated(session: Session, model: ModelVersion, evaluation: Evaluation) -> bool:
    live = session.get_one(Live, model.queue_id)
    return model.state is ModelState.CANDIDATE and evaluation.live_changes != live.changes


def _effort_since(session: Session, live: ModelVersion | None, snapshot: Snapshot) -> Effort | None:
    since = snapshot_of(session, live).created_at if live else None
    if since is not None and since > snapshot.created_at:
        return None
    return effort(session, snapshot.queue_id, since, snapshot.created_at)


def snapshot_of(session: Session, model: ModelVersion) -> Snapshot:
    run = session.get_one(TrainingRun, model.run_id)
    return session.get_one(Snapshot, run.snapshot_id)


def service_version(session: Session, model: ModelVersion) -> str | None:
    """The name that the service which trained the model has for it; None: it was trained here."""
    handed_out = session.get(HandOut, model.run_id)
    return handed_out.version if handed_out and model.learner == EXTERNAL else None


def weighing_of(run: TrainingRun) -> Coded | None:
    return Coded(run.weighing, run.weighing_values) if run.weighing else None


def corrections_in(session: Session, snapshot_id: int) -> int:
    return session.scalar(
        select(func.count()).where(SnapshotRow.snapshot_id == snapshot_id, SnapshotRow.source == Source.CORRECTION)
    ) or 0  # fmt: skip


def _random_origins(session: Session, queue_id: int, snapshot: Snapshot) -> dict[Origin, int]:
    golden = golden_set(session, queue_id, snapshot.golden_up_to, as_of=snapshot.created_at)
    return dict(Counter(one.origin for one in golden if one.stratum is Stratum.RANDOM))


def _approvals(session: Session, evaluation: Evaluation) -> list[str]:
    """The leads who approved this report. Approvals of an older report do not count."""
    return list(
        session.scalars(
            select(Approval.person)
            .where(Approval.evaluation_id == evaluation.id, Approval.standing)
            .order_by(Approval.id)
        )
    )


def decisions_about(session: Session, model_id: int, queue: QueuePolicy) -> list[DecisionLine]:
    """The decisions about this model, and those by which another model took over from it."""
    rows = session.execute(
        select(Decision, ModelVersion)
        .join(ModelVersion, ModelVersion.id == Decision.model_id)
        .where(or_(Decision.model_id == model_id, Decision.former_model_id == model_id))
        .order_by(Decision.id)
    )
    return [
        DecisionLine(
            at=row.created_at,
            kind=row.kind,
            leads=tuple(row.people["leads"]),
            reason=queue.privacy.shown(row.reason),
            snapshot_hash=row.snapshot_hash,
            policy_fingerprint=row.policy_fingerprint,
            instead=None if decided.id == model_id else decided.name,
        )
        for row, decided in rows
    ]
