"""The offers that a lead has for a weak slice or an alarm, each with its cost and what it has gained so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.intake.slice_cards import SliceCard
from core.offers.ask_people import ASK_PEOPLE
from core.offers.base import Entry
from core.offers.cost import Cost, Gain, Spend, cost
from core.offers.find_more import FIND_MORE
from core.offers.targets import Target, target_of_slice
from core.offers.write_examples import WRITE_EXAMPLES
from core.policy import Policy, QueuePolicy
from core.queues import queue_named
from core.vocabulary import OfferKind, require_exhaustive

OFFERS: Mapping[OfferKind, Entry] = {
    OfferKind.FIND_MORE: FIND_MORE,
    OfferKind.ASK_PEOPLE: ASK_PEOPLE,
    OfferKind.WRITE_EXAMPLES: WRITE_EXAMPLES,
}
require_exhaustive(OFFERS, OfferKind, "entry")


@dataclass(frozen=True)
class Offer:
    """An offer to a lead. choices, spend: as of `Entry`; at least one choice. label: the label for which texts are
    found or written; None: it is about no label."""

    kind: OfferKind
    choices: tuple[str, ...]
    cost: Cost
    gain: Gain
    spend: Spend | None = None
    label: str | None = None


@dataclass(frozen=True)
class OfferedSlice:
    card: SliceCard
    offers: tuple[Offer, ...]


def offers_for(session: Session, target: Target, policy: QueuePolicy, now: datetime) -> tuple[Offer, ...]:
    """The offers for a target, in the order of the table."""
    found = {kind: tuple(entry.choices(session, target, policy, now)) for kind, entry in OFFERS.items()}
    return tuple(
        Offer(
            kind=kind,
            choices=choices,
            cost=cost(session, target.queue_id, OFFERS[kind].items(policy), policy),
            gain=OFFERS[kind].gain(session, target.queue_id),
            spend=OFFERS[kind].spend(target, policy),
            label=target.label if OFFERS[kind].by_label else None,
        )
        for kind, choices in found.items()
        if choices
    )


def offered_slices(
    session: Session, cards: Sequence[SliceCard], policy: Policy, now: datetime
) -> list[OfferedSlice]:  # fmt: skip
    """The cards of slices, each with its offers."""
    offered = []
    for card in cards:
        queue_id, look = queue_named(session, card.queue).id, card.weak.look
        target = target_of_slice(card.subject, queue_id, card.queue, look, card.weak.missed)
        offered.append(OfferedSlice(card, offers_for(session, target, policy.queue(card.queue), now)))
    return offered


def take_offer(
    session: Session, kind: OfferKind, target: Target, choice: str, person: str, now: datetime, policy: Policy
) -> int:
    """Carry out an offer for a lead. Returns the id of what it began. Raises NotAllowed, and Refusal if it is not
    available now."""
    return OFFERS[kind].take(session, target, choice, person, now, policy)
