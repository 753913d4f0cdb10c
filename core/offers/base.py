"""The type of an entry in the table of offers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.offers.targets import Target
from core.policy import Policy, QueuePolicy
from core.vocabulary import Reason


@dataclass(frozen=True)
class Entry:
    """choices: the ways in which it is offered for a target, such as the names of sources, or one that is empty; none:
    it is not offered. items: that it may open. reason: of these items' flags, by which its gain is counted. take: does
    it for a lead, whose role it checks, and returns the id of what it began; raises Refusal."""

    choices: Callable[[Session, Target, QueuePolicy, datetime], Sequence[str]]
    items: Callable[[QueuePolicy], int]
    reason: Reason
    take: Callable[[Session, Target, str, str, datetime, Policy], int]
