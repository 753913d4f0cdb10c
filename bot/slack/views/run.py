"""The card of a training run, a small message that is kept up to date."""

from bot.slack import blocks
from bot.slack.blocks import Message
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.runs import TRIGGERS, run_problem, run_step
from core.learning.lifecycle.cards import RunCard
from core.vocabulary import OPERATOR, RunState


def render(card: RunCard) -> Message:
    which = f"*{blocks.literal(card.queue_title)}*: training run {card.run_id} ({_requested_by(card)})"
    words = f"{_mark(card)} {which} – {_state_words(card)}"
    return blocks.message(words, [blocks.context(words)])


def _requested_by(card: RunCard) -> str:
    person = card.requested_by
    return f"by {blocks.mention(person)}" if person and person != OPERATOR else TRIGGERS[card.trigger]


def _mark(card: RunCard) -> str:
    return {RunState.DONE: ":checkered_flag:", RunState.FAILED: ":warning:"}.get(card.state, ":hourglass_flowing_sand:")


def _state_words(card: RunCard) -> str:
    if card.state is RunState.FAILED:
        return f"failed. {run_problem(card.problem, MRKDWN)}" if card.problem else "failed."
    if card.state is RunState.DONE:
        return f"{card.model} is ready. Its report is in this channel."
    return run_step(card.progress, MRKDWN)
