"""Cards and forms of review items, as plain data: loaded here, drawn by the front end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import NotFound
from core.guidelines.versions import guideline_text
from core.people.members import holds
from core.people.permissions import require_part
from core.pictures.files import PictureFile, picture_files
from core.policy import LabelPolicy, Policy, QueuePolicy
from core.records.learning import ModelVersion
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem, Suggestion
from core.review.answers import CurrentAnswer, answer_in_words, current_answers
from core.review.content import shown_content, shown_text
from core.review.questions import Question, question_of
from core.vocabulary import AnswerKind, Coded, ErrorReason, ItemState, QuestionAbout, Reason, Role, shown_answer


@dataclass(frozen=True)
class FlagLine:
    """A reason for which people are asked. person: who flagged it, where a person did."""

    why: Coded
    person: str | None = None

    @property
    def reveals_model(self) -> bool:
        """Whether the reason says something about the model. A blind card must not show it then."""
        return self.why.code != Reason.PERSON


@dataclass(frozen=True)
class GivenReason:
    """An answer of a person with their reason and note. person is None where names are not revealed."""

    answer: str
    reason: ErrorReason | None
    note: str
    person: str | None


@dataclass(frozen=True)
class Outcome:
    """How a settled item ended."""

    label: str | None
    tally: dict[str, int]
    lead: str | None
    reasons: tuple[GivenReason, ...]
    model_was_right: bool | None
    names: dict[str, tuple[str, ...]]  # answer -> people; empty where names are not revealed


@dataclass(frozen=True)
class ModelAnswer:
    """A model's answer to an item's input. model: its name, where it is not the model whose prediction was flagged."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    model: str | None = None


@dataclass(frozen=True)
class ItemCard:
    """A review item as everyone in the channel may see it. Open items show none of their votes. Until a blind item is
    settled, the card has no label of the model, no probability and no reason that reveals them."""

    subject: CardRef
    queue_title: str
    external_id: str  # the prediction's; or the name of the example about which people are asked again
    link: str | None  # to the input in the sender's own system
    asked_again: bool  # about a stored label, which is not shown
    written_for: str | None  # the label for which a language model wrote the text; None: a person wrote it
    state: ItemState
    dispute: Coded | None  # why a lead decides; None: the item is not disputed
    blind: bool
    text: str
    image_url: str | None  # a web address, or that of stored pictures
    pictures: tuple[PictureFile, ...]  # the stored pictures; none: it has none, or they were erased
    fields: dict[str, str]
    predicted_label: str | None
    confidence: float | None
    newer: ModelAnswer | None  # by a model that went live after the prediction; only while the item is undecided
    sure: bool  # whether the shown suggestion reaches the policy's confidence
    why_flagged: tuple[FlagLine, ...]
    labels: tuple[str, ...]  # in the order in which they are offered
    most_buttons: int
    outcome: Outcome | None
    leads: tuple[str, ...]


@dataclass(frozen=True)
class FormCard:
    """The form "label and why" of one item, for one person. kind, label, reason, note: of their present answer.
    answers: what reviewers answered, for a lead who is to decide; None for others: a reviewer may still change their
    answer, so they do not see the rest."""

    subject: CardRef
    text: str
    dispute: Coded | None  # why a lead decides; None: the item is not disputed
    answers: tuple[GivenReason, ...] | None
    labels: tuple[LabelPolicy, ...]
    kind: AnswerKind | None
    label: str | None
    may_pass: bool  # whether "cannot judge" is an answer: a lead has to decide
    reason: ErrorReason | None
    note: str
    guideline: str


def item_card(session: Session, item_id: int, policy: Policy) -> ItemCard:
    item = session.get_one(ReviewItem, item_id, populate_existing=True)
    question = question_of(item)
    prediction = question.prediction
    queue = policy.queue(item.queue.name)
    answers = current_answers(session, item_id)
    content = shown_content(question, queue)
    hidden = item.blind and item.state is not ItemState.SETTLED
    newer = None if hidden or not item.state.is_undecided else _newer_answer(session, item_id)
    suggestion = newer or _answer_of(prediction)
    return ItemCard(
        subject=CardRef.of(item.id, item.opened_at),
        queue_title=queue.shown_title,
        external_id=question.name,
        link=_link(question, queue),
        asked_again=item.about in (QuestionAbout.GOLDEN, QuestionAbout.TRAINING_ROW),
        written_for=question.written_for,
        state=item.state,
        dispute=_dispute(item),
        blind=item.blind,
        text=content.text,
        image_url=content.image_url,
        pictures=picture_files(session, item.queue_id, content.image_url),
        fields=content.fields,
        predicted_label=None if hidden or prediction is None else prediction.label,
        confidence=None if hidden or prediction is None else prediction.confidence,
        newer=newer,
        sure=not hidden and suggestion is not None and _is_sure(suggestion, queue),
        why_flagged=tuple(flag for flag in _flags(prediction) if not (hidden and flag.reveals_model)),
        labels=_labels(None if item.blind else suggestion, queue, question.written_for),
        most_buttons=queue.review.buttons,
        outcome=_outcome(session, item, answers, queue),
        leads=tuple(queue.leads),
    )


