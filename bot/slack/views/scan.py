"""The card of a scan: one message that is redrawn, with a bar chart of what was found."""

from bot.slack import blocks
from bot.slack.blocks import Message
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.scans import ABOVE_CLUSTERS, cluster_lines, scan_state, scan_title, unread_words
from core.discovery.cards import ScanCard
from core.vocabulary import GOLDLOOP, OPERATOR, ScanState

MARKS = {
    ScanState.DONE: ":mag:",
    ScanState.FAILED: ":warning:",
    ScanState.CANCELLED: ":no_entry_sign:",
    ScanState.REQUESTED: ":hourglass_flowing_sand:",
    ScanState.RUNNING: ":hourglass_flowing_sand:",
}


def render(card: ScanCard) -> Message:
    asked = "" if card.requested_by in (OPERATOR, GOLDLOOP) else f", requested by {blocks.mention(card.requested_by)}"
    title = f"*{blocks.literal(card.queue_title)}*: {scan_title(card, MRKDWN)}"
    words = f"{MARKS[card.state]} {title}, with {card.model}{asked}\n{scan_state(card, MRKDWN)}"
    shown = [blocks.section(words)]
    if picture := [blocks.literal(line) for line in cluster_lines(card.clusters)]:
        shown.append(blocks.section(ABOVE_CLUSTERS + "\n```" + "\n".join(picture) + "```"))
    if unread := unread_words(card, MRKDWN):
        shown.append(blocks.context(blocks.shorten("\n".join(unread), 2900)))
    return blocks.message(words, shown)
