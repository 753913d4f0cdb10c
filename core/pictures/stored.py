"""Stored pictures: kept once for each queue, and erased when no input of the queue refers to them any more."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.pictures.decoded import Decoded
from core.records.learning import GoldenExample, SeedExample
from core.records.pictures import Picture, PictureSet
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.storage.database import insert
from core.text.picture_address import found_at, hashes_in, picture_address, picture_sha256s

PIECE = 500  # hashes per statement; SQLite accepts 32,766 values


def store_pictures(
    session: Session, queue: Queue, addresses: Collection[str | None], pictures: Iterable[Decoded], now: datetime
) -> None:
    """Store the pictures to which one of the addresses leads, each once. The caller holds the queue's row
    (`queue_to_fill`), so that none is erased meanwhile. If an erased picture comes again with another input, its pixels
    are stored again: no message shows the old file."""
    wanted = hashes_in(addresses)
    _store_sets(session, queue, addresses)
    for picture in {one.sha256: one for one in pictures if one.sha256 in wanted}.values():
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


def _store_sets(session: Session, queue: Queue, addresses: Collection[str | None]) -> None:
    for address in {one for one in addresses if len(picture_sha256s(one)) > 1}:
        for sha256 in picture_sha256s(address):
            row = insert(session, PictureSet).values(queue_id=queue.id, sha256=sha256, address=address)
            session.execute(row.on_conflict_do_nothing(index_elements=["queue_id", "sha256", "address"]))


def greys(session: Session, queue_id: int, addresses: Collection[str | None]) -> Mapping[str, tuple[bytes, ...]]:
    """For each address, the grey values of its pictures, in order. Web addresses, and addresses whose pictures were
    erased, have no entry."""
    wanted = sorted(hashes_in(addresses))
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), PIECE):
        rows = session.execute(
            select(Picture.sha256, Picture.grey).where(
                Picture.queue_id == queue_id,
                Picture.sha256.in_(wanted[start : start + PIECE]),
                Picture.erased_at.is_(None),
            )
        )
        found |= dict(rows.all())
    return found_at(addresses, found)


def display_picture(session: Session, queue_id: int, sha256: str) -> bytes:
    """The display picture, a PNG. Raises NotFound if it was erased."""
    content = session.scalar(
        select(Picture.content).where(
            Picture.queue_id == queue_id, Picture.sha256 == sha256, Picture.erased_at.is_(None)
        )
    )
    if content is None:
        raise NotFound("This picture was erased.")
    return content


def golden_pictures(session: Session, queue_id: int, ids: Sequence[int]) -> Mapping[int, bytes]:
    """For each of these golden examples, the first of its display pictures. An example without pictures, or with erased
    ones, has no entry."""
    rows = session.execute(select(GoldenExample.id, GoldenExample.image_url).where(GoldenExample.id.in_(ids)))
    addresses = {number: next(iter(picture_sha256s(address)), None) for number, address in rows}
    found = select(Picture.sha256, Picture.content).where(
        Picture.queue_id == queue_id, Picture.sha256.in_(set(addresses.values())), Picture.erased_at.is_(None)
    )
    contents = dict(session.execute(found).all())
    return {number: contents[sha256] for number, sha256 in addresses.items() if sha256 in contents}


def erase_unused(session: Session, queue_id: int, addresses: Iterable[str | None], now: datetime) -> int:
    """Erase the pixels of the pictures at these addresses to which no input of the queue refers any more. Returns how
    many. The caller holds the queue's row, so that intake waits, and has flushed the inputs that it has emptied."""
    mine = hashes_in(set(addresses))
    unused = mine - _in_use(session, queue_id, mine) if mine else mine
    if not unused:
        return 0
    erased = (
        update(Picture)
        .where(
            Picture.queue_id == queue_id,
            Picture.sha256.in_(unused),
            Picture.erased_at.is_(None),
        )
        .values(content=b"", grey=b"", erased_at=now)
        .returning(Picture.id)
    )
    return len(session.scalars(erased).all())


def _in_use(session: Session, queue_id: int, hashes: Collection[str]) -> set[str]:
    """The hashes of pictures to which an input refers, by the address of a single picture or of a set. Sets to which no
    input refers are deleted."""
    with_others = session.scalars(
        select(PictureSet.address).where(PictureSet.queue_id == queue_id, PictureSet.sha256.in_(hashes)).distinct()
    ).all()
    used: set[str] = set()
    addresses = [*map(picture_address, hashes), *with_others]
    for record in (Prediction, GoldenExample, SeedExample):
        rows: Sequence[Any] = session.scalars(
            select(record.image_url).where(record.queue_id == queue_id, record.image_url.in_(addresses)).distinct()
        ).all()
        used.update(rows)
    gone = [address for address in with_others if address not in used]
    session.execute(delete(PictureSet).where(PictureSet.queue_id == queue_id, PictureSet.address.in_(gone)))
    return hashes_in(used)
