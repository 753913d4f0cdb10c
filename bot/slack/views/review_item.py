"""The card of one review item, in each of its states."""

import json
import re

from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.controls import CANNOT_JUDGE
from bot.slack.views.answers import answer_line
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.answers import support, votes
from bot.wording.disputes import dispute_sentence
from bot.wording.flags import flag_sentence
from core.review.cards import ItemCard, Outcome
from core.text.picture_address import picture_sha256s
from core.vocabulary import NONE_OF_THESE, ItemState

SHOWN_TEXT = 1500  # characters of a ticket on the card; "Read all" shows the whole text
MOST_FIXED_BUTTONS = 12  # a blind card shows all labels as buttons up to this many, else none
FLAGGED = re.compile(r"slack:([CG]\w{1,30}):\d+\.\d+", re.ASCII)  # the external id of a message flagged in a channel
MOST_OFFERED = 5000  # characters of the label buttons as JSON; the message's limit leaves the rest to the text


def render(card: ItemCard) -> Message:
    if card.state is ItemState.SETTLED:
        return _settled(card)
    if card.state is ItemState.ERASED:
        return _over(card, f"The text of item {card.subject.id} was erased, so there is nothing left to review.")
    if card.state is ItemState.CLOSED and card.written_for is not None:
        return _over(
            card, f"Item {card.subject.id} was closed, because its batch of written texts is over. It needs no answer."
        )
    if card.state is ItemState.CLOSED:
        return _over(card, f"Item {card.subject.id} was closed when another model went live. It needs no answer.")
    return _undecided(card)


def _undecided(card: ItemCard) -> Message:
    drawn = _top(card)
    drawn.append(blocks.context(*_why_here(card)))
    if card.dispute is not None:
        leads = " ".join(blocks.mention(lead) for lead in card.leads)
        drawn.append(blocks.section(f":scales: *{dispute_sentence(card.dispute)}* {leads}, which label is right?"))
    rows = [blocks.actions(*_label_buttons(card)), blocks.actions(*_other_buttons(card))]
    if card.state is ItemState.DISPUTED:
        rows.reverse()  # a lead should look at the votes first
    drawn += rows[0] + rows[1]
    if card.state is ItemState.OPEN:
        drawn.append(blocks.context("Votes stay hidden until decided."))
    return blocks.message(_spoken(card), drawn)


def _settled(card: ItemCard) -> Message:
    outcome = card.outcome
    assert outcome is not None
    answer = "No label fits" if outcome.label is None else blocks.literal(outcome.label)
    drawn = _top(card)
    mark = ":pencil2:" if outcome.model_was_right is False else ":white_check_mark:"
    drawn.append(blocks.section(f"{mark} *{answer}*{_decided_how(outcome)}.{_about_model(card)}"))
    reasons = [answer_line(given) for given in outcome.reasons]
    if reasons:
        drawn.append(blocks.context(*reasons[: blocks.MOST_CONTEXT]))
    if outcome.names:
        drawn.append(
            blocks.context(
                " · ".join(
                    f"{blocks.literal(words)}: {', '.join(blocks.mention(person) for person in people)}"
                    for words, people in outcome.names.items()
                )
            )
        )
    drawn += blocks.actions(
        blocks.button("How was this decided?", "how_decided", str(card.subject)), *_read_all(card)
    )  # fmt: skip
    text = f"Item {card.subject.id}: {answer}{_decided_how(outcome)}.{_about_model(card)} {_quoted(card, 200)}"
    return blocks.message(text, drawn)


def _over(card: ItemCard, words: str) -> Message:
    return blocks.message(words, [*_top(card), blocks.context(words)])


def _top(card: ItemCard) -> list[Block]:
    drawn = [blocks.header(f"{card.queue_title} · item {card.subject.id}")]
    if card.text:
        drawn.append(blocks.verbatim(card.text, SHOWN_TEXT))
    drawn += _image(card)
    drawn += blocks.fields(list(card.fields.items()))
    if _has_sender(card) and card.state is not ItemState.ERASED:
        drawn.append(blocks.context(_origin(card)))
    return drawn


def picture_words(card: ItemCard, place: int) -> str:
    """The alternative text of a picture, without anything that a blind card hides. place: among the item's pictures,
    from 0."""
    several = f", picture {place + 1} of {len(card.pictures)}" if len(card.pictures) > 1 else ""
    return f"{card.queue_title}, item {card.subject.id}{several}"


def _image(card: ItemCard) -> list[Block]:
    shown = [
        blocks.file_image(picture.file_id, picture_words(card, place))
        for place, picture in enumerate(card.pictures)
        if picture.file_id is not None
    ]
    if card.image_url and not picture_sha256s(card.image_url):
        shown = [blocks.image(card.image_url, f"The image of item {card.subject.id}")]
    return [*shown, blocks.context("For labelling, not for diagnosis.")] if shown else []


def _origin(card: ItemCard) -> str:
    """The link to the origin of the input: a message in Slack, or the sender's system."""
    message = FLAGGED.fullmatch(card.external_id)
    if message:
        return f"A message in <#{message[1]}>"
    shown = blocks.link(card.link, card.external_id) if card.link else blocks.literal(card.external_id)
    return f"ID {shown}"


