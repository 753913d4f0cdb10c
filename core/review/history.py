"""The history of an item, step by step, for leads and for later audits.

bot/wording/item_history.py has the sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.people.members import holds
from core.policy import Policy, PrivacyPolicy
from core.records.learning import ModelVersion
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, Escalation, ReviewItem, Suggestion
from core.review.answers import answer_in_words
from core.review.questions import question_of
from core.vocabulary import AnswerKind, Coded, Destination, ErrorReason, ItemState, QuestionAbout, Reason, Role


@dataclass(frozen=True)
class PredictionMade:
    """label: None where no model was live."""

    model: str
    label: str | None
    confidence: float | None


@dataclass(frozen=True)
class Flagged:
    """why: of `Reason`. person: who flagged it, where a person did."""

    why: Coded
    person: str | None
    policy: str


@dataclass(frozen=True)
class Drawn:
    """The random draws for the prediction, each with the share that it draws; a share is 0 where there was no draw.
    sent: whether a rule sent the prediction to people as well."""

    audit: float
    audited: bool
    hold: float
    held_back: bool
    sent: bool


@dataclass(frozen=True)
class AskedAgain:
    """People are asked again about a stored label. name: of the example or ticket whose label it is."""

    about: QuestionAbout
    name: str
    person: str | None


@dataclass(frozen=True)
class WrittenFor:
    """A language model wrote the text for this label, in this batch."""

    label: str
    batch: int


@dataclass(frozen=True)
class Opened:
    blind: bool


@dataclass(frozen=True)
class Answered:
    """A person answered. replaced: a later answer of this person replaced it."""

    person: str
    kind: AnswerKind
    label: str | None
    reason: ErrorReason | None
    note: str
    guideline: int
    replaced: bool


@dataclass(frozen=True)
class Escalated:
    """The item went to a lead. why: of `DisputeReason`. tally: answer as shown -> how many had given it by then; names:
    the people. Each is empty where it is not shown."""

    why: Coded
    tally: Mapping[str, int]
    names: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Settled:
    """The item was settled. by_lead: a lead decided; lead: who, where names are shown; reason, note: the lead's. about:
    model_was_right has a value only for a prediction, and only where a model was live."""

    label: str | None
    tally: dict[str, int]
    by_lead: bool
    lead: str | None
    about: QuestionAbout
    model_was_right: bool | None
    destination: Destination
    policy: str
    reason: ErrorReason | None = None
    note: str = ""


@dataclass(frozen=True)
class Erased:
    """The text was erased. was_settled: the decision still counts; otherwise the item was closed."""

    was_settled: bool


@dataclass(frozen=True)
class Suggested:
    """A model went live while the item was undecided; the card has shown its suggestion since."""

    model: str
    label: str
    confidence: float


@dataclass(frozen=True)
class Closed:
    """The item was closed unanswered. model: the one that went live, where the policy closes items then; None: its
    batch of written texts ended."""

    model: str | None


Step = (
    PredictionMade | Drawn | Flagged | AskedAgain | WrittenFor | Opened | Answered | Escalated | Settled | Erased
    | Suggested | Closed
)  # fmt: skip


@dataclass(frozen=True)
class HistoryLine:
    """One step of the history of an item."""

    at: datetime
    step: Step


def item_history(session: Session, item_id: int, person: str | None, policy: Policy) -> list[HistoryLine]:
    """The steps in which an item was decided, oldest first. Names and single votes are for leads, for the operator
    (person None), and for everyone where the policy reveals names; while the item is open they are hidden. The model's
    answer to a blind item is only for the operator until the item is settled."""
    item = session.get_one(ReviewItem, item_id)
    question, queue = question_of(item), policy.queue(item.queue.name)
    prediction = question.prediction
    named = person is None or queue.review.reveal == "names" or holds(session, item.queue_id, Role.LEAD, person)
    decided = item.state is ItemState.SETTLED or person is None
    named = named and decided
    lines = []
    if item.synthetic is not None:
        batch = item.synthetic.batch
        lines = [HistoryLine(item.opened_at, WrittenFor(batch.label, batch.id))]
    elif prediction is None:
        lines = [HistoryLine(item.opened_at, AskedAgain(question.about, question.name, item.asked_by))]
    elif person is None or not item.blind or item.state is ItemState.SETTLED:
        lines = _model_lines(prediction)
    lines.append(HistoryLine(item.opened_at, Opened(item.blind)))
    every = session.scalars(select(Answer).where(Answer.item_id == item_id).order_by(Answer.id)).all()
    if named:
        lines += [HistoryLine(answer.created_at, _answered(answer, queue.privacy)) for answer in every]
    lines += _escalations(session, item_id, every if decided else (), named)
    lines += _since_promoted(session, item)
    corrections = session.scalars(select(Correction).where(Correction.item_id == item_id).order_by(Correction.id))
    lines += [HistoryLine(one.settled_at, _settled(one, named, queue.privacy)) for one in corrections]
    if question.erased_at is not None:
        lines.append(HistoryLine(question.erased_at, Erased(was_settled=item.state is not ItemState.ERASED)))
    return sorted(lines, key=lambda line: line.at)


def _model_lines(prediction: Prediction) -> list[HistoryLine]:
    """The prediction and its flags; hidden while a blind item is open."""
    predicted = PredictionMade(prediction.model_version, prediction.label, prediction.confidence)
    return [
        HistoryLine(prediction.created_at, predicted),
        *([HistoryLine(prediction.created_at, _drawn(prediction))] if prediction.lot_probability else []),
        *(
            HistoryLine(flag.created_at, Flagged(Coded(flag.reason, flag.values), flag.person, flag.policy_fingerprint))
            for flag in prediction.flags
        ),
    ]


def _drawn(prediction: Prediction) -> Drawn:
    reasons = {flag.reason for flag in prediction.flags}
    return Drawn(
        audit=prediction.lot_probability,
        audited=Reason.AUDIT in reasons,
        hold=prediction.held_back_probability,
        held_back=Reason.HELD_BACK in reasons,
        sent=prediction.flag_probability >= 1,
    )


def _since_promoted(session: Session, item: ReviewItem) -> list[HistoryLine]:
    """Blind items have no suggestion."""
    lines: list[HistoryLine] = []
    suggested, closed_for = session.get(Suggestion, item.id), item.closed_for
    if suggested is not None:
        model = session.get_one(ModelVersion, suggested.model_id).name
        lines.append(HistoryLine(suggested.created_at, Suggested(model, suggested.label, suggested.confidence)))
    if closed_for is not None and item.settled_at is not None:
        lines.append(HistoryLine(item.settled_at, Closed(session.get_one(ModelVersion, closed_for).name)))
    elif item.state is ItemState.CLOSED and item.settled_at is not None:
        lines.append(HistoryLine(item.settled_at, Closed(None)))
    return lines


def _escalations(session: Session, item_id: int, answers: Sequence[Answer], named: bool) -> list[HistoryLine]:
    """answers: all answers that were ever given and may be shown, oldest first."""
    found = session.scalars(select(Escalation).where(Escalation.item_id == item_id).order_by(Escalation.id))
    lines = []
    for escalation in found:
        before = {answer.person: answer for answer in answers if answer.created_at <= escalation.at}
        names = _by_answer([answer for answer in before.values() if answer.kind.judges])
        tally = {words: len(people) for words, people in names.items()}
        why = Coded(escalation.because, escalation.values)
        lines.append(HistoryLine(escalation.at, Escalated(why, tally, names if named else {})))
    return lines


def _by_answer(answers: Sequence[Answer]) -> dict[str, tuple[str, ...]]:
    """Answer as shown -> the people who gave it; the answer of most people first, then by its name."""
    people: dict[str, tuple[str, ...]] = {}
    for answer in answers:
        words = answer_in_words(answer.kind, answer.label)
        people[words] = (*people.get(words, ()), answer.person)
    return dict(sorted(people.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _answered(answer: Answer, privacy: PrivacyPolicy) -> Answered:
    return Answered(
        person=answer.person,
        kind=answer.kind,
        label=answer.label,
        reason=answer.reason,
        note=privacy.shown(answer.note),
        guideline=answer.guideline_version,
        replaced=not answer.is_current,
    )


def _settled(correction: Correction, named: bool, privacy: PrivacyPolicy) -> Settled:
    prediction = question_of(correction.item).prediction
    by_lead = correction.lead is not None
    return Settled(
        label=correction.label,
        tally=correction.tally,
        by_lead=by_lead,
        lead=correction.lead if named else None,
        about=correction.item.about,
        model_was_right=correction.model_was_right if prediction and prediction.label is not None else None,
        destination=correction.destination,
        policy=correction.policy_fingerprint,
        reason=correction.reason if by_lead else None,
        note=privacy.shown(correction.note) if by_lead else "",
    )
