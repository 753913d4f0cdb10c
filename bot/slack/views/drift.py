"""The card of a drift alarm: what changed, and the next step."""

from bot.slack import blocks
from bot.slack.blocks import Message
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.drift import drift_sentence, next_step
from core.intake.drift_card import DriftCard

CHANCE = "If nothing had changed, such an alarm would be rare. The chart is in the thread."


def render(card: DriftCard) -> Message:
    title = f":warning: *{blocks.literal(card.queue_title)}*: something changed"
    found = [drift_sentence(sign, MRKDWN) for sign in card.signs]
    step = next_step(card.signs[0], [f"item {item}" for item in card.items], card.queue)
    if card.run_id is not None:
        step = f"{step} As the policy says, training run {card.run_id} was requested."
    drawn = [
        blocks.section(f"{title}\n" + "\n".join(f"• {sentence}" for sentence in found)),
        blocks.section(f"*Next step:* {step}"),
        blocks.context(CHANCE),
    ]
    return blocks.message(f"{blocks.escape(card.queue_title)}: something changed. {found[0]} {step}", drawn)
