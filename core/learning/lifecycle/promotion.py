"""The effects of a decision about a model: the `Live` row moves, the decision is stored, and cards and webhooks are
requested. Callers hold the lock on the queue's `Live` row."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.learning.lifecycle.announcements import announce
from core.learning.lifecycle.announcing import tell_leads
from core.learning.lifecycle.canary import begin_canary, close_canary
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.open_items import request_renewal
from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.runs import EVALUATE, TRAIN
from core.policy import QueuePolicy
from core.records.learning import Decision, Live, ModelVersion, Snapshot, TrainingRun
from core.vocabulary import CanaryState, DecisionKind, EventKind, ModelState

ANNOUNCED = {
    DecisionKind.PROMOTE: EventKind.MODEL_PROMOTED,
    DecisionKind.OVERRULE: EventKind.MODEL_PROMOTED,
    DecisionKind.ROLL_BACK: EventKind.MODEL_ROLLED_BACK,
}


def go_live(session: Session, live: Live, model: ModelVersion, now: datetime) -> None:
    """Move the Live row, redraw both cards, and have waiting candidates compared with the new live model."""
    close_canary(session, live.queue_id, CanaryState.ENDED, now)
    if live.model_id is not None:
        former = session.get_one(ModelVersion, live.model_id)
        former.state = ModelState.RETIRED
        model_changed(session, former.id, now)
    model.state = ModelState.LIVE
    live.model_id, live.changes, live.changed_at = model.id, live.changes + 1, now
    model_changed(session, model.id, now)
    waiting = session.scalars(
        select(ModelVersion).where(ModelVersion.queue_id == live.queue_id, ModelVersion.state == ModelState.CANDIDATE)
    )
    for candidate in waiting:
        _ask_for_evaluation(session, live, candidate, now)


def note_decision(
    session: Session, live: Live, model: ModelVersion, kind: DecisionKind, leads: list[str], reason: str,
    now: datetime, queue: QueuePolicy, former_model_id: int | None = None,
) -> None:  # fmt: skip
    """Store permanently who decided what, when and on which grounds. Announce to other systems which model answers from
    now on, and to the leads what one of them decided alone."""
    snapshot_hash = session.scalar(
        select(Snapshot.content_hash)
        .join(TrainingRun, TrainingRun.snapshot_id == Snapshot.id)
        .where(TrainingRun.id == model.run_id)
    )
    decision = Decision(
        queue_id=live.queue_id,
        model_id=model.id,
        kind=kind,
        former_model_id=former_model_id,
        people={"leads": leads},
        reason=queue.privacy.stored(reason),
        evaluation_id=newest_evaluation(session, model.id).id,
        snapshot_hash=snapshot_hash or "",
        policy_fingerprint=queue.fingerprint,
        created_at=now,
    )
    session.add(decision)
    session.flush()
    if kind in ANNOUNCED:
        _roll_out(session, live, model, decision, now, queue)
    tell_leads(session, decision, model, now, queue)


def _roll_out(
    session: Session, live: Live, model: ModelVersion, decision: Decision, now: datetime, queue: QueuePolicy
) -> None:
    """Begin the canary of a promoted model, if the policy has one and there is a predecessor. A rollback takes effect
    at once for all callers, and closes no item: what was flagged under the model that failed is worth an answer."""
    is_promoted = decision.kind is not DecisionKind.ROLL_BACK
    share = queue.rollout.canary_share if is_promoted and decision.former_model_id is not None else 0.0
    if share and decision.former_model_id is not None:
        begin_canary(session, live, model, decision.former_model_id, now, queue)
        announce(session, EventKind.MODEL_CANARY_STARTED, decision, model, now, share=share)
    else:
        announce(session, ANNOUNCED[decision.kind], decision, model, now)
    request_renewal(session, live, model, may_close=is_promoted and not share, now=now)


def _ask_for_evaluation(session: Session, live: Live, model: ModelVersion, now: datetime) -> None:
    jobs.enqueue(
        session,
        EVALUATE,
        f"{EVALUATE}:{model.id}:{live.changes}",
        {"model_id": model.id},
        now,
        mutex=f"{TRAIN}:{model.queue.name}",
    )
