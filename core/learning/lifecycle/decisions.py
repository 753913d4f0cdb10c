"""Decisions of leads about candidates. Each verb locks the queue's `Live` row first; no model goes live without
approval."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.delivery import notices
from core.delivery.card_refs import CardRef, microseconds
from core.errors import AlreadySettled, Invalid, NotFound, Outdated, Refusal
from core.learning.lifecycle.expiry import asked_since
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.promotion import go_live, note_decision
from core.learning.lifecycle.shadow import shadow_line
from core.learning.lifecycle.tainted import has_erased_rows, tainted_sentence
from core.people.members import holds, members
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.records.learning import Approval, Evaluation, Live, ModelVersion
from core.vocabulary import DecisionKind, ModelState, NoticeKind, Role

STATE_SENTENCES = {
    ModelState.LIVE: "is already live",
    ModelState.RETIRED: "was live and has been replaced",
    ModelState.REJECTED: "was rejected",
    ModelState.SUPERSEDED: "was superseded by a newer candidate",
}


def approve(session: Session, model_id: int, person: str, reacted_at: int, now: datetime, policy: Policy) -> bool:
    """Store a lead's approval, and promote the model when enough leads have approved it. Returns whether it was
    promoted now. Repeating it changes nothing.

    reacted_at: Slack's event time in microseconds; a reaction older than the stored one raises Outdated. Raises
    NotAllowed if the person is not a lead, AlreadySettled if the candidate is decided, and Refusal if the gate refused
    it, or if the live model has changed since the evaluation: then it is evaluated again.
    """
    live, model = _locked(session, model_id)
    queue = policy.queue(model.queue.name)
    require(session, model.queue, Role.LEAD, person, "decide on models", queue)
    _check_pending(model)
    evaluation = _current_evaluation(session, live, model)
    if not evaluation.passed:
        use = "use" if _overruling(queue) is Role.LEAD else "ask an admin to use"
        raise Refusal(
            f"The golden gate refused {model.name}, so a check mark can't promote it. "
            f"To promote it anyway, {use} “Overrule…” and say why."
        )
    _check_not_tainted(session, model)
    _check_not_in_shadow(session, model, queue)
    _check_seen(session, model, evaluation, reacted_at)
    _note_reaction(session, model, person, reacted_at, standing=True, evaluation_id=evaluation.id)
    leads = _standing_leads(session, model, evaluation)
    if len(leads) < queue.promotion.approvals:
        model_changed(session, model.id, now)
        return False
    _promote(session, live, model, DecisionKind.PROMOTE, leads, "", now, queue)
    return True


def candidate_meant(session: Session, subject: CardRef, seen: int, person: str, policy: Policy) -> tuple[int, str]:
    """The id and name of the model of a lead's button. seen: the evaluation that was shown beside it. Raises NotFound
    if there is no such model any more, NotAllowed, and Refusal if the model was compared again since."""
    model = session.get(ModelVersion, subject.id)
    if model is None:
        raise _gone()
    subject.require(model.created_at)
    require(session, model.queue, Role.LEAD, person, "decide on models", policy.queue(model.queue.name))
    if model.state is ModelState.CANDIDATE and newest_evaluation(session, model.id).id != seen:
        raise Refusal(f"{model.name} was compared again since. Read its new report first.")
    return model.id, model.name


def withdraw_approval(session: Session, model_id: int, person: str, reacted_at: int, now: datetime) -> None:
    """Withdraw a lead's approval, as when the check mark is removed before enough leads have approved. After the
    promotion it changes nothing (`tell_stays_live` says so). Repeating it is harmless. For a person who may not decide
    any more, only a stored approval is withdrawn."""
    _live, model = _locked(session, model_id)
    noted = select(Approval.id).where(Approval.model_id == model.id, Approval.person == person)
    concerned = holds(session, model.queue_id, Role.LEAD, person) or session.scalar(noted) is not None
    if model.state is not ModelState.CANDIDATE or not concerned:
        return
    _note_reaction(session, model, person, reacted_at, standing=False, evaluation_id=None)
    model_changed(session, model.id, now)


def reject(session: Session, model_id: int, person: str, now: datetime, policy: Policy) -> None:
    """Reject the candidate: one lead is enough. Raises NotAllowed or AlreadySettled."""
    live, model = _locked(session, model_id)
    queue = policy.queue(model.queue.name)
    require(session, model.queue, Role.LEAD, person, "decide on models", queue)
    _check_pending(model)
    model.state = ModelState.REJECTED
    note_decision(session, live, model, DecisionKind.REJECT, [person], "", now, queue)
    model_changed(session, model.id, now)


def overrule(
    session: Session, subject: CardRef, seen: int, person: str, reason: str, now: datetime, policy: Policy
) -> None:
    """Promote a candidate that the gate refused, or that learned from rows that were erased since, for a stated reason.
    In a queue that has admins, only they may; else leads. seen: the evaluation whose problems they were shown; 0: it is
    not known. Raises NotFound, NotAllowed, AlreadySettled, Refusal, or Invalid without a reason."""
    live, model = _locked(session, subject.id)
    require_overruler(session, subject, person, policy)
    _check_pending(model)
    evaluation = _current_evaluation(session, live, model)
    if evaluation.passed and not has_erased_rows(session, model):
        raise Refusal(f"The golden gate passed {model.name}. React with :white_check_mark: to promote it.")
    if seen and evaluation.id != seen:
        raise Refusal(f"{model.name} was compared again after you opened this form. Read its new report first.")
    if len(reason.strip()) < 10:
        raise Invalid("Say why it should go live anyway (at least 10 characters).", field="reason")
    queue = policy.queue(model.queue.name)
    _promote(session, live, model, DecisionKind.OVERRULE, [person], reason.strip(), now, queue)


def require_overruler(session: Session, subject: CardRef, person: str, policy: Policy) -> None:
    """Raise NotAllowed, with the reason, unless this person may overrule the golden gate for this model; NotFound if
    there is no such model any more."""
    model = session.get(ModelVersion, subject.id)
    if model is None:
        raise _gone()
    subject.require(model.created_at)
    queue = policy.queue(model.queue.name)
    require(session, model.queue, _overruling(queue), person, "overrule the golden gate", queue)


def _check_not_tainted(session: Session, model: ModelVersion) -> None:
    """Raises Refusal if some of its training rows have been erased since."""
    if has_erased_rows(session, model):
        raise Refusal(
            f"{tainted_sentence(session, model)} A check mark can't promote it. To promote it anyway, use “Overrule…” "
            "and say why."
        )


def _overruling(policy: QueuePolicy) -> Role:
    """The role that may overrule, by the policy alone: if every admin has left, no lead takes their place."""
    return Role.ADMIN if policy.admins else Role.LEAD


def remind_of_pending(session: Session, now: datetime, policy: Policy) -> None:
    """Remind the leads' channel of candidates that have waited long, once for each."""
    waiting = session.scalars(
        select(ModelVersion).where(ModelVersion.state == ModelState.CANDIDATE, ModelVersion.reminded_at.is_(None))
    ).all()
    queues = {queue.name: queue for queue in policy.queues}
    for model in waiting:
        queue = queues.get(model.queue.name)  # None: the queue has left the policy file, so no one can decide
        if queue and asked_since(model) + timedelta(hours=queue.promotion.reminder_hours) <= now:
            model.reminded_at = now
            values = {"queue": queue.shown_title, "model": model.name, "hours": queue.promotion.reminder_hours}
            key = f"{NoticeKind.DECISION_PENDING}:{model.id}:{asked_since(model):%Y-%m-%dT%H:%M}"
            notices.notify(session, NoticeKind.DECISION_PENDING, key, model.queue.leads_channel, None, values, now)