def _why_here(card: ItemCard) -> list[str]:
    if card.written_for is not None:
        return [f":robot_face: *{_written(card)}*"]
    if card.asked_again:
        return [":repeat: *Second look.* This already has a label, hidden so that it doesn't influence you."]
    flags = [flag_sentence(flag.why, flag.person, MRKDWN) for flag in card.why_flagged]
    if card.blind:
        return [":see_no_evil: *Blind review.* The model's guess is hidden until this is decided.", *flags]
    if card.predicted_label is None and card.newer is None:
        return ["No model has seen this.", *flags]
    return [_prediction(card), *flags]


def _written(card: ItemCard) -> str:
    return f"Written by a language model: is {blocks.literal(card.written_for or '')} right?"


def _has_sender(card: ItemCard) -> bool:
    """Whether the input came from another system, in which it has an id."""
    return not card.asked_again and card.written_for is None


def _prediction(card: ItemCard, mark: str = "*") -> str:
    """The model's prediction; after a promotion, that of the new model and that of the former one. mark: put around the
    label."""

    def said(label: str, confidence: float) -> str:
        return f"{mark}{blocks.literal(label)}{mark} ({confidence:.0%})"

    former = said(card.predicted_label, card.confidence or 0) if card.predicted_label else ""
    if card.newer is None:
        return f"The model says {former}."
    now = f"The new model {card.newer.model} says {said(card.newer.label, card.newer.confidence)}."
    return f"{now} The previous one said {former}." if former else now


def _label_buttons(card: ItemCard) -> list[Block]:
    most = MOST_FIXED_BUTTONS if card.blind else card.most_buttons
    drawn = [_label_button(card, position, name) for position, name in enumerate(card.labels[:most])]
    while len(json.dumps(drawn)) > MOST_OFFERED:
        drawn.pop()
    if card.blind and len(drawn) < len(card.labels):
        drawn = []  # showing only some of them would be a hint
    if len(drawn) < len(card.labels):
        drawn.append(blocks.button("Other…" if drawn else "Choose a label…", "form:other", str(card.subject)))
    drawn.append(blocks.button(NONE_OF_THESE, "vote:none", f"{card.subject}|none"))
    return drawn


def _label_button(card: ItemCard, position: int, name: str) -> Block:
    return blocks.button(
        _label_words(card, name),
        f"vote:{position}",
        f"{card.subject}|label|{name}",
        style="primary" if card.sure and name == _suggested(card) else None,
        label=f"Label item {card.subject.id} as {name}",
    )


def _label_words(card: ItemCard, name: str) -> str:
    """The words of a label button. A finding in a picture is confirmed or rejected: with two labels, each is the
    opposite of the other."""
    suggested = _suggested(card)
    if not card.image_url or len(card.labels) != 2 or suggested not in card.labels:
        return name
    return f"Confirm {name}" if name == suggested else f"Reject, it is {name}"


def _suggested(card: ItemCard) -> str | None:
    return card.newer.label if card.newer else card.predicted_label


def _other_buttons(card: ItemCard) -> list[Block]:
    item_id, subject = card.subject.id, str(card.subject)
    if card.state is ItemState.DISPUTED:
        words = f"See the votes about item {item_id} and decide"
        drawn = [blocks.button("See votes and reasons", "form:votes", subject, label=words)]
    else:
        drawn = [
            blocks.button("Why?", "form:why", subject, label=f"Say why about item {item_id}"),
            blocks.button(CANNOT_JUDGE, "vote:cannot", f"{subject}|cannot"),
            blocks.button("Skip", "vote:skip", f"{subject}|skip"),
        ]
    return drawn + _read_all(card)


def _read_all(card: ItemCard) -> list[Block]:
    return [blocks.button("Read all", "read_all", str(card.subject))] if len(card.text) > SHOWN_TEXT else []


def _decided_how(outcome: Outcome) -> str:
    if outcome.lead is None:
        return support(outcome.label, outcome.tally, MRKDWN)
    cast = f" (votes: {votes(outcome.tally, MRKDWN)})" if outcome.tally else ""
    return f", decided by {blocks.mention(outcome.lead)}{cast}"


def _about_model(card: ItemCard) -> str:
    """A sentence about the model, to follow another sentence. Empty if no model has predicted or written the item."""
    assert card.outcome is not None
    if card.written_for is not None:
        return f" A language model wrote this for {blocks.literal(card.written_for)}."
    if card.predicted_label is None:
        return ""
    if card.outcome.model_was_right:
        return " The model was right."
    return f" The model said {blocks.literal(card.predicted_label)} ({card.confidence or 0:.0%})."


def _spoken(card: ItemCard) -> str:
    """The whole card in words: screen readers read nothing else."""
    predicted_label = f" {_prediction(card, mark='')}" if _suggested(card) else ""
    state = f" {dispute_sentence(card.dispute)}" if card.dispute is not None else ""
    where = f"{blocks.escape(card.queue_title)}, item {card.subject.id}"
    question = _written(card) if card.written_for is not None else "which label is right?"
    return f"{where}: {question}{predicted_label}{state} {_quoted(card, 1500)} {_named(card)}".rstrip()


def _named(card: ItemCard) -> str:
    hidden = not _has_sender(card) or FLAGGED.fullmatch(card.external_id)
    return "" if hidden else f"ID {blocks.literal(card.external_id)}"


def _quoted(card: ItemCard, most: int) -> str:
    return f"“{blocks.literal(blocks.shorten(card.text, most))}”" if card.text else "(an image)"
