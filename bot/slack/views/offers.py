"""What a lead is offered for a weak slice or an alarm, on their cards."""

from collections.abc import Sequence

from bot.slack import blocks
from bot.slack.blocks import Block
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.offers import offer_button, offer_sentence
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
    """Below the buttons; nothing where there is no offer."""
    return [blocks.context("\n".join(offer_sentence(offer, MRKDWN) for offer in offers))] if offers else []