def form_card(session: Session, item_id: int, person: str, policy: Policy) -> FormCard | None:
    """The form for this person. None: the item is settled or gone, so there is nothing to fill in. Raises NotAllowed
    for people who are neither reviewer nor lead of the queue."""
    item = session.get(ReviewItem, item_id)
    if item is None:
        return None
    queue = policy.queue(item.queue.name)
    require_part(session, item.queue, person, "answer", queue)
    if not item.state.is_undecided:
        return None
    question, answers = question_of(item), current_answers(session, item_id)
    mine = next((answer for answer in answers if answer.person == person), None)
    decides = item.state is ItemState.DISPUTED and holds(session, item.queue_id, Role.LEAD, person)
    return FormCard(
        subject=CardRef.of(item.id, item.opened_at),
        text=shown_text(question.text, question.erased_at, queue),
        dispute=_dispute(item),
        answers=tuple(_given(answer, queue) for answer in answers if answer.kind.judges) if decides else None,
        labels=queue.labels,
        kind=mine.kind if mine else None,
        label=mine.label if mine else None,
        may_pass=item.state is ItemState.OPEN or (mine is not None and mine.kind is AnswerKind.CANNOT_JUDGE),
        reason=mine.reason if mine else None,
        note=queue.privacy.shown(mine.note) if mine else "",
        guideline=guideline_text(session, item.queue),
    )


def labels_for(session: Session, item_id: int, person: str, policy: Policy) -> tuple[LabelPolicy, ...]:
    """The labels that can be chosen for an item. Raises NotFound, and NotAllowed for people who are neither reviewer
    nor lead of the queue."""
    item = session.get(ReviewItem, item_id)
    if item is None:
        raise NotFound(f"Item {item_id} does not exist.")
    queue = policy.queue(item.queue.name)
    require_part(session, item.queue, person, "answer", queue)
    return queue.labels


def _dispute(item: ReviewItem) -> Coded | None:
    return Coded(item.disputed_because, item.disputed_values) if item.disputed_because else None


def _given(answer: CurrentAnswer, queue: QueuePolicy) -> GivenReason:
    person = answer.person if queue.review.reveal == "names" else None
    words, note = answer_in_words(answer.kind, answer.label), queue.privacy.shown(answer.note)
    return GivenReason(words, answer.reason, note, person)


def _link(question: Question, queue: QueuePolicy) -> str | None:
    """The link to the input in the sender's own system. The sender's link counts before that of the policy. A text that
    a scan found has the id that it has in the source; without a column for ids it has a position, which nothing can
    link to."""
    if question.about is not QuestionAbout.PREDICTION or question.prediction is None:
        return None
    if question.prediction.link:
        return question.prediction.link
    found = next((flag for flag in question.prediction.flags if flag.reason == Reason.DISCOVERY), None)
    source_id = question.name if found is None else found.values.get("source_id")
    return queue.review.link_to(source_id) if source_id else None


def _flags(prediction: Prediction | None) -> list[FlagLine]:
    flags = prediction.flags if prediction else []
    return [FlagLine(Coded(flag.reason, flag.values), flag.person) for flag in flags]


def _answer_of(prediction: Prediction | None) -> ModelAnswer | None:
    if prediction is None or prediction.label is None:
        return None
    return ModelAnswer(prediction.label, prediction.confidence or 0.0, prediction.probabilities or {})


def _is_sure(suggestion: ModelAnswer, queue: QueuePolicy) -> bool:
    """Whether the confidence reaches the threshold. Below it, a coloured button would ask people to agree with what the
    model doubts."""
    return suggestion.confidence >= queue.confidence_threshold(suggestion.label)


def _newer_answer(session: Session, item_id: int) -> ModelAnswer | None:
    stored = session.get(Suggestion, item_id)
    if stored is None:
        return None
    model = session.get_one(ModelVersion, stored.model_id)
    return ModelAnswer(stored.label, stored.confidence, stored.probabilities, model.name)


def labels_in_order(
    queue: QueuePolicy, predicted: str | None, probabilities: Mapping[str, float], first: str | None
) -> tuple[str, ...]:
    """The labels as they are offered: the likeliest first; equally likely ones in the queue's order. All are in the
    queue's order where predicted is None: the model's answer is not known, or may not be shown. first: the label that
    is asked about."""
    if first is not None:
        return tuple(sorted(queue.label_names, key=lambda name: name != first))
    if predicted is None:
        return queue.label_names
    return tuple(sorted(queue.label_names, key=lambda name: (name != predicted, -probabilities.get(name, 0.0))))


def _labels(suggestion: ModelAnswer | None, queue: QueuePolicy, first: str | None) -> tuple[str, ...]:
    if suggestion is None:
        return labels_in_order(queue, None, {}, first)
    return labels_in_order(queue, suggestion.label, suggestion.probabilities, first)


def _outcome(
    session: Session, item: ReviewItem, answers: Sequence[CurrentAnswer], queue: QueuePolicy
) -> Outcome | None:
    names, shown = queue.review.reveal == "names", queue.privacy.shown
    correction = session.scalar(select(Correction).where(Correction.item_id == item.id, Correction.is_current))
    if correction is None:
        return None
    votes = [answer for answer in answers if answer.kind.is_vote]
    by_answer: dict[str, tuple[str, ...]] = {}
    for vote in votes if names else []:
        words = shown_answer(vote.label)
        by_answer[words] = (*by_answer.get(words, ()), vote.person)
    reasons = [_given(answer, queue) for answer in answers if answer.reason or answer.note]
    if correction.lead and (correction.reason or correction.note):
        words = shown(correction.note)
        reasons.append(GivenReason(shown_answer(correction.label), correction.reason, words, correction.lead))
    return Outcome(
        label=correction.label,
        tally=correction.tally,
        lead=correction.lead,
        reasons=tuple(reasons),
        model_was_right=correction.model_was_right,
        names=by_answer,
    )
