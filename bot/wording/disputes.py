"""Why a lead decides about an item."""

from typing import assert_never

from bot.wording.numbers import count
from core.vocabulary import Coded, DisputeReason

UNKNOWN = "A lead decides."


def dispute_sentence(dispute: Coded) -> str:
    """For the card. dispute: of `DisputeReason`."""
    if dispute.code not in set(DisputeReason):
        return UNKNOWN
    reason = DisputeReason(dispute.code)
    match reason:
        case DisputeReason.CANNOT_JUDGE:
            return f"A lead decides because {count(dispute.values['count'], 'reviewer')} can't judge it."
        case DisputeReason.NO_AGREEMENT:
            return f"A lead decides because {count(dispute.values['count'], 'vote')} didn't settle it."
        case DisputeReason.NO_REVIEWER_LEFT:
            return "A lead decides because no other reviewer is available."
        case _:
            assert_never(reason)


def escalation_sentence(dispute: Coded) -> str:
    """For the receipt of an answer after which a lead decides. dispute: of `DisputeReason`."""
    if dispute.code not in set(DisputeReason):
        return UNKNOWN
    reason = DisputeReason(dispute.code)
    match reason:
        case DisputeReason.CANNOT_JUDGE:
            return f"{count(dispute.values['count'], 'reviewer')} can't judge it, so a lead decides."
        case DisputeReason.NO_AGREEMENT:
            return "The votes disagree, so a lead decides."
        case DisputeReason.NO_REVIEWER_LEFT:
            return "No other reviewer is available, so a lead decides."
        case _:
            assert_never(reason)
