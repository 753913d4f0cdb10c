"""Write examples: a batch of texts for the label by the policy's language model, of which people judge a sample."""

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
from core.synthesis.admission import sample_size
from core.synthesis.batches import UNFINISHED
from core.synthesis.costs import Cost, planned_cost
from core.synthesis.guards import MOST_KEPT
from core.synthesis.prompt import MOST_EXAMPLES, most_tokens
from core.synthesis.requests import Wanted, request_batch, text_spec
from core.vocabulary import Role


def _choices(session: Session, target: Target, policy: QueuePolicy, _now: datetime) -> Sequence[str]:
    """The choices; none while the queue has an unfinished batch, or if the policy's caps allow no call."""
    label = target.label
    if label is None or not policy.synthetic.enabled or label not in policy.label_names:
        return []
    if not _most(label, policy).calls:
        return []
    unfinished = (SyntheticBatch.queue_id == target.queue_id, SyntheticBatch.state.in_(UNFINISHED))
    return [] if session.scalar(select(SyntheticBatch.id).where(*unfinished)) is not None else [""]


def _items(_policy: QueuePolicy) -> int:
    return sample_size(MOST_KEPT)


def _spend(target: Target, policy: QueuePolicy) -> Spend | None:
    if target.label is None:
        return None
    most = _most(target.label, policy)
    return Spend(policy.synthetic.model, MOST_EXAMPLES, most.calls, most.tokens, most.money)


def _most(label: str, policy: QueuePolicy) -> Cost:
    """The cost of a batch with as many texts and as long examples as possible."""
    return planned_cost(MOST_KEPT, most_tokens(text_spec(Wanted(label), policy)), policy.synthetic)


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
