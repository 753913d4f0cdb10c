"""The part of the Home tab for leads: disputed items and candidates, each with the buttons that decide it."""

from collections.abc import Sequence

from bot.slack import blocks
from bot.slack.blocks import Block
from bot.slack.views.slices import card_blocks
from bot.wording.disputes import dispute_sentence
from bot.wording.numbers import count
from bot.wording.slices import COUNTED
from core.learning.lifecycle.cards import PendingCandidate
from core.offers.table import OfferedSlice
from core.review.lead_work import Dispute, LeadWork
from core.vocabulary import NONE_OF_THESE

MOST_LABELS = 12  # the most label buttons; further labels are in the form
MOST_SLICES = 8
SHOWN_TEXT = 300  # characters of a ticket; "Read all" shows the whole text


def render(work: LeadWork, person: str) -> list[Block]:
    """The blocks for a lead. person: the lead."""
    drawn = [blocks.header("Waiting for your decision")]
    for item in work.disputes:
        drawn += _dispute(item)
    if work.more_disputes:
        drawn.append(blocks.context(f"And {count(work.more_disputes, 'more disputed item')}."))
    for candidate in work.candidates:
        drawn += _candidate(candidate, person)
    if work.more_candidates:
        drawn.append(blocks.context(f"And {count(work.more_candidates, 'more candidate')}."))
    if len(drawn) == 1:
        drawn.append(blocks.section("Nothing. Disputed items and candidates appear here."))
    return drawn


def weak_slices(cards: Sequence[OfferedSlice]) -> list[Block]:
    """The cards of weak slices; no blocks if none is known."""
    if not cards:
        return []
    shown = card_blocks(cards[:MOST_SLICES], queue=True)
    left = len(cards) - MOST_SLICES
    more = [blocks.context(f"And {left} more: `/goldloop slices`.")] if left > 0 else []
    return [blocks.header("Where the model is weak"), blocks.context(COUNTED), *shown, *more]


def _dispute(item: Dispute) -> list[Block]:
    why = dispute_sentence(item.why)
    text = blocks.literal(blocks.shorten(" ".join(item.text.split()), SHOWN_TEXT)) or "(an image)"
    head = f":scales: *{blocks.literal(item.queue_title)} · item {item.subject.id}.* {why}"
    return [blocks.section(f"{head}\n{text}"), *blocks.actions(*_answers(item))]


def _answers(item: Dispute) -> list[Block]:
    labels = [
        blocks.button(name, f"vote:{place}", f"{item.subject}|label|{name}", label=f"Decide {item.subject.id}: {name}")
        for place, name in enumerate(item.labels[:MOST_LABELS])
    ]
    others = [blocks.button("Other…", "form:other", str(item.subject))] if len(item.labels) > MOST_LABELS else []
    none = blocks.button(NONE_OF_THESE, "vote:none", f"{item.subject}|none")
    words = f"See the votes about item {item.subject.id} and decide"
    votes = blocks.button("See votes and reasons", "form:votes", str(item.subject), label=words)
    whole = [blocks.button("Read all", "read_all", str(item.subject))] if len(item.text) > SHOWN_TEXT else []
    return [votes, *labels, *others, none, *whole]


def _candidate(card: PendingCandidate, person: str) -> list[Block]:
    """The blocks of a candidate. The numbers for the decision are in its report."""
    other = f", compared with {card.live_name}" if card.live_name else ". No model is live yet."
    head = f"*{blocks.literal(card.queue_title)}: {card.name}*{other}"
    return [
        blocks.section(f":robot_face: {head}\n{_where_it_stands(card)}"),
        *blocks.actions(*_decisions(card, person)),
    ]


def _where_it_stands(card: PendingCandidate) -> str:
    if card.outdated:
        return "The live model has changed. A new report is on its way."
    if not card.passed:
        return "The golden gate refuses it. Its report in the leads' channel says why."
    if card.erased:
        return "It learned from text that has been erased since."
    if card.in_shadow:
        return "It is in shadow. Decide when its report shows how often it agrees with the live answers."
    given = ", ".join(blocks.mention(person) for person in card.approvals)
    counted = f" {len(card.approvals)} of {card.approvals_needed} leads said yes" if card.approvals_needed > 1 else ""
    who = f" ({given})" if counted and given else ""
    return f"The golden gate passes it. Its report is in the leads' channel.{counted}{who}{'.' if counted else ''}"


def _decisions(card: PendingCandidate, person: str) -> list[Block]:
    seen = f"{card.subject}|{card.evaluation_id}"
    reject = blocks.button("Reject", "reject", seen) | _confirm(f"Reject {card.name}?", "It won't go live.", "Reject")
    if card.outdated or (card.passed and not card.erased and card.in_shadow):
        return [reject]
    if card.erased or not card.passed:
        return [reject, blocks.button("Overrule…", "overrule", str(card.subject), style="danger")]
    if person in card.approvals:
        return [blocks.button("Take back my yes", "take_back", seen), reject]
    meaning = "Have you read its report in the leads' channel? It answers callers as soon as it is live."
    promote = blocks.button("Promote", "promote", seen, style="primary")
    return [promote | _confirm(f"Promote {card.name}?", meaning, "Promote"), reject]


def _confirm(title: str, text: str, yes: str) -> Block:
    asked = {"title": blocks.plain(title, 100), "text": blocks.plain(text, 300), "confirm": blocks.plain(yes, 30)}
    return {"confirm": asked | {"deny": blocks.plain("Cancel", 30)}}
