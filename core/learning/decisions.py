"""Leads decide about candidates. Each verb locks the queue's `Live` row first; nothing goes live without a yes."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.delivery import notices, outbox
from core.delivery.events import announce
from core.errors import AlreadySettled, Invalid, NotFound, Outdated, Refusal
from core.learning.models import newest_evaluation
from core.learning.runs import EVALUATE, TRAIN
from core.policy import Policy, QueuePolicy
from core.queues import holds, members, require
from core.records.learning import (
    Approval,
    Decision,
    Evaluation,
    Live,
    ModelVersion,
    Snapshot,
    TrainingRun,
)
from core.records.queues import Queue
from core.vocabulary import Audience, Card, DecisionKind, EventKind, ModelState, NoticeKind, Role

STATE_SENTENCES = {
    ModelState.LIVE: "is live already",
    ModelState.RETIRED: "was live before and has been replaced",
    ModelState.REJECTED: "has been rejected",
    ModelState.SUPERSEDED: "has been superseded by a newer candidate",
}

ROLL_BACKS_APART = timedelta(minutes=1)

ANNOUNCED = {
    DecisionKind.PROMOTE: EventKind.MODEL_PROMOTED,
    DecisionKind.OVERRULE: EventKind.MODEL_PROMOTED,
    DecisionKind.ROLL_BACK: EventKind.MODEL_ROLLED_BACK,
}


def approve(session: Session, model_id: int, person: str, reacted_at: int, now: datetime, policy: Policy) -> bool:
    """A lead's yes. Promotes when enough leads have said it; True: promoted now. Repeating it changes nothing.

    reacted_at: Slack's event time in microseconds; a reaction older than what is stored raises Outdated.
    Raises NotAllowed (not a lead), AlreadySettled (decided), Refusal (the gate refused it, or the live model changed
    since the evaluation: then it is evaluated again).
    """
    live, model = _locked(session, model_id)
    require(session, model.queue, Role.LEAD, person, "decide about models")
    _check_pending(model)
    evaluation = _current_evaluation(session, live, model)
    if not evaluation.passed:
        use = "use" if _overruling(policy.queue(model.queue.name)) is Role.LEAD else "let an admin use"
        raise Refusal(
            f"The golden gate refused {model.name}, so a check mark is not enough. "
            f"To promote it all the same, {use} the button “Overrule…” and say why."
        )
    _note_reaction(session, model, person, reacted_at, standing=True, evaluation_id=evaluation.id)
    queue = policy.queue(model.queue.name)
    leads = _standing_leads(session, model, evaluation)
    if len(leads) < queue.promotion.approvals:
        _redraw(session, model, now)
        return False
    _promote(session, live, model, DecisionKind.PROMOTE, leads, "", now, queue)
    return True


def withdraw_approval(session: Session, model_id: int, person: str, reacted_at: int, now: datetime) -> None:
    """A lead took the check mark off before the quorum. Afterwards it changes nothing. Repeating it is harmless. Of
    somebody who may not decide, only a yes that is noted already is taken back."""
    _live, model = _locked(session, model_id)
    noted = select(Approval.id).where(Approval.model_id == model.id, Approval.person == person)
    concerned = holds(session, model.queue_id, Role.LEAD, person) or session.scalar(noted) is not None
    if model.state is not ModelState.CANDIDATE or not concerned:
        return
    _note_reaction(session, model, person, reacted_at, standing=False, evaluation_id=None)
    _redraw(session, model, now)


def reject(session: Session, model_id: int, person: str, now: datetime, policy: Policy) -> None:
    """One lead's no ends it. Raises NotAllowed or AlreadySettled."""
    live, model = _locked(session, model_id)
    require(session, model.queue, Role.LEAD, person, "decide about models")
    _check_pending(model)
    model.state = ModelState.REJECTED
    _decide(session, live, model, DecisionKind.REJECT, [person], "", now, policy.queue(model.queue.name))
    _redraw(session, model, now)


def overrule(session: Session, model_id: int, person: str, reason: str, now: datetime, policy: Policy) -> None:
    """Promote a candidate that the gate refused, and say why. In a queue that has admins, theirs alone; else a lead's.
    Raises NotAllowed, AlreadySettled, Refusal, or Invalid without a reason."""
    live, model = _locked(session, model_id)
    require_overruler(session, model_id, person, policy)
    _check_pending(model)
    evaluation = _current_evaluation(session, live, model)
    if evaluation.passed:
        raise Refusal(f"The golden gate passed {model.name}; react with :white_check_mark: to promote it.")
    if len(reason.strip()) < 10:
        raise Invalid("Say in a sentence why it should go live all the same (at least 10 characters).", field="reason")
    queue = policy.queue(model.queue.name)
    _promote(session, live, model, DecisionKind.OVERRULE, [person], reason.strip(), now, queue)


