"""Sentences about why a lead decides an item."""

from typing import assert_never

from bot.wording.numbers import count
from core.vocabulary import Coded, DisputeReason

UNKNOWN = "A lead decides."


def dispute_sentence(dispute: Coded) -> str:
    """The sentence on the card. dispute: a code of `DisputeReason`."""
    why = _why(dispute)
    return f"A lead decides because {why}." if why else UNKNOWN


def escalation_sentence(dispute: Coded) -> str:
    """The sentence on the receipt of an answer after which a lead decides. dispute: a code of `DisputeReason`."""
    if dispute.code == DisputeReason.NO_AGREEMENT:
        return "The votes disagree, so a lead decides."
    why = _why(dispute)
    return f"{why[0].upper()}{why[1:]}, so a lead decides." if why else UNKNOWN


def escalated(dispute: Coded) -> str:
    """The words in the history, without a full stop. dispute: a code of `DisputeReason`."""
    why = _why(dispute)
    return f"Sent to a lead because {why}" if why else "Sent to a lead"


def _why(dispute: Coded) -> str:
    """The reason in words; empty for a code of a newer release."""
    if dispute.code not in set(DisputeReason):
        return ""
    reason = DisputeReason(dispute.code)
    match reason:
        case DisputeReason.CANNOT_JUDGE:
            return f"{count(dispute.values['count'], 'reviewer')} can't judge it"
        case DisputeReason.NO_AGREEMENT:
            return f"{count(dispute.values['count'], 'vote')} didn't settle it"
        case DisputeReason.NO_REVIEWER_LEFT:
            return "no other reviewer is available"
        case _:
            assert_never(reason)
