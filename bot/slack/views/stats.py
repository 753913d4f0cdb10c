"""The statistics of a queue."""

from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.wording.budget import budget_line
from bot.wording.production import agreement, label_agreement, plain_words
from bot.wording.promise import promise_line
from core.review.stats import QueueLine, StatsCard

MOST_LABELS = 10


def render(card: StatsCard) -> Message:
    pairs = [
        ("Open", f"{card.open}, plus {card.disputed} with a lead"),
        ("Settled", f"{card.settled_today} today, {card.settled} in total"),
        ("Agreement among reviewers", _agreement(card)),
        ("Votes per item", "–" if card.votes_per_item is None else f"{card.votes_per_item:.1f}"),
        ("Live model", card.live or "none yet"),
        ("Live model agrees with people", agreement(card.production)),
    ]
    if card.budget is not None:
        pairs.append(("Budget today", budget_line(card.budget)))
    if card.promise is not None:
        pairs.append(("Promise", promise_line(card.promise)))
    words = plain_words(card.production, card.promise)
    said = [blocks.section(words)] if words else []
    drawn = [blocks.header(card.queue_title), *said, *blocks.fields(pairs)]
    if card.errors_by_label:
        caught = ", ".join(f"{blocks.literal(label)} {count}" for label, count in card.errors_by_label[:MOST_LABELS])
        drawn.append(blocks.section(f"*Model errors caught, by correct label:* {caught}"))
    if card.production.labels:
        drawn.append(blocks.section(f"*Live model agrees with people, by its label:* {_by_label(card)}"))
    spoken = "; ".join(f"{name}: {value}" for name, value in pairs)
    return blocks.message(" ".join([f"{blocks.escape(card.queue_title)}.", *([words] if words else []), spoken]), drawn)


def short(card: QueueLine) -> list[Block]:
    return [
        blocks.section(
            f"*{blocks.literal(card.queue_title)}* – {card.open} open, {card.disputed} with a lead, "
            f"{card.settled_today} settled today; live: {card.live or 'no model yet'}, "
            f"agreement: {agreement(card.production)}"
        )
    ]


def _agreement(card: StatsCard) -> str:
    return "not enough votes yet" if card.agreement is None else f"{card.agreement:.2f} (Krippendorff's alpha)"


def _by_label(card: StatsCard) -> str:
    shown = card.production.labels[:MOST_LABELS]
    return ", ".join(f"{blocks.literal(each.label)} {label_agreement(each)}" for each in shown)