def require_overruler(session: Session, model_id: int, person: str, policy: Policy) -> None:
    """Raise NotAllowed, with the reason, unless this person may overrule the golden gate for this model."""
    model = session.get_one(ModelVersion, model_id)
    role = _overruling(policy.queue(model.queue.name))
    require(session, model.queue, role, person, "overrule the golden gate")


def _overruling(policy: QueuePolicy) -> Role:
    """By the policy, not by who is there: where every admin has left, no lead takes their place."""
    return Role.ADMIN if policy.admins else Role.LEAD


def roll_back(session: Session, queue: Queue, person: str, reason: str, now: datetime, policy: QueuePolicy) -> str:
    """Bring back the model that was live before the present one. Returns its name. Raises NotFound if there is none,
    and AlreadySettled within a minute of the last one: typed again because no answer came, or by two leads at once, it
    would go back two.

    The caller has checked who may (a lead by slash command, an operator by terminal).
    """
    live = session.get_one(Live, queue.id, with_for_update=True, populate_existing=True)
    present = live.model_id
    if present is None:
        raise NotFound(f"No model of {queue.name} is live, so there is nothing to roll back.")
    _check_not_just_now(session, queue, now)
    former_id = session.scalar(
        select(Decision.former_model_id)
        .where(
            Decision.model_id == present,
            Decision.kind.in_([DecisionKind.PROMOTE, DecisionKind.OVERRULE]),
        )
        .order_by(Decision.id.desc())
        .limit(1)
    )
    if former_id is None:
        raise NotFound(f"The live model of {queue.name} is its first one: there is none to go back to.")
    former = session.get_one(ModelVersion, former_id)
    _go_live(session, live, former, now)
    _decide(session, live, former, DecisionKind.ROLL_BACK, [person], reason, now, policy, former_model_id=present)
    return former.name


def _check_not_just_now(session: Session, queue: Queue, now: datetime) -> None:
    moved = select(Decision).where(Decision.queue_id == queue.id, Decision.kind.in_(ANNOUNCED))
    last = session.scalars(moved.order_by(Decision.id.desc()).limit(1)).first()
    if last is None or last.kind is not DecisionKind.ROLL_BACK:
        return
    if timedelta(0) <= now - last.created_at < ROLL_BACKS_APART:
        former = session.get_one(ModelVersion, last.former_model_id)
        brought_back = session.get_one(ModelVersion, last.model_id)
        raise AlreadySettled(
            f"{former.name} of {queue.name} was rolled back to {brought_back.name} just now. "
            "To go back one more, say it again in a minute."
        )


def remind_of_pending(session: Session, now: datetime, policy: Policy) -> None:
    """Silence is never a yes: tell the leads' channel about candidates that have waited long. Each is said once."""
    waiting = session.scalars(
        select(ModelVersion).where(ModelVersion.state == ModelState.CANDIDATE, ModelVersion.reminded_at.is_(None))
    ).all()
    hours_of = {queue.name: queue.promotion.reminder_hours for queue in policy.queues}
    for model in waiting:
        hours = hours_of.get(model.queue.name)  # None: the queue has left the policy file, so nobody decides there
        if hours is not None and model.created_at + timedelta(hours=hours) <= now:
            model.reminded_at = now
            words = f"{model.queue.name}: {model.name} has been waiting for a decision for {hours:g} hours."
            key = f"{NoticeKind.DECISION_PENDING}:{model.id}"
            notices.notify(session, NoticeKind.DECISION_PENDING, key, model.queue.leads_channel, None, words, now)


def _promote(
    session: Session, live: Live, model: ModelVersion, kind: DecisionKind, leads: list[str], reason: str,
    now: datetime, queue: QueuePolicy,
) -> None:  # fmt: skip
    former = live.model_id
    _go_live(session, live, model, now)
    _decide(session, live, model, kind, leads, reason, now, queue, former_model_id=former)


