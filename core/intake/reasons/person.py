"""A person asked for a review, whatever the model says. The flag stores who it was."""

from core.intake.reasons.base import FlagReason
from core.vocabulary import Reason

BY_PERSON = FlagReason(Reason.PERSON)
