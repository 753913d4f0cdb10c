"""A person asked for a look, whatever the model says. Who it was stands in the flag itself."""

from core.intake.reasons.base import FlagReason
from core.vocabulary import Reason

BY_PERSON = FlagReason(Reason.PERSON)
