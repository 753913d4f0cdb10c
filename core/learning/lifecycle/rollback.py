"""The rollback to the model that was live before the present one."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import AlreadySettled, NotFound, Refusal
from core.learning.lifecycle.promotion import ANNOUNCED, go_live, note_decision
from core.learning.lifecycle.tainted import SHORTEST_REASON, has_erased_rows, tainted_sentence
from core.policy import QueuePolicy
from core.records.learning import Artifact, Decision, Live, ModelVersion
from core.records.queues import Queue
from core.vocabulary import DecisionKind

ROLL_BACKS_APART = timedelta(minutes=1)


def rollback(session: Session, queue: Queue, person: str, reason: str, now: datetime, policy: QueuePolicy) -> str:
    """Bring back the model that was live before the present one. Returns its name. The caller has checked that the
    person may (a lead by slash command, an operator by terminal).

    Raises NotFound if there is none, and AlreadySettled within a minute of the last rollback: a command typed twice, or
    by two leads at once, would go back two models. Raises Refusal if rows on which that model was trained have been
    erased since and no reason is given.
    """
    live = session.get_one(Live, queue.id, with_for_update=True, populate_existing=True)
    present = live.model_id
    if present is None:
        raise NotFound(f"{policy.shown_title} has no live model, so there is nothing to roll back.")
    _check_not_just_now(session, queue, now, policy)
    former = former_of(session, present)
    if former is None:
        raise NotFound(
            f"The live model of {policy.shown_title} is its first, so there is no earlier one to roll back to."
        )
    _check_may_come_back(session, former, reason)
    go_live(session, live, former, now)
    note_decision(session, live, former, DecisionKind.ROLL_BACK, [person], reason, now, policy, former_model_id=present)
    return former.name


def _check_may_come_back(session: Session, former: ModelVersion, reason: str) -> None:
    """Raises NotFound if its artefact was deleted, and Refusal if some of its training rows have been erased since and
    no reason is given."""
    if session.get_one(Artifact, former.id).purged_at is not None:
        raise NotFound(f"{former.name} was deleted because it was trained on text that was erased. Retrain instead.")
    if len(reason.strip()) < SHORTEST_REASON and has_erased_rows(session, former):
        sentence = tainted_sentence(session, former)
        raise Refusal(f"{sentence} To bring it back anyway, say why (at least {SHORTEST_REASON} characters).")


def former_of(session: Session, model_id: int) -> ModelVersion | None:
    """The model that was live when this one was promoted, not when it was last rolled back to; None for a queue's
    first."""
    went_live = [DecisionKind.PROMOTE, DecisionKind.OVERRULE]
    former_id = session.scalar(
        select(Decision.former_model_id)
        .where(Decision.model_id == model_id, Decision.kind.in_(went_live))
        .order_by(Decision.id.desc())
        .limit(1)
    )
    return session.get_one(ModelVersion, former_id) if former_id is not None else None


def _check_not_just_now(session: Session, queue: Queue, now: datetime, policy: QueuePolicy) -> None:
    moved = select(Decision).where(Decision.queue_id == queue.id, Decision.kind.in_(ANNOUNCED))
    last = session.scalars(moved.order_by(Decision.id.desc()).limit(1)).first()
    if last is None or last.kind is not DecisionKind.ROLL_BACK:
        return
    if timedelta(0) <= now - last.created_at < ROLL_BACKS_APART:
        former = session.get_one(ModelVersion, last.former_model_id)
        brought_back = session.get_one(ModelVersion, last.model_id)
        raise AlreadySettled(
            f"{former.name} of {policy.shown_title} was rolled back to {brought_back.name} just now. "
            "To go back further, try again in a minute."
        )
