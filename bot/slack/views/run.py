"""The card of a training run: small, and always up to date."""

from bot.slack import blocks
from bot.slack.blocks import Message
from core.learning.lifecycle.cards import RunCard
from core.vocabulary import OPERATOR, RunState, Trigger

ASKED = {Trigger.CRON: "by schedule", Trigger.CORRECTIONS: "by new corrections", Trigger.COMMAND: "by command"}


def render(card: RunCard) -> Message:
    which = f"*{blocks.literal(card.queue_title)}*: training run {card.run_id} ({_asked(card)})"
    words = f"{_mark(card)} {which} – {_now(card)}"
    return blocks.message(words, [blocks.context(words)])


def _asked(card: RunCard) -> str:
    person = card.requested_by
    return f"by {blocks.mention(person)}" if person and person != OPERATOR else ASKED[card.trigger]


def _mark(card: RunCard) -> str:
    return {RunState.DONE: ":checkered_flag:", RunState.FAILED: ":warning:"}.get(card.state, ":hourglass_flowing_sand:")


def _now(card: RunCard) -> str:
    if card.state is RunState.FAILED:
        return f"it could not be finished: {blocks.literal(card.problem)}"
    if card.state is RunState.DONE:
        return f"{card.model} is ready; its report is in this channel"
    return blocks.literal(card.progress)
