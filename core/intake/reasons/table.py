"""The reasons to flag a prediction, in the order in which they are asked."""

from collections.abc import Mapping

from core.intake.reasons.audit import audit
from core.intake.reasons.base import Ask, FlagReason, Scored
from core.intake.reasons.uncertain import uncertain
from core.policy import QueuePolicy
from core.vocabulary import Reason

# One line per reason. None: no prediction is asked about it; it is given where something else happens.
REASONS: Mapping[Reason, Ask | None] = {
    Reason.UNCERTAIN: uncertain,
    Reason.PERSON: None,  # core/intake/ingest.py, flag_for_review
    Reason.AUDIT: audit,  # last: a sample of what no other reason flags
}
ASKED = tuple(ask for ask in REASONS.values() if ask is not None)


def reason_to_review(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """The first reason that applies; None: no person needs to look."""
    return next((found for ask in ASKED if (found := ask(scored, policy)) is not None), None)
