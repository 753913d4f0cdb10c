"""The row of a queue, by its name."""

from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.records.queues import Queue
from core.storage.ready import fetch

_NAMED = select(Queue).where(Queue.name == bindparam("name"))
_IDS = select(Queue.name, Queue.id)
_SHARED = _NAMED.with_for_update(read=True).execution_options(populate_existing=True)


def queue_named(session: Session, name: str) -> Queue:
    queue = session.scalar(_NAMED, {"name": name})
    if queue is None:
        raise _unknown(name)
    return queue


def queue_ids(session: Session, names: Collection[str]) -> list[int]:
    """The ids of these queues, in this order: all that most questions need. Raises NotFound."""
    ids: dict[str, int] = dict(fetch(session, _IDS, {}))
    for name in names:
        if name not in ids:
            raise _unknown(name)
    return [ids[name] for name in names]


def queue_to_fill(session: Session, name: str) -> Queue:
    """The queue's row, with a shared lock. All transactions that store people's texts take it, and an erasure
    (core/privacy/erasure.py) waits for it: a text that the erasure does not find stored is refused here as erased.
    Raises NotFound."""
    return session.scalar(_SHARED, {"name": name}) or queue_named(session, name)


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no queue “{name}” in the database. Run `goldloop migrate` after changing the policy.")
