"""Find more like these: a scan of a source that the policy lists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.discovery.scans import Wanted, request_scan
from core.discovery.sources import Columns
from core.errors import Invalid
from core.offers.base import Entry
from core.offers.cost import Gain, gain
from core.offers.targets import Target
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.records.queues import Queue
from core.vocabulary import Reason, Role

MOST_SOURCES = 3  # sources of the policy that are offered; the others are used by `/goldloop discover`


def _choices(_session: Session, target: Target, policy: QueuePolicy, _now: datetime) -> Sequence[str]:
    """The sources. None if the target has neither a label nor another kind of texts: a scan could not look for it."""
    is_known = target.label in policy.label_names or target.foreign
    return [source.name for source in policy.discovery.sources[:MOST_SOURCES]] if is_known else []


def _take(session: Session, target: Target, choice: str, person: str, now: datetime, policy: Policy) -> int:
    queue = policy.queue(target.queue)
    require(session, session.get_one(Queue, target.queue_id), Role.LEAD, person, "search unlabelled texts", queue)
    source = next((one for one in queue.discovery.sources if one.name == choice), None)
    if source is None:
        raise Invalid("The policy does not list this source any more.")
    columns = Columns(source.text, source.id or None)
    wanted = Wanted(source.address, columns, label=target.label, foreign=target.foreign)
    return request_scan(session, queue, wanted, person, now)


def _gain(session: Session, queue_id: int) -> Gain:
    return gain(session, queue_id, Reason.DISCOVERY)


FIND_MORE = Entry(_choices, lambda policy: policy.discovery.items, _gain, _take)
