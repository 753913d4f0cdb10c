"""The flag of a person who asked for a review, whatever the model says. It stores who the person was."""

from core.intake.reasons.base import FlagReason
from core.vocabulary import Reason

BY_PERSON = FlagReason(Reason.PERSON)
