"""Whose turn it is at what only one process may do at a time, however many could.

A turn is a lease: whoever does the work renews it by taking it again. It is free when it ran out, when its holder gave
it back, or when `is_dead` knows that the holder is gone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.records.delivery import Turn
from core.storage.database import insert

LEASE = timedelta(seconds=15)  # so long may nobody speak when a machine dies; a dead process here is known at once
APART = timedelta(minutes=1)  # clocks of two machines; a turn that ends later still was taken by a clock put back since


class Whose(Enum):
    MINE = auto()
    NEWLY_MINE = auto()  # another may have had it until this moment
    ANOTHERS = auto()


def take(session: Session, name: str, who: str, now: datetime, is_dead: Callable[[str], bool]) -> Whose:
    """Take or keep a turn if it is free or one's own. Locks the row only to change it, so that those who wait for their
    turn hinder nobody. Repeating it renews the turn."""
    turn = session.get(Turn, name)
    if turn is None:
        first = insert(session, Turn).values(name=name, holder=who, until=now + LEASE).on_conflict_do_nothing()
        made = session.execute(first.returning(Turn.name)).first()
        return Whose.NEWLY_MINE if made else Whose.ANOTHERS
    if turn.holder == who and LEASE / 2 < turn.until - now <= LEASE + APART:
        return Whose.MINE
    if turn.holder != who and not _is_free(turn, now, is_dead):
        return Whose.ANOTHERS
    turn = session.get(Turn, name, with_for_update=True, populate_existing=True)
    if turn is None or (turn.holder != who and not _is_free(turn, now, is_dead)):
        return Whose.ANOTHERS  # given back, or taken, in this instant
    whose = Whose.MINE if turn.holder == who else Whose.NEWLY_MINE
    turn.holder, turn.until = who, now + LEASE
    return whose


def holder(session: Session, name: str, now: datetime, is_dead: Callable[[str], bool]) -> str | None:
    """Whose turn it is; None: nobody's."""
    turn = session.get(Turn, name)
    return None if turn is None or _is_free(turn, now, is_dead) else turn.holder


def give_back(session: Session, name: str, who: str) -> None:
    """Somebody else may have it. Does nothing where it is another's."""
    session.execute(delete(Turn).where(Turn.name == name, Turn.holder == who))


def _is_free(turn: Turn, now: datetime, is_dead: Callable[[str], bool]) -> bool:
    return not now < turn.until <= now + LEASE + APART or is_dead(turn.holder)
