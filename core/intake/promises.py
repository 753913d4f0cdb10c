"""The upkeep of a queue's promise from hour to hour: the cut that keeps it, the items a day that it needs, and a lead's
agreement to these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.intake.cuts import FEWEST, SCORES
from core.intake.drift_watch import last_alarm
from core.intake.promise_sample import PromiseSample, promise_sample, window_began
from core.intake.scores import SCORE
from core.policy import QueuePolicy
from core.quality.promise import Kept, audits_needed, best_promise, kept_cut, loosest_cut
from core.queues import queue_named
from core.records.predictions import FlagCut, Prediction
from core.records.promises import PromiseState
from core.storage.database import insert

STALE = timedelta(hours=1)


@dataclass(frozen=True)
class PromiseWork:
    """The data from which a promise is brought up to date. model: the present one. since: when the queue began to
    promise. kept: the former cut, if it was for this promise and this model. budget_cut: the cut of the budget alone.
    scores: the model's newest scores, from which the share at or above a cut follows. volume: predictions a day."""

    model: str
    since: datetime
    kept: Kept
    budget_cut: float
    scores: tuple[float, ...]
    volume: int | None
    sample: PromiseSample


def promise_work(session: Session, policy: QueuePolicy, now: datetime) -> PromiseWork | None:
    """The work that is due. None: the queue makes no promise, has no cut yet, or was brought up to date within the
    hour."""
    promised, queue_id = policy.flagging.promised, queue_named(session, policy.name).id
    cut, state = session.get(FlagCut, queue_id), session.get(PromiseState, queue_id)
    if promised is None or cut is None:
        return None
    is_same = state is not None and state.promised == promised
    if state is not None and is_same and _is_fresh(state, cut, now):
        return None
    since = state.since if state is not None and is_same else now
    began = window_began(session, queue_id, cut.model_version, since, now)
    alarm = last_alarm(session, queue_id)
    goes_on = state is not None and is_same and state.model_version == cut.model_version
    goes_on = goes_on and (alarm is None or state is None or alarm < state.made_at)
    return PromiseWork(
        model=cut.model_version,
        since=since,
        kept=Kept(state.cut, state.audits_then, state.said) if state is not None and goes_on else Kept(),
        budget_cut=cut.budget_cut,
        scores=_scores(session, queue_id, cut.model_version),
        volume=cut.volume,
        sample=promise_sample(session, queue_id, cut.model_version, began, now),
    )


def store_promise(
    session: Session, policy: QueuePolicy, work: PromiseWork, said: Mapping[int, tuple[str, float]], now: datetime
) -> None:
    """Store the state of the promise. said: as for `PromiseSample.strata`. A lead's agreement holds only for the
    promise to which it was given."""
    queue_id, promised = queue_named(session, policy.name).id, policy.flagging.promised
    assert promised is not None, "the caller's queue promises something"
    strata, error = work.sample.strata(said), 1 - policy.flagging.promise_sure
    kept = kept_cut(work.kept, loosest_cut(strata, promised, error), strata.audits)
    total = strata.accepted.rows + strata.reviewed.rows + strata.former.rows
    values = {
        "promised": promised,
        "since": work.since,
        "model_version": work.model,
        "cut": kept.cut,
        "audits_then": kept.audits,
        "said": kept.said,
        "audits": strata.audits,
        "audits_needed": audits_needed(strata.accepted.rows / total if strata.accepted.rows else 1.0, promised, error),
        "items_a_day": _items_a_day(work, kept, policy.flagging.audit_share),
        "within_budget": best_promise(strata, work.budget_cut, error),
        "made_at": now,
    }
    former = session.get(PromiseState, queue_id, with_for_update=True, populate_existing=True)
    if former is None or former.promised != promised:
        values |= {"agreed_items": None, "agreed_by": None, "agreed_at": None}
    row = insert(session, PromiseState).values(queue_id=queue_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["queue_id"], set_=values))
    session.expire_all()


def agree(session: Session, policy: QueuePolicy, items: int, person: str, now: datetime) -> None:
    """Store that a lead agrees to this number of items a day for the present promise. The caller has checked that the
    person is a lead. Repeating it changes nothing. Raises Invalid if the promise cannot be kept yet, or needs more
    items now."""
    state = session.get(
        PromiseState, queue_named(session, policy.name).id, with_for_update=True, populate_existing=True
    )
    if state is None or state.promised != policy.flagging.promised or not state.said or state.items_a_day is None:
        raise Invalid("The promise can't be kept yet, so there is no number of items to say yes to.")
    if items < state.items_a_day:
        raise Invalid(f"The promise needs {state.items_a_day} items a day now. Say yes to that number or a higher one.")
    state.agreed_items, state.agreed_by, state.agreed_at = items, person, now


def _is_fresh(state: PromiseState, cut: FlagCut, now: datetime) -> bool:
    return state.model_version == cut.model_version and timedelta(0) <= now - state.made_at < STALE


def _scores(session: Session, queue_id: int, model: str) -> tuple[float, ...]:
    newest = select(SCORE).where(
        Prediction.queue_id == queue_id, Prediction.model_version == model, Prediction.label.is_not(None)
    )
    return tuple(session.scalars(newest.order_by(Prediction.created_at.desc()).limit(SCORES)))


def _items_a_day(work: PromiseWork, kept: Kept, lot: float) -> int | None:
    if kept.cut is None or work.volume is None or len(work.scores) < FEWEST:
        return None
    above = sum(score >= kept.cut for score in work.scores) / len(work.scores)
    return round(work.volume * (lot + (1 - lot) * above))
