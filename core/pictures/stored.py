"""Stored pictures: kept once for each queue, and erased when no input of the queue refers to them any more."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.pictures.decoding import Decoded
from core.records.learning import GoldenExample, SeedExample
from core.records.pictures import Picture
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.storage.database import insert
from core.text.picture_address import picture_address, picture_sha256

PIECE = 500  # hashes in one statement; SQLite takes 32,766 values


def store_pictures(session: Session, queue: Queue, pictures: Iterable[Decoded], now: datetime) -> None:
    """Store each picture once. The caller holds the queue's row (`queue_to_fill`), so that none is erased meanwhile. If
    an erased picture comes again with another input, its pixels are stored again: no message shows the old file."""
    for picture in {one.sha256: one for one in pictures}.values():
        pixels = {"content": picture.content, "grey": picture.grey}
        size = {"width": picture.width, "height": picture.height}
        row = insert(session, Picture).values(
            queue_id=queue.id, sha256=picture.sha256, created_at=now, **pixels, **size
        )
        session.execute(
            row.on_conflict_do_update(
                index_elements=["queue_id", "sha256"],
                set_={**pixels, "erased_at": None},
                where=Picture.erased_at.is_not(None),
            )
        )


def greys(session: Session, queue_id: int, addresses: Collection[str | None]) -> Mapping[str, bytes]:
    """The greys that models read of these stored pictures, by address. Web addresses and erased pictures have no
    entry."""
    wanted = sorted({sha256 for address in addresses if (sha256 := picture_sha256(address))})
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), PIECE):
        rows = session.execute(
            select(Picture.sha256, Picture.grey).where(
                Picture.queue_id == queue_id,
                Picture.sha256.in_(wanted[start : start + PIECE]),
                Picture.erased_at.is_(None),
            )
        )
        found |= {picture_address(sha256): grey for sha256, grey in rows}
    return found


def display_picture(session: Session, queue_id: int, address: str) -> bytes:
    """The PNG that people see. Raises NotFound if it was erased."""
    content = session.scalar(
        select(Picture.content).where(
            Picture.queue_id == queue_id, Picture.sha256 == picture_sha256(address), Picture.erased_at.is_(None)
        )
    )
    if content is None:
        raise NotFound("This picture was erased.")
    return content


def golden_pictures(session: Session, queue_id: int, ids: Sequence[int]) -> Mapping[int, bytes]:
    """The display pictures of these golden examples, by id. Those without a picture, or erased, have no entry."""
    rows = session.execute(select(GoldenExample.id, GoldenExample.image_url).where(GoldenExample.id.in_(ids)))
    addresses = {number: picture_sha256(address) for number, address in rows}
    found = select(Picture.sha256, Picture.content).where(
        Picture.queue_id == queue_id, Picture.sha256.in_(set(addresses.values())), Picture.erased_at.is_(None)
    )
    contents = dict(session.execute(found).all())
    return {number: contents[sha256] for number, sha256 in addresses.items() if sha256 in contents}


def erase_unused(session: Session, queue_id: int, addresses: Iterable[str | None], now: datetime) -> int:
    """Erase the pixels of the pictures among these to which no input of the queue refers any more. Returns how many.
    The caller holds the queue's row, so that intake waits, and has flushed the inputs that it has emptied."""
    mine = {address for address in addresses if picture_sha256(address)}
    unused = mine - _in_use(session, queue_id, mine)
    if not unused:
        return 0
    erased = (
        update(Picture)
        .where(
            Picture.queue_id == queue_id,
            Picture.sha256.in_([picture_sha256(address) for address in unused]),
            Picture.erased_at.is_(None),
        )
        .values(content=b"", grey=b"", erased_at=now)
        .returning(Picture.id)
    )
    return len(session.scalars(erased).all())


def _in_use(session: Session, queue_id: int, addresses: Collection[Any]) -> set[str | None]:
    used: set[str | None] = set()
    for record in (Prediction, GoldenExample, SeedExample):
        rows: Sequence[str | None] = session.scalars(
            select(record.image_url).where(record.queue_id == queue_id, record.image_url.in_(addresses)).distinct()
        ).all()
        used.update(rows)
    return used
