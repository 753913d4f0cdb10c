"""Sentences about the steps of an item, from prediction to decision."""

from typing import assert_never

from bot.wording.answers import DESTINATIONS, REASONS, support, votes
from bot.wording.disputes import escalated
from bot.wording.flags import flag_sentence
from bot.wording.format import Format
from bot.wording.numbers import percent
from core.review.history import (
    Answered,
    AskedAgain,
    Closed,
    Drawn,
    Erased,
    Escalated,
    Flagged,
    Opened,
    PredictionMade,
    Settled,
    Step,
    Suggested,
    WrittenFor,
)
from core.vocabulary import AnswerKind, QuestionAbout, shown_answer


def item_step(step: Step, form: Format) -> str:
    match step:
        case PredictionMade():
            return _predicted(step, form)
        case Drawn():
            return _drawn(step)
        case Flagged():
            return f"{flag_sentence(step.why, step.person, form)}{_cut(step)} Policy {step.policy}."
        case AskedAgain():
            return _asked_again(step, form)
        case WrittenFor():
            return f"A language model wrote this for the label {form.text(step.label)} (batch {step.batch})."
        case Opened():
            return f"Shown to reviewers {'without' if step.blind else 'with'} the model's prediction."
        case Answered():
            return _answered(step, form)
        case Escalated():
            return _escalated(step, form)
        case Settled():
            return _settled(step, form)
        case Erased():
            return _erased(step)
        case Suggested():
            label = form.text(step.label)
            return f"{step.model} went live and says {label} ({step.confidence:.0%}); the card has shown this since."
        case Closed() if step.model is None:
            return "Closed unanswered when its batch of written texts was decided."
        case Closed():
            return f"Closed unanswered when {step.model} went live."
        case _:
            assert_never(step)


def _predicted(step: PredictionMade, form: Format) -> str:
    if step.label is None:
        return "No model was live."
    return f"{form.text(step.model)} predicted {form.text(step.label)} ({step.confidence or 0:.0%})."


def _drawn(step: Drawn) -> str:
    share = f"a random check of {percent(step.audit)} of all predictions"
    audit = f"It was {_drawn_or_not(step.audited)} for the audit, {share}."
    rule = "A rule sent it to people." if step.sent else "No rule has sent it to people."
    flagged = f"{percent(step.hold)} of the flagged ones"
    held = f" It was {_drawn_or_not(step.held_back)} to be held back from training ({flagged})."
    return f"{audit} {rule}{held if step.hold else ''}"


def _drawn_or_not(drawn: bool) -> str:
    return "drawn" if drawn else "not drawn"


def _cut(step: Flagged) -> str:
    """The cut of a flag, if a budget has one."""
    cut = step.why.values.get("cut")
    if cut is None:
        return ""
    score = step.why.values.get("score", 1 - step.why.values["confidence"])
    return f" The model's doubt was {score:.2f}; from {cut:.2f} on, predictions are reviewed."


def _asked_again(step: AskedAgain, form: Format) -> str:
    who = form.person(step.person) if step.person else "A lead"
    side = "golden" if step.about is QuestionAbout.GOLDEN else "training"
    return f"{who} asked for a second look at the {side} label of {form.text(step.name)}."


def _answered(step: Answered, form: Format) -> str:
    said = f"{form.person(step.person)} {_answer_words(step.kind, step.label, form)}"
    if step.kind is AnswerKind.WITHDRAWN:
        return f"{said}, and answered again later." if step.replaced else f"{said}."
    why = f" ({REASONS[step.reason]})" if step.reason else ""
    note = f": “{form.text(step.note)}”" if step.note else ""
    later = " Changed later." if step.replaced else ""
    return f"{said}{why} under guideline {step.guideline}{note}.{later}"


def _answer_words(kind: AnswerKind, label: str | None, form: Format) -> str:
    match kind:
        case AnswerKind.LABEL | AnswerKind.NONE_OF_THESE:
            return f"chose {form.text(shown_answer(label))}"
        case AnswerKind.CANNOT_JUDGE:
            return "couldn't judge it"
        case AnswerKind.SKIP:
            return "skipped it"
        case AnswerKind.WITHDRAWN:
            return "withdrew their answer"
        case _:
            assert_never(kind)


def _escalated(step: Escalated, form: Format) -> str:
    sent = escalated(step.why)
    if step.names:
        people = [f"{form.text(said)}: {', '.join(map(form.person, who))}" for said, who in step.names.items()]
        return f"{sent} ({'; '.join(people)})."
    return f"{sent} ({votes(step.tally, form)})." if step.tally else f"{sent}."


def _settled(step: Settled, form: Format) -> str:
    answer = form.text(shown_answer(step.label))
    if step.by_lead:
        lead = form.person(step.lead) if step.lead else "a lead"
        how = f"Decided by {lead}: {answer}" + (f" (votes: {votes(step.tally, form)})" if step.tally else "")
    else:
        how = f"Decided: {answer}{support(step.label, step.tally, form)}"
    why = f" Reason: {REASONS[step.reason]}." if step.reason else ""
    note = f" Note: “{form.text(step.note)}”." if step.note else ""
    return f"{how}{_about_model(step)}; {DESTINATIONS[step.destination]} (policy {step.policy}).{why}{note}"


def _about_model(step: Settled) -> str:
    if step.about is not QuestionAbout.PREDICTION:
        return ""
    if step.model_was_right is None:
        return "; no model had seen it"
    return "; the model was right" if step.model_was_right else "; the model was wrong"


def _erased(step: Erased) -> str:
    if step.was_settled:
        return "The text was erased. The decision still counts, but no new model learns from it."
    return "The text was erased before a decision, and the item was closed."
