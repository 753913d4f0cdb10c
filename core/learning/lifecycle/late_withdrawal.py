"""The removal of a check mark after the promotion: it changes nothing, and the lead is told how to roll back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery import notices
from core.learning.lifecycle.promotion import ANNOUNCED
from core.learning.lifecycle.rollback import former_of
from core.people.members import holds
from core.policy import Policy
from core.records.learning import Approval, Decision, ModelVersion
from core.vocabulary import ModelState, NoticeKind, Role


def tell_stays_live(
    session: Session, model_id: int, person: str, reacted_at: int, channel: str, now: datetime, policy: Policy
) -> None:
    """Tell a lead that the model stays live, who decided that, and how to roll back; once for each decision. Nothing is
    sent if the model is not live, if the person is no lead, or if they have reacted again since. The caller holds the
    queue's `Live` row. channel: the one of the report."""
    model = session.get_one(ModelVersion, model_id, populate_existing=True)
    if model.state is not ModelState.LIVE or not holds(session, model.queue_id, Role.LEAD, person):
        return
    noted = select(Approval.reacted_at).where(Approval.model_id == model_id, Approval.person == person)
    if reacted_at < (session.scalar(noted) or 0):
        return
    made_live = select(Decision).where(Decision.model_id == model_id, Decision.kind.in_(ANNOUNCED))
    decision = session.scalars(made_live.order_by(Decision.id.desc()).limit(1)).one()
    queue, former = policy.queue(model.queue.name), former_of(session, model_id)
    values = {
        "queue": queue.shown_title,
        "name": queue.name,
        "model": model.name,
        "former": former.name if former else None,
        "kind": decision.kind,
        "leads": decision.people["leads"],
        "at": decision.created_at.timestamp(),
    }
    key = f"{NoticeKind.STAYS_LIVE}:{decision.id}:{person}"
    notices.notify(session, NoticeKind.STAYS_LIVE, key, channel, person, values, now)
