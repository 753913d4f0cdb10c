"""Modals: the form "label and why", how an item was decided, the whole text, overruling, flagging."""

from collections.abc import Callable, Sequence

from bot.slack import blocks
from bot.slack.blocks import Block, View
from bot.slack.controls import CANNOT_JUDGE, CANNOT_VALUE, NONE_VALUE, OPTION_KINDS
from bot.slack.views import mrkdwn
from bot.slack.views.answers import answer_line
from bot.slack.views.mrkdwn import MRKDWN, moment
from bot.wording.answers import REASONS
from bot.wording.disputes import dispute_sentence
from bot.wording.gate import gate_sentence
from bot.wording.item_history import item_step
from bot.wording.model_history import erased_sentence
from core.errors import DatabaseUnavailable, NotAllowed, NotFound, Refusal
from core.learning.lifecycle.cards import CandidateCard
from core.policy import LabelPolicy, QueuePolicy
from core.review.cards import FormCard
from core.review.history import HistoryLine
from core.vocabulary import NONE_OF_THESE

MOST_BYTES = 200_000  # of a whole text; Slack accepts views of 250,000 bytes (and 100 sections of 3,000 characters)
MOST_NOTE = 1000  # characters
MOST_PROBLEMS = 40  # findings of the gate; the report has all of them


def answer_form(card: FormCard, opened_at: int) -> View:
    """The form "label and why". opened_at: by Slack's clock, in microseconds; Slack returns it with the submission."""
    drawn = [blocks.verbatim(card.text or "(an image)", 600), *_dispute(card)]
    drawn.append(blocks.form_input("label", "Answer", _label_choice(card)))
    reasons = [blocks.option(words, value) for value, words in REASONS.items()]
    drawn += [
        blocks.form_input(
            "reason",
            "Why is it hard, or why is the model wrong?",
            blocks.static_select("reason", reasons, "Choose a reason", card.reason),
            optional=True,
        ),
        blocks.form_input("note", "Note", blocks.text_input("note", initial=card.note, most=MOST_NOTE), optional=True),
    ]
    if card.guideline:
        drawn += [blocks.divider(), blocks.context("*Guideline*"), blocks.verbatim(card.guideline, 2500)]
    return blocks.modal("answer_form", f"Item {card.subject.id}", drawn, f"{card.subject}|{opened_at}", submit="Send")


def matching_labels(labels: Sequence[LabelPolicy], typed: str) -> list[Block]:
    """The options for labels whose name or description contains the typed text, first those whose name begins with it;
    at most 100."""
    wanted = typed.casefold().strip()
    hits = [label for label in labels if wanted in f"{label.name} {label.description}".casefold()]
    hits.sort(key=lambda label: not label.name.casefold().startswith(wanted))
    others = [one for one in (_none_option(), _cannot_option()) if wanted in one["text"]["text"].casefold()]
    most = blocks.MOST_OPTIONS - len(others)
    return [blocks.option(label.name, label.name, label.description) for label in hits[:most]] + others


def how_decided(item_id: int, story: Sequence[HistoryLine]) -> View:
    drawn = [blocks.section(f"{moment(line.at)} – {item_step(line.step, MRKDWN)}") for line in story]
    return blocks.modal("how_decided", f"Item {item_id}", drawn)


def whole_text(item_id: int, text: str) -> View:
    """The whole text of an item. If it is too long for Slack, it is cut, with a note."""
    shown = text.encode()[:MOST_BYTES].decode(errors="ignore")
    parts = [shown[start : start + blocks.SECTION] for start in range(0, len(shown), blocks.SECTION)]
    drawn = [blocks.verbatim(part) for part in parts]
    if shown != text:
        drawn.append(blocks.context(f"The first {len(shown):,} of {len(text):,} characters. Slack shows no more."))
    return blocks.modal("whole_text", f"Item {item_id}", drawn)


