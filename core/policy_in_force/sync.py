"""Synchronisation of rows with the policy file: a queue for each section, its guideline, the people it names."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.guidelines.versions import sync_guideline
from core.people.members import seat_named_people
from core.policy import Policy, QueuePolicy
from core.records.learning import Live
from core.records.queues import Queue
from core.storage.database import insert


def sync_queues(session: Session, policy: Policy, now: datetime) -> None:
    """Make a row for each queue of the policy file; a changed guideline becomes its next version. Safe to repeat, and
    from several processes at once: each holds a queue's row until its transaction ends."""
    for wanted in policy.queues:
        queue = _locked_or_made(session, wanted, now)
        queue.channel, queue.leads_channel = wanted.channel, wanted.leads_channel
        sync_guideline(session, queue, wanted.guideline, now)
        seat_named_people(session, queue, wanted)
    session.flush()


def _locked_or_made(session: Session, wanted: QueuePolicy, now: datetime) -> Queue:
    made = insert(session, Queue).values(
        name=wanted.name,
        created_at=now,
        channel=wanted.channel,
        leads_channel=wanted.leads_channel,
        guideline_version=0,
    )
    session.execute(made.on_conflict_do_nothing(index_elements=["name"]))
    queue = session.scalars(
        select(Queue)
        .where(Queue.name == wanted.name)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    session.execute(insert(session, Live).values(queue_id=queue.id, changes=0).on_conflict_do_nothing())
    return queue
