"""How an item came to its end, step by step: for a lead who wonders, and for whoever asks a year later."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.people.members import holds
from core.policy import Policy, PrivacyPolicy
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.answers import said_words
from core.review.questions import Question, question_of
from core.vocabulary import AnswerKind, ItemState, QuestionAbout, Role, shown_answer


@dataclass(frozen=True)
class HistoryLine:
    """One step of how an item came to its end."""

    at: datetime
    words: str


def item_history(session: Session, item_id: int, person: str | None, policy: Policy) -> list[HistoryLine]:
    """How an item was decided, oldest first. Names and single votes are for leads (and for person None, the operator),
    or for everyone where the policy reveals names; while the item is open nobody sees them. What the model said of a
    blind item is only for the operator until the item is settled."""
    item = session.get_one(ReviewItem, item_id)
    question, queue = question_of(item), policy.queue(item.queue.name)
    prediction = question.prediction
    named = person is None or queue.review.reveal == "names" or holds(session, item.queue_id, Role.LEAD, person)
    named = named and (item.state is ItemState.SETTLED or person is None)
    lines = []
    if prediction is None:
        lines = [HistoryLine(item.opened_at, _asked_line(item, question))]
    elif person is None or not item.blind or item.state is ItemState.SETTLED:
        lines = _model_lines(prediction)
    lines.append(HistoryLine(item.opened_at, "shown to reviewers" + (", blind" if item.blind else " with the guess")))
    if named:
        every = session.scalars(select(Answer).where(Answer.item_id == item_id).order_by(Answer.id))
        lines += [HistoryLine(answer.created_at, _answer_line(answer, queue.privacy)) for answer in every]
    corrections = session.scalars(select(Correction).where(Correction.item_id == item_id).order_by(Correction.id))
    lines += [HistoryLine(correction.settled_at, _correction_line(correction, named)) for correction in corrections]
    if question.erased_at is not None:
        lines.append(HistoryLine(question.erased_at, _erased_line(item)))
    return lines


def _model_lines(prediction: Prediction) -> list[HistoryLine]:
    """What the model said and why that was flagged; on an open blind item nobody may know."""
    said = HistoryLine(prediction.created_at, f"{prediction.model_version} said {_said(prediction)}")
    return [
        said,
        *(
            HistoryLine(
                flag.created_at, f"flagged as {flag.reason.value}: {flag.detail} (policy {flag.policy_fingerprint})"
            )
            for flag in prediction.flags
        ),
    ]


def _asked_line(item: ReviewItem, question: Question) -> str:
    side = "golden" if question.about is QuestionAbout.GOLDEN else "training"
    return f"{item.asked_by} asked again about the {side} label of {question.name}"


def _said(prediction: Prediction) -> str:
    if prediction.label is None:
        return "nothing: no model was live"
    return f"{prediction.label} ({prediction.confidence or 0:.0%})"


def _answer_line(answer: Answer, privacy: PrivacyPolicy) -> str:
    why = f" because {answer.reason.value.replace('_', ' ')}" if answer.reason else ""
    note = f": {privacy.shown(answer.note)}" if answer.note else ""
    now = "" if answer.is_current else " (changed later)"
    if answer.kind is AnswerKind.WITHDRAWN:
        return f"{answer.person} took their answer back{now}"
    return f"{answer.person} said {said_words(answer)}{why}{note} under guideline {answer.guideline_version}{now}"


def _erased_line(item: ReviewItem) -> str:
    if item.state is ItemState.ERASED:
        return "its text was erased before it was settled; the item was closed with it"
    return "its text was erased; what was decided still counts, but no new model learns from it"


def _correction_line(correction: Correction, named: bool) -> str:
    votes = ", ".join(f"{count} × {answer}" for answer, count in correction.tally.items()) or "no votes"
    lead = (correction.lead if named else "a lead") if correction.lead else None
    how = f"by {lead} after {votes}" if lead else f"by {votes}"
    return (
        f"settled as {shown_answer(correction.label)} {how}; {_about_model(correction)}"
        f"goes to {correction.destination.value} (policy {correction.policy_fingerprint})"
    )


def _about_model(correction: Correction) -> str:
    prediction = question_of(correction.item).prediction
    if prediction is None:
        return ""
    if prediction.label is None:
        return "no model had looked at it; "
    return "the model was right; " if correction.model_was_right else "the model was wrong; "