def overrule_form(card: CandidateCard) -> View:
    refused = [blocks.section(f":warning: The golden gate refused *{card.name}*:")] if card.blocks else []
    erased = [blocks.section(f":warning: *{card.name}*: {erased_sentence(card.erased)}")] if card.erased else []
    drawn = [*erased, *refused]
    drawn += [blocks.section(f"• {gate_sentence(block, MRKDWN)}") for block in card.blocks[:MOST_PROBLEMS]]
    drawn.append(
        blocks.form_input(
            "reason",
            "Why should it go live anyway?",
            blocks.text_input("reason", most=1000),
            hint="Stored with the decision. Everyone can read it.",
        )
    )
    about = f"{card.subject}|{card.evaluation_id}"
    return blocks.modal("overrule_form", f"Promote {card.name} anyway", drawn, about, submit="Promote it")


def flag_form(queues: Sequence[QueuePolicy], text: str, origin: str) -> View:
    """The form for flagging a message. Its text can be edited, so that parts that should not be stored can be removed
    first."""
    options = [blocks.option(queue.shown_title, queue.name) for queue in queues]
    drawn = [
        blocks.form_input(
            "queue",
            "Queue",
            blocks.static_select("queue", options, "Choose a queue", queues[0].name if len(queues) == 1 else None),
        ),
        blocks.form_input("text", "Text", blocks.text_input("text", initial=text)),
        blocks.context("This text will be stored in Goldloop and shown to the queue's reviewers, with your name."),
    ]
    return blocks.modal("flag_form", "Flag for review", drawn, origin, submit="Flag")


def sentence(title: str, words: str) -> View:
    """A modal with a sentence only, for example why a submission changed nothing."""
    return blocks.modal("sentence", title, [blocks.section(blocks.escape(words))])


def refused(title: str, refusal: Refusal) -> View:
    return blocks.modal("sentence", title, [blocks.section(mrkdwn.refusal(refusal))])


def for_those_who_may(draw: Callable[[], View]) -> View:
    """The view that `draw` returns or, if it raises a Refusal, a modal with the refusal's sentence."""
    try:
        return draw()
    except DatabaseUnavailable as refusal:
        return refused("Please try again", refusal)
    except NotAllowed as refusal:
        return refused("Not allowed", refusal)
    except NotFound as refusal:
        return refused("Gone", refusal)


def _dispute(card: FormCard) -> list[Block]:
    """The reviewers' answers, for a lead who decides."""
    if card.dispute is None:
        return []
    why = blocks.section(f":scales: *{dispute_sentence(card.dispute)}*")
    if card.answers is None:
        return [why, blocks.context("Until then, only leads see the votes and reasons.")]
    if not card.answers:
        return [why, blocks.context("No reviewer has voted.")]
    return [why, *(blocks.section(f"• {answer_line(given, MOST_NOTE)}") for given in card.answers)]


def _label_choice(card: FormCard) -> Block:
    others = [_none_option(), *([_cannot_option()] if card.may_pass else [])]
    if len(card.labels) + len(others) <= blocks.MOST_OPTIONS:
        options = [blocks.option(label.name, label.name, label.description) for label in card.labels]
        return blocks.static_select("label", [*options, *others], "Type to search", _chosen(card), focus=True)
    current = [blocks.option(card.label, card.label)] if card.label else []
    chosen = next((one for one in (*current, *others) if one["value"] == _chosen(card)), None)
    return blocks.external_select("label", "Type to search", chosen)


def _chosen(card: FormCard) -> str | None:
    """The value of the option that stands for the person's present answer."""
    return next((value for value, kind in OPTION_KINDS.items() if kind is card.kind), card.label)


def _none_option() -> Block:
    return blocks.option(NONE_OF_THESE, NONE_VALUE, "No label of this queue fits")


def _cannot_option() -> Block:
    return blocks.option(CANNOT_JUDGE, CANNOT_VALUE, "Something that you don't have or know is needed")
