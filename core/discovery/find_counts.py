"""The numbers of a scan's finds. Opening finds brings in intake and review (finds.py), which a card does not need."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.records.discovery import Find
from core.vocabulary import FindState


@dataclass(frozen=True)
class FindCounts:
    """The numbers of a scan's finds by state."""

    waiting: int
    opened: int
    dropped: int


def find_counts(session: Session, scan_id: int) -> FindCounts:
    counted = select(Find.state, func.count()).where(Find.scan_id == scan_id).group_by(Find.state)
    states = dict(session.execute(counted).all())
    gone = states.get(FindState.DROPPED, 0) + states.get(FindState.ERASED, 0)
    return FindCounts(states.get(FindState.WAITING, 0), states.get(FindState.OPENED, 0), gone)
