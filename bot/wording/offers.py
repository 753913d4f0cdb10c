"""The offers to a lead for a weak slice or an alarm, in words."""

from collections import defaultdict
from collections.abc import Sequence
from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import count
from core.offers.cost import ASSUMED, Spend
from core.offers.table import Offer
from core.vocabulary import OfferKind

NAMES: dict[OfferKind, str] = {
    OfferKind.FIND_MORE: "Find more like these",
    OfferKind.ASK_PEOPLE: "Ask people",
    OfferKind.WRITE_EXAMPLES: "Write examples",
}


def offer_button(offer: Offer, choice: str) -> str:
    """The text of an offer's button. It names the choice if there are several."""
    return f"{NAMES[offer.kind]} in {choice}" if len(offer.choices) > 1 else NAMES[offer.kind]


def offer_lines(offers: Sequence[Offer], form: Format) -> list[str]:
    """The costs of the offers and their gains so far. Offers with the same costs share a line."""
    same: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        same[_cost(offer, form)].append(offer)
    return [_line(cost, sharing, form) for cost, sharing in same.items()]


def _line(cost: str, offers: Sequence[Offer], form: Format) -> str:
    gained = {_named(offer, form): _gained(offer) for offer in offers}
    names, each = ", ".join(gained), "each " if len(offers) > 1 else ""
    if len(set(gained.values())) == 1:
        return f"{names}: {each}{cost}. {next(iter(gained.values()))}"
    apart = " ".join(f"{name}: {words[0].lower()}{words[1:]}" for name, words in gained.items())
    return f"{names}: {each}{cost}. {apart}"


def _named(offer: Offer, form: Format) -> str:
    """The name of an offer, with the label for which texts are found or written."""
    return NAMES[offer.kind] if offer.label is None else f"{NAMES[offer.kind]} for “{form.text(offer.label)}”"


def _cost(offer: Offer, form: Format) -> str:
    needs = offer.cost
    minutes = count(max(1, round(needs.minutes)), "minute")
    assumed = f" ({ASSUMED:.0f} s a vote, assumed)" if needs.assumed else ""
    takes = f"up to {count(needs.items, 'item')}, about {count(needs.votes, 'vote')} and {minutes}{assumed}"
    return f"{takes}{_spent(offer.spend, form)}"


def taken_sentence(kind: OfferKind, began: int, choice: str) -> str:
    """The sentence after an offer was taken. began: the id of the scan, batch or request. choice: the value of the
    button."""
    match kind:
        case OfferKind.FIND_MORE:
            return f"Scan {began} of {choice} is on its way. Its progress is shown in the leads' channel."
        case OfferKind.ASK_PEOPLE:
            return "People are asked about these from now on."
        case OfferKind.WRITE_EXAMPLES:
            return f"Batch {began} is being written. Its progress is shown in the leads' channel."
        case _:
            assert_never(kind)


def _spent(spend: Spend | None, form: Format) -> str:
    if spend is None:
        return ""
    money = "" if spend.money is None else f" for {spend.money:.2f} at most"
    texts, calls = count(spend.texts, "masked text"), count(spend.calls, "call")
    return f"; up to {texts} are sent to {form.text(spend.model)} in {calls}, {spend.tokens:,} tokens{money}"


def _gained(offer: Offer) -> str:
    if not offer.gain.settled:
        return "What it gains in this queue is not known yet."
    settled = count(offer.gain.settled, "such item")
    if offer.kind is OfferKind.WRITE_EXAMPLES:
        return f"So far in this queue, people confirmed {offer.gain.corrected} of {settled}."
    return f"So far in this queue, {offer.gain.corrected} of {settled} corrected the model."
