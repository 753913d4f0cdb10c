"""The type of an entry in the table of offers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.offers.cost import Gain, Spend
from core.offers.targets import Target
from core.policy import Policy, QueuePolicy


@dataclass(frozen=True)
class Entry:
    """An offer's kind, as a line of the table. choices: the ways in which it is offered for a target, such as the names
    of sources, or a single empty one; none: it is not offered. items: how many it may open. gain: of such items in a
    queue so far. take: carries it out for a lead, whose role it checks, and returns the id of what it began; raises
    Refusal. spend: what it pays for outside of Goldloop at most; None: nothing. by_label: it is about the target's
    label, not about the slice."""

    choices: Callable[[Session, Target, QueuePolicy, datetime], Sequence[str]]
    items: Callable[[QueuePolicy], int]
    gain: Callable[[Session, int], Gain]
    take: Callable[[Session, Target, str, str, datetime, Policy], int]
    spend: Callable[[Target, QueuePolicy], Spend | None] = lambda _target, _policy: None
    by_label: bool = True
