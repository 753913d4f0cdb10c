"""The state of a queue's promise today, in numbers."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.quality.promise import AGE, WINDOW
from core.records.drift import DriftAlarm
from core.records.predictions import FlagCut
from core.records.promises import PromiseState
from core.vocabulary import PromiseStatus

SOON = 1.0  # audits a day; with fewer, no day is predicted


@dataclass(frozen=True)
class PromiseReading:
    """A promise in numbers. promised: the share of all answers that may be wrong and unseen; sure: the probability that
    this holds. audits: random checks that count; needed: the least number of them; days: until there are that many,
    None: not known. items_a_day: those that the promise needs; within_budget: the share that can be promised with the
    budget alone, None: none. agreed: items a day to which a lead said yes. alarm: the day of an alarm of drift from
    which on audits count; None: there was none."""

    promised: float
    sure: float
    status: PromiseStatus
    audits: int
    needed: int | None
    days: int | None
    items_a_day: int | None
    within_budget: float | None
    agreed: int | None
    alarm: date | None = None


def promise_reading(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> PromiseReading | None:
    """The reading; None: the queue makes no promise."""
    promised = policy.flagging.promised
    if promised is None:
        return None
    state, cut = session.get(PromiseState, queue_id), session.get(FlagCut, queue_id)
    sure = policy.flagging.promise_sure
    if state is None or cut is None or state.promised != promised or state.model_version != cut.model_version:
        return PromiseReading(promised, sure, PromiseStatus.NOT_YET, 0, None, None, None, None, None)
    alarm = _alarm(session, queue_id, state.made_at)
    return PromiseReading(
        promised=promised,
        sure=sure,
        status=_status(state, cut),
        audits=state.audits,
        needed=state.audits_needed,
        days=_days(state, cut, policy),
        items_a_day=state.items_a_day,
        within_budget=state.within_budget if state.within_budget < 1 else None,
        agreed=state.agreed_items,
        alarm=alarm.astimezone(policy.zone).date() if alarm is not None else None,
    )


def extra_cut(session: Session, queue_id: int, policy: QueuePolicy, model: str) -> float | None:
    """The promise's cut with this model, if a lead has agreed to the items that it needs beyond the budget. None: the
    budget's cut applies."""
    state = agreed_state(session, queue_id, policy)
    return state.cut if state and state.model_version == model else None


def agreed_state(session: Session, queue_id: int, policy: QueuePolicy) -> PromiseState | None:
    """The state of a promise that can be kept, if a lead has agreed to the items that it needs. None: no lead has."""
    state = session.get(PromiseState, queue_id)
    if state is None or policy.flagging.promised is None or state.promised != policy.flagging.promised:
        return None
    is_enough = None not in (state.agreed_items, state.items_a_day) and state.agreed_items >= state.items_a_day  # type: ignore[operator]
    return state if state.said and is_enough else None


def _alarm(session: Session, queue_id: int, made_at: datetime) -> datetime | None:
    """The newest drift alarm within the window; rows count from then on. A promotion does not change that."""
    alarms = select(func.max(DriftAlarm.created_at)).where(DriftAlarm.queue_id == queue_id)
    return session.scalar(alarms.where(DriftAlarm.created_at > made_at - WINDOW))


def _status(state: PromiseState, cut: FlagCut) -> PromiseStatus:
    if not state.said or state.cut is None:
        return PromiseStatus.NOT_YET
    return PromiseStatus.KEPT if cut.cut <= state.cut else PromiseStatus.ABOVE_BUDGET


def _days(state: PromiseState, cut: FlagCut, policy: QueuePolicy) -> int | None:
    a_day = (cut.volume or 0) * policy.flagging.audit_share
    missing = max(0, state.audits_needed - state.audits)
    until_the_first = 0 if state.audits else AGE.days
    return None if a_day < SOON or not missing else until_the_first - int(-missing // a_day)