def _go_live(session: Session, live: Live, model: ModelVersion, now: datetime) -> None:
    """Move the Live row; redraw both cards; have candidates that wait compared with the new live model."""
    if live.model_id is not None:
        former = session.get_one(ModelVersion, live.model_id)
        former.state = ModelState.RETIRED
        _redraw(session, former, now)
    model.state = ModelState.LIVE
    live.model_id, live.changes, live.changed_at = model.id, live.changes + 1, now
    _redraw(session, model, now)
    waiting = session.scalars(
        select(ModelVersion).where(ModelVersion.queue_id == live.queue_id, ModelVersion.state == ModelState.CANDIDATE)
    )
    for candidate in waiting:
        _ask_for_evaluation(session, live, candidate, now)


def _decide(
    session: Session, live: Live, model: ModelVersion, kind: DecisionKind, leads: list[str], reason: str,
    now: datetime, queue: QueuePolicy, former_model_id: int | None = None,
) -> None:  # fmt: skip
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
        reason=reason,
        evaluation_id=newest_evaluation(session, model.id).id,
        snapshot_hash=snapshot_hash or "",
        policy_fingerprint=queue.fingerprint,
        created_at=now,
    )
    session.add(decision)
    session.flush()
    _announce(session, decision, model, now)


def _announce(session: Session, decision: Decision, model: ModelVersion, now: datetime) -> None:
    """Other systems hear which model answers from now on, and instead of which."""
    kind = ANNOUNCED.get(decision.kind)
    if kind is None:
        return
    former = session.get(ModelVersion, decision.former_model_id) if decision.former_model_id else None
    told = {
        "queue": model.queue.name,
        "model": model.name,
        "model_id": model.id,
        "former_model": former.name if former else None,
        "overruled": decision.kind is DecisionKind.OVERRULE,
        "decided_at": decision.created_at.isoformat(),
    }
    announce(session, kind, decision.id, decision.queue_id, told, now)


def _locked(session: Session, model_id: int) -> tuple[Live, ModelVersion]:
    queue_id = session.scalar(select(ModelVersion.queue_id).where(ModelVersion.id == model_id))
    if queue_id is None:
        raise NotFound("This model does not exist (any more).")
    live = session.get_one(Live, queue_id, with_for_update=True, populate_existing=True)
    return live, session.get_one(ModelVersion, model_id, populate_existing=True)


def _check_pending(model: ModelVersion) -> None:
    if model.state is not ModelState.CANDIDATE:
        raise AlreadySettled(f"{model.name} {STATE_SENTENCES[model.state]}; this changed nothing.")


def _current_evaluation(session: Session, live: Live, model: ModelVersion) -> Evaluation:
    """Raises Refusal if the live model has changed since: whoever changed it has asked for a new evaluation."""
    evaluation = newest_evaluation(session, model.id)
    if evaluation.live_changes != live.changes:
        raise Refusal(
            f"The live model has changed since {model.name} was evaluated. It is being compared again; "
            "please decide when its report is new."
        )
    return evaluation


def _ask_for_evaluation(session: Session, live: Live, model: ModelVersion, now: datetime) -> None:
    jobs.enqueue(
        session,
        EVALUATE,
        f"{EVALUATE}:{model.id}:{live.changes}",
        {"model_id": model.id},
        now,
        mutex=f"{TRAIN}:{model.queue.name}",
    )


def _note_reaction(
    session: Session, model: ModelVersion, person: str, reacted_at: int, standing: bool, evaluation_id: int | None
) -> None:
    row = session.scalar(select(Approval).where(Approval.model_id == model.id, Approval.person == person))
    if row is None:
        session.add(
            Approval(
                model_id=model.id,
                person=person,
                standing=standing,
                reacted_at=reacted_at,
                evaluation_id=evaluation_id,
            )
        )
    elif reacted_at < row.reacted_at:
        raise Outdated("An older reaction arrived late and changed nothing.")
    else:
        row.standing, row.reacted_at, row.evaluation_id = standing, reacted_at, evaluation_id
    session.flush()


def _standing_leads(session: Session, model: ModelVersion, evaluation: Evaluation) -> list[str]:
    """Leads whose yes stands, was given to this report and not to an older one, and who are still leads."""
    said = session.scalars(
        select(Approval.person).where(
            Approval.model_id == model.id, Approval.standing, Approval.evaluation_id == evaluation.id
        )
    )
    return sorted(set(said) & set(members(session, model.queue_id, Role.LEAD)))


def _redraw(session: Session, model: ModelVersion, now: datetime) -> None:
    outbox.show(session, Card.CANDIDATE, model.id, Audience.LEADS, model.queue, now, urgent=True)
