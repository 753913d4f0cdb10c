"""Weak slices for leads: a card for each, on the Home tab and in the answer to `/goldloop slices`, and their
examples."""

from collections.abc import Mapping, Sequence

from bot.slack import blocks
from bot.slack.blocks import Block, Message, View
from bot.slack.views import offers
from bot.slack.views.mrkdwn import MRKDWN, card_link, moment
from bot.wording.answers import REASONS
from bot.wording.numbers import count
from bot.wording.slices import (
    COUNTED,
    NONE,
    asking_sentence,
    label_whys,
    remedy,
    slice_name,
    slice_sentence,
    whys_sentence,
)
from core.intake.slice_cards import Example, SliceCard
from core.offers.table import OfferedSlice
from core.vocabulary import ErrorReason, OfferAbout

MOST_LABELS = 8


def render(cards: Sequence[OfferedSlice], title: str, rows: int, whys: Mapping[str, Mapping[str, int]]) -> Message:
    """The answer to `/goldloop slices`. title: the queue's. rows: the number of settled answers that were searched.
    whys: label that the model gave -> reason -> count."""
    head = f"*{MRKDWN.text(title)}*"
    lines = [line_of(one.card) for one in cards] or [NONE.format(rows=count(rows, "settled answer"))]
    told = [head, *lines, *label_whys(whys, MRKDWN, MOST_LABELS)]
    counted = [blocks.context(COUNTED)] if cards else []
    drawn = [blocks.section(head), *counted, *card_blocks(cards)]
    drawn += [blocks.section(line) for line in told[1 + len(cards) :]]
    return blocks.message("\n".join(told), drawn)


def card_blocks(cards: Sequence[OfferedSlice], queue: bool = False) -> list[Block]:
    """The cards of slices. queue: whether to name the queue on each, for cards of several queues."""
    once = offers.costs_of_each([one.offers for one in cards])
    return once + [block for one in cards for block in _card(one, queue, [] if once else offers.costs(one.offers))]


def _card(one: OfferedSlice, queue: bool, costs: Sequence[Block]) -> list[Block]:
    card = one.card
    head = f"*{blocks.literal(card.queue_title)}:* " if queue else ""
    return [blocks.section(f"{head}{line_of(card)}"), *blocks.actions(*_buttons(one)), *costs]


def line_of(card: SliceCard) -> str:
    """The text of a card: where the model is wrong, how often, why, what people are asked, and the next step."""
    parts = [slice_sentence(card.weak, MRKDWN), whys_sentence(card.weak.whys)]
    if card.asking is not None:
        parts.append(asking_sentence(card.asking, MRKDWN, moment(card.asking.until)))
    return " ".join([*(part for part in parts if part), f"Next: {remedy(card.weak)}."])


def examples_of_slice(card: SliceCard, examples: Sequence[Example], workspace: str) -> View:
    """The examples of a slice. workspace: the workspace's address, for links to the cards."""
    return example_list("Wrong answers", slice_name(card.weak.look, MRKDWN), examples, workspace)


def example_list(title: str, about: str, examples: Sequence[Example], workspace: str) -> View:
    """A list of examples. about: a sentence on what the examples have in common."""
    if not examples:
        return blocks.modal("examples", title, [blocks.section(f"{about}: the present model has none.")])
    drawn = [blocks.section(f"*{about}*"), *(blocks.section(_example(one, workspace)) for one in examples)]
    return blocks.modal("examples", title, drawn)


def _buttons(one: OfferedSlice) -> list[Block]:
    subject = str(one.card.subject)
    stop = [blocks.button("Stop asking", "stop_asking", subject)] if one.card.asking is not None else []
    offered = offers.buttons(one.offers, OfferAbout.SLICE, one.card.subject)
    return [blocks.button("Show wrong answers", "slice_examples", subject), *offered, *stop]


def _example(one: Example, workspace: str) -> str:
    item = card_link(one.item_id, one.place, workspace, "Item")
    why = f", _{REASONS[ErrorReason(one.why)]}_" if one.why in set(ErrorReason) else ""
    said, settled = blocks.literal(one.said), blocks.literal(one.settled)
    return f"{item}: model *{said}*, people *{settled}*{why}\n{blocks.literal(one.text) or '(an image)'}"
