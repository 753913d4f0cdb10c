"""Erasure of texts that scans found, and of those that a scan holds while it runs. Their hashes stay, so that no later
scan finds them again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.records.discovery import Find, Scan, ScanShard
from core.vocabulary import FindState, ShardState


def erase_found(session: Session, queue_id: int, external_id: str, hashes: Collection[str]) -> int:
    """Erase the waiting finds of the queue that have this id in their source or one of these contents, and the same
    texts in a scan that is under way. Returns the number of finds. Locks the finds and the shards."""
    waits = (Find.queue_id == queue_id, Find.state == FindState.WAITING)
    mine = or_(Find.external_id == external_id, Find.content_hash.in_(hashes))
    emptied = update(Find).where(*waits, mine).values(text="", state=FindState.ERASED).returning(Find.content_hash)
    found = session.scalars(emptied).all()
    _forget(session, queue_id, external_id, {*hashes, *found})
    return len(found)


def expire_found(session: Session, queue_id: int, before: datetime) -> int:
    """Drop the finds that have waited since before this time. Returns how many."""
    waits = (Find.queue_id == queue_id, Find.state == FindState.WAITING, Find.created_at < before)
    dropped = update(Find).where(*waits).values(text="", state=FindState.DROPPED).returning(Find.id)
    return len(session.scalars(dropped).all())


def _forget(session: Session, queue_id: int, external_id: str, hashes: set[str]) -> None:
    """Remove the texts from the shards of scans under way. When a scan is over, its shards hold no texts."""
    mine = (Scan.queue_id == queue_id, ScanShard.state == ShardState.DONE)
    held = select(ScanShard).join(Scan, Scan.id == ScanShard.scan_id).where(*mine).with_for_update(of=ScanShard)
    for shard in session.scalars(held):
        left = [one for one in shard.top if one["content_hash"] not in hashes and one["external_id"] != external_id]
        if len(left) < len(shard.top):
            shard.top = left
    session.flush()
