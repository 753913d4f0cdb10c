"""Announcements to the leads' channel of what a single lead decided: a rollback, and a promotion against the gate."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.delivery import notices
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.tainted import count_erased_rows
from core.policy import QueuePolicy
from core.records.learning import Decision, ModelVersion
from core.vocabulary import DecisionKind, NoticeKind

TOLD = {DecisionKind.ROLL_BACK: NoticeKind.ROLLED_BACK, DecisionKind.OVERRULE: NoticeKind.OVERRULED}


def tell_leads(session: Session, decision: Decision, model: ModelVersion, now: datetime, queue: QueuePolicy) -> None:
    """Tell the leads' channel which lead decided it and why, once per decision. Other decisions are not announced: the
    model's card shows them."""
    kind = TOLD.get(decision.kind)
    if kind is None:
        return
    former = session.get(ModelVersion, decision.former_model_id) if decision.former_model_id else None
    values = {
        "queue": queue.shown_title,
        "name": queue.name,
        "model": model.name,
        "former": former.name if former else None,
        "leads": decision.people["leads"],
        "reason": queue.privacy.shown(decision.reason),
        "gate_passed": newest_evaluation(session, model.id).passed,
        "erased_rows": count_erased_rows(session, model),
    }
    notices.notify(session, kind, f"{kind}:{decision.id}", model.queue.leads_channel, None, values, now)
