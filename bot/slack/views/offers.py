"""The offers to a lead for a weak slice or an alarm, on their cards."""

from collections.abc import Sequence
from dataclasses import replace

from bot.slack import blocks
from bot.slack.blocks import Block
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.offers import offer_button, offer_lines
from core.delivery.card_refs import CardRef
from core.offers.table import Offer
from core.vocabulary import OfferAbout


def buttons(offers: Sequence[Offer], about: OfferAbout, subject: CardRef) -> list[Block]:
    return [
        blocks.button(offer_button(offer, choice), f"offer:{offer.kind}:{place}", f"{subject}|{about}|{choice}")
        for offer in offers
        for place, choice in enumerate(offer.choices)
    ]


def costs(offers: Sequence[Offer]) -> list[Block]:
    """The costs of offers, below the buttons; no blocks if there is no offer."""
    return [blocks.context("\n".join(offer_lines(offers, MRKDWN)))] if offers else []


def costs_of_each(cards: Sequence[Sequence[Offer]]) -> list[Block]:
    """The costs of offers, above several cards whose offers have the same costs and gains. No blocks if these differ,
    or if only one card has offers: then the costs are below its buttons."""
    offered = [replace(offer, choices=()) for offers in cards for offer in offers]
    kinds = {offer.kind: offer for offer in offered}
    if sum(map(bool, cards)) < 2 or any(offer != kinds[offer.kind] for offer in offered):
        return []
    return [blocks.context("\n".join(["For each of these:", *offer_lines(list(kinds.values()), MRKDWN)]))]
