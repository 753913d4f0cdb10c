"""A deliverer claims a posting or a notice, says it, and notes what came of it: how long a claim lasts, what frees it
before its end, and how long what failed waits.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.records.delivery import Notice, Posting

CLAIM = timedelta(seconds=60)  # longer than any call to Slack; a crashed deliverer's posting is free again after it
LONGEST_PAUSE = timedelta(minutes=5)


def let_go(session: Session, record: type[Posting] | type[Notice], claimed_by: str) -> None:
    """Free whatever this deliverer had claimed of this kind; it has nothing of it in hand."""
    session.execute(
        update(record)
        .where(record.claimed_by == claimed_by, record.claimed_until.is_not(None))
        .values(claimed_until=None)
    )


def release_dead(session: Session, is_dead: Callable[[str], bool]) -> None:
    """Free what a deliverer had claimed that has died since; otherwise it would be free only when the claim ends."""
    postings = session.scalars(
        select(Posting).where(Posting.claimed_until.is_not(None)).with_for_update(skip_locked=True)
    )
    notices = session.scalars(select(Notice).where(Notice.claimed_until.is_not(None)).with_for_update(skip_locked=True))
    for row in (*postings, *notices):
        if row.claimed_by and is_dead(row.claimed_by):
            row.claimed_until = None


def pause_after(attempts: int, retry_after: float | None) -> timedelta:
    """Until the next try: the seconds that Slack asked for, else two, doubling up to the longest."""
    if retry_after is not None:
        return timedelta(seconds=retry_after)
    return min(LONGEST_PAUSE, timedelta(seconds=2 ** min(attempts, 10)))
