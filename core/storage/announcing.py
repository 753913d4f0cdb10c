"""Announcements: a commit that leaves work for a worker, such as a card to post, wakes a worker at rest at once.

PostgreSQL announces such a commit by NOTIFY, and runs commits with a NOTIFY one after the other, each with its wait for
the disk. So a vote that leaves no work is not announced, and of many commits in a row only two a second are: a worker
rests only after a second without a commit. On SQLite, a worker checks five times a second (core/storage/changes.py)."""

from sqlalchemy.orm import Session

CHANNEL = "goldloop"  # the channel of LISTEN and NOTIFY
_ANNOUNCED = "announced"  # a key in a session's info


def announce(session: Session) -> None:
    """Request that the commit of this transaction is announced."""
    session.info[_ANNOUNCED] = True


def is_announced(session: Session) -> bool:
    return _ANNOUNCED in session.info
