"""The card of a batch of written texts: one message that is redrawn, from the first call to the decision."""

from bot.slack import blocks
from bot.slack.blocks import Message
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.synthesis import batch_state, batch_title, guard_words, spent_words
from core.synthesis.cards import BatchCard
from core.vocabulary import GOLDLOOP, OPERATOR, SyntheticState

MARKS = {
    SyntheticState.REQUESTED: ":hourglass_flowing_sand:",
    SyntheticState.SAMPLED: ":ballot_box_with_ballot:",
    SyntheticState.ADMITTED: ":white_check_mark:",
    SyntheticState.REFUSED: ":no_entry_sign:",
    SyntheticState.RETIRED: ":wastebasket:",
    SyntheticState.FAILED: ":warning:",
}


def render(card: BatchCard) -> Message:
    asked = "" if card.requested_by in (OPERATOR, GOLDLOOP) else f", asked for by {blocks.mention(card.requested_by)}"
    head = f"{MARKS[card.state]} *{blocks.literal(card.queue_title)}*: {batch_title(card, MRKDWN)}{asked}"
    words = f"{head}\n{batch_state(card, MRKDWN)}"
    shown = [blocks.section(words)]
    if card.counts:
        shown.append(blocks.section(guard_words(card.counts)))
    shown.append(blocks.context(spent_words(card, MRKDWN)))
    return blocks.message(words, shown)
