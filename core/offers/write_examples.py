"""Write examples: a batch of texts for the label by the policy's language model, of which people judge a sample."""

import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refusal
from core.offers.base import Entry
from core.offers.cost import Gain, Spend
from core.offers.targets import Target
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.records.queues import Queue
from core.records.synthetic import SyntheticBatch
from core.synthesis.batches import UNFINISHED
from core.synthesis.prompt import PER_CALL
from core.synthesis.requests import Wanted, request_batch
from core.synthesis.sampling import FEWEST_ASKED, SHARE_ASKED
from core.vocabulary import Role


def _choices(session: Session, target: Target, policy: QueuePolicy, _now: datetime) -> Sequence[str]:
    """A queue has one unfinished batch at most."""
    if not policy.synthetic.enabled or target.label not in policy.label_names:
        return []
    unfinished = (SyntheticBatch.queue_id == target.queue_id, SyntheticBatch.state.in_(UNFINISHED))
    return [] if session.scalar(select(SyntheticBatch.id).where(*unfinished)) is not None else [""]


def _items(policy: QueuePolicy) -> int:
    return max(FEWEST_ASKED, math.ceil(SHARE_ASKED * policy.synthetic.calls * PER_CALL))


def _spend(policy: QueuePolicy) -> Spend:
    rules = policy.synthetic
    return Spend(rules.calls, rules.tokens, rules.money if rules.has_prices else None)


def _gain(session: Session, queue_id: int) -> Gain:
    """Written texts that people judged, and those of them that they confirmed."""
    counts = session.scalars(select(SyntheticBatch.counts).where(SyntheticBatch.queue_id == queue_id)).all()
    return Gain(sum(one.get("settled", 0) for one in counts), sum(one.get("confirmed", 0) for one in counts))


def _take(session: Session, target: Target, _choice: str, person: str, now: datetime, policy: Policy) -> int:
    queue = policy.queue(target.queue)
    require(session, session.get_one(Queue, target.queue_id), Role.LEAD, person, "have examples written", queue)
    if target.label is None:
        raise Refusal("This is about no label that examples could be written for.")
    return request_batch(session, queue, Wanted(target.label), person, now)


WRITE_EXAMPLES = Entry(_choices, _items, _gain, _take, _spend)
