"""The card of a drift alarm: what changed, and the next step as buttons."""

from collections.abc import Sequence

from bot.slack import blocks
from bot.slack.blocks import Block, Message, View
from bot.slack.views import offers
from bot.slack.views.mrkdwn import MRKDWN
from bot.slack.views.slices import example_list
from bot.wording.drift import drift_sentence, items_words, new_label_words, next_step
from core.intake.drift_card import DriftCard
from core.intake.slice_cards import Example
from core.offers.table import Offer
from core.vocabulary import DriftSign, OfferAbout

CHANCE = "If nothing had changed, such an alarm would be rare. The chart is in the thread."
SHOWN_ITEMS = 8
LEARNABLE = (DriftSign.CORRECTIONS, DriftSign.CONFIDENCE)  # signs of changes that a model can learn


def render(card: DriftCard, offered: Sequence[Offer] = ()) -> Message:
    title = f":warning: *{blocks.literal(card.queue_title)}*: something changed"
    found = [drift_sentence(sign, card.day, MRKDWN) for sign in card.signs]
    steps = _steps(card)
    pressed = [*_buttons(card), *offers.buttons(offered, OfferAbout.ALARM, card.subject)]
    drawn = [
        blocks.section(title + _listed(found)),
        blocks.section(f"*Next step:* {steps[0]}" if len(steps) == 1 else "*Next steps:*" + _listed(steps)),
        *blocks.actions(*pressed),
        *offers.costs(offered),
        blocks.context(CHANCE),
    ]
    return blocks.message(f"{blocks.escape(card.queue_title)}: something changed. {found[0]} {steps[0]}", drawn)


def items(card: DriftCard, examples: Sequence[Example], workspace: str) -> View:
    """The list of example items. workspace: the workspace's address, for links to the cards."""
    return example_list(
        "What changed", drift_sentence(card.shown or card.signs[0], card.day, MRKDWN), examples, workspace
    )


def new_label(card: DriftCard) -> View:
    """The instructions for adding a label, which is done in the policy file."""
    return blocks.modal("new_label", "New label?", [blocks.section(new_label_words(card.queue))])


def _steps(card: DriftCard) -> list[str]:
    """The next step for each sign. The button for items shows the items of one sign."""
    listed = [f"item {item}" for item in card.items[:SHOWN_ITEMS]]
    steps = [next_step(sign, listed if sign is card.shown else [], card.queue) for sign in card.signs]
    run = [f"As the policy says, training run {card.run_id} was requested."] if card.run_id is not None else []
    return [" ".join([steps[0], *run]), *steps[1:]]


def _listed(sentences: Sequence[str]) -> str:
    return "".join(f"\n• {sentence}" for sentence in sentences)


def _buttons(card: DriftCard) -> list[Block]:
    subject, signs = str(card.subject), [sign.sign for sign in card.signs]
    drawn = [blocks.button(items_words(card.shown), "drift_items", subject)] if card.items and card.shown else []
    if DriftSign.NONE_OF_THESE in signs:
        drawn.append(blocks.button("New label?", "drift_new_label", subject))
    if any(sign in LEARNABLE for sign in signs) and card.run_id is None:
        drawn.append(blocks.button("Retrain", "drift_retrain", subject))
    return drawn
