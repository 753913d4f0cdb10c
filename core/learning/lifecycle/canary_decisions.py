"""Decisions of leads about a canary: to roll back, or to let the new model answer all requests. Each verb locks the
queue's `Live` row first."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotFound
from core.learning.lifecycle.announcements import announce_end_of_canary
from core.learning.lifecycle.canary import close_canary
from core.learning.lifecycle.open_items import request_renewal
from core.learning.lifecycle.promotion import note_decision
from core.learning.lifecycle.rollback import rollback
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.records.learning import Live, ModelVersion
from core.records.rollout import Canary
from core.vocabulary import CanaryState, DecisionKind, Role


def roll_canary_back(session: Session, subject: CardRef, person: str, now: datetime, policy: Policy) -> str:
    """A lead accepts the proposal. Returns the name of the model that is live again. Raises NotAllowed, NotFound, or
    AlreadySettled where nothing is proposed any more."""
    _live, model, canary, queue = _locked(session, subject, person, policy)
    if canary.state is not CanaryState.PROPOSED:
        raise AlreadySettled(
            f"No rollback of {model.name} is proposed. To roll back anyway, type `/goldloop rollback`."
        )
    why = f"canary: {canary.regressions} newly wrong, {canary.improvements} newly right of {canary.n} settled items"
    return rollback(session, model.queue, person, why, now, queue)


def end_canary(session: Session, subject: CardRef, person: str, now: datetime, policy: Policy) -> str:
    """A lead lets the new model answer all requests, whatever its canary has shown so far. Returns its name. Raises as
    `roll_canary_back`."""
    live, model, _canary, queue = _locked(session, subject, person, policy)
    close_canary(session, live.queue_id, CanaryState.KEPT, now)
    note_decision(session, live, model, DecisionKind.KEEP, [person], "", now, queue)
    request_renewal(session, live, model, may_close=True, now=now, part="whole")
    announce_end_of_canary(session, model, now)
    return model.name


def _locked(
    session: Session, subject: CardRef, person: str, policy: Policy
) -> tuple[Live, ModelVersion, Canary, QueuePolicy]:
    model = session.get(ModelVersion, subject.id)
    if model is None:
        raise NotFound("This model does not exist.")
    subject.require(model.created_at)
    queue = policy.queue(model.queue.name)
    require(session, model.queue, Role.LEAD, person, "decide on models", queue)
    live = session.get_one(Live, model.queue_id, with_for_update=True, populate_existing=True)
    canary = session.get(Canary, model.id, populate_existing=True)
    if canary is None or canary.finished_at is not None:
        raise AlreadySettled(f"The canary of {model.name} is over. Nothing was changed.")
    return live, model, canary, queue
