"""The reasons to flag a prediction, in the order in which they are applied."""

from collections.abc import Mapping, Sequence

from core.intake.reasons.audit import audit
from core.intake.reasons.base import Ask, FlagReason, Scored
from core.intake.reasons.drift import drift
from core.intake.reasons.held_back import held_back
from core.intake.reasons.uncertain import uncertain
from core.intake.reasons.weak_slice import weak_slice
from core.policy import QueuePolicy
from core.vocabulary import Reason

# One line per reason. None: it is not a rule; another place gives it.
REASONS: Mapping[Reason, Ask | None] = {
    Reason.AUDIT: audit,  # a random draw for each prediction, independent of the rules
    Reason.HELD_BACK: None,  # a random draw among the predictions that a rule flags
    Reason.PERSON: None,  # core/intake/ingest.py, flag_for_review
    Reason.UNCERTAIN: uncertain,
    Reason.DISAGREEMENT: None,  # core/intake/disagreements.py, when the other model has answered
    Reason.DRIFT: drift,
    Reason.WEAK_SLICE: weak_slice,
    Reason.DISCOVERY: None,  # core/intake/ingest.py, open_discovered
}
LOTS = (Reason.AUDIT, Reason.HELD_BACK)  # random draws: reviewed blind, and never used for training
RULES = tuple(ask for reason, ask in REASONS.items() if ask is not None and reason is not Reason.AUDIT)


def reasons_to_review(scored: Scored, policy: QueuePolicy) -> tuple[FlagReason, ...]:
    """The reasons, in this order: the audit, if it drew the prediction; the hold-back, if a rule applies and it was
    drawn; and the first rule that applies. Empty: no person needs to look."""
    lot, rule = audit(scored, policy), _first_rule(scored, policy)
    if lot is None and rule is None:  # the usual case
        return ()
    held = held_back(scored, policy) if rule is not None else None
    return tuple(found for found in (lot, held, rule) if found is not None)


def _first_rule(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    for ask in RULES:
        found = ask(scored, policy)
        if found is not None:
            return found
    return None


def flag_probability(reasons: Sequence[FlagReason], policy: QueuePolicy) -> float:
    """The probability that a prediction like this one is sent to people at all, by a rule or by the audit: 1 - (1 -
    a)(1 - r), where a is the audit's share and r is 1 if a rule applies. reasons: those of `reasons_to_review`. Under a
    budget a rule sends none at once: the prediction waits for room, and may lapse."""
    by_rule = policy.flagging.limit is None and any(found.reason not in LOTS for found in reasons)
    return 1.0 if by_rule else policy.flagging.audit_share


def held_back_probability(reasons: Sequence[FlagReason], policy: QueuePolicy) -> float:
    """The probability that a prediction like this one is held back from training: the policy's share if the queue has a
    promise and a rule applies, otherwise 0. reasons: those of `reasons_to_review`."""
    by_rule = policy.flagging.promised is not None and any(found.reason not in LOTS for found in reasons)
    return policy.flagging.held_back_share if by_rule else 0.0