def _promote(
    session: Session, live: Live, model: ModelVersion, kind: DecisionKind, leads: list[str], reason: str,
    now: datetime, queue: QueuePolicy,
) -> None:  # fmt: skip
    former = live.model_id
    go_live(session, live, model, now)
    note_decision(session, live, model, kind, leads, reason, now, queue, former_model_id=former)


def _locked(session: Session, model_id: int) -> tuple[Live, ModelVersion]:
    queue_id = session.scalar(select(ModelVersion.queue_id).where(ModelVersion.id == model_id))
    if queue_id is None:
        raise _gone()
    live = session.get_one(Live, queue_id, with_for_update=True, populate_existing=True)
    return live, session.get_one(ModelVersion, model_id, populate_existing=True)


def _gone() -> NotFound:
    return NotFound("This model does not exist.")


def _check_pending(model: ModelVersion) -> None:
    if model.state is not ModelState.CANDIDATE:
        raise AlreadySettled(f"{model.name} {STATE_SENTENCES[model.state]}. Nothing was changed.")


def _current_evaluation(session: Session, live: Live, model: ModelVersion) -> Evaluation:
    """The newest evaluation. Raises Refusal if the live model has changed since: that change has requested a new
    evaluation."""
    evaluation = newest_evaluation(session, model.id)
    if evaluation.live_changes != live.changes:
        raise Refusal(
            f"The live model changed after {model.name} was evaluated, so {model.name} is being compared again. "
            "Decide when its new report arrives."
        )
    return evaluation


def _check_not_in_shadow(session: Session, model: ModelVersion, queue: QueuePolicy) -> None:
    shadow = shadow_line(session, model, queue)
    if shadow is not None and shadow.report is None:
        until = f"until {shadow.ends_at:%Y-%m-%d %H:%M} UTC" if shadow.ends_at else "from now on"
        raise Refusal(
            f"{model.name} is in shadow {until}. When its report shows how often it agrees with the live answers, "
            "remove your check mark, and add it again if you agree."
        )


def _check_seen(session: Session, model: ModelVersion, evaluation: Evaluation, reacted_at: int) -> None:
    """Raise Refusal if the lead reacted before the present report existed: an approval counts only for the report that
    the lead could read. The first report is not checked: it existed before any reaction to it, however far Slack's
    clock and ours differ."""
    first = session.scalar(select(func.min(Evaluation.id)).where(Evaluation.model_id == model.id))
    if evaluation.id != first and reacted_at < microseconds(evaluation.created_at):
        raise Refusal(
            f"{model.name} was compared again after you reacted. Read its new report, remove your check mark, "
            "and add it again if you still agree."
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
    """The present leads whose approval was given to this report, not an older one, and was not withdrawn."""
    said = session.scalars(
        select(Approval.person).where(
            Approval.model_id == model.id, Approval.standing, Approval.evaluation_id == evaluation.id
        )
    )
    return sorted(set(said) & set(members(session, model.queue_id, Role.LEAD)))
