"""The file of a stored picture in Slack: uploaded once, shown when Slack has processed it, and deleted with its pixels.

Slack is called between these transactions. The beginning of an upload is stored first, so that after a crash the file
is searched for and not uploaded twice. If a picture is erased during its upload, the file is deleted at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records.pictures import Picture
from core.text.picture_address import picture_sha256s

PIECE = 20  # files deleted in one step


@dataclass(frozen=True)
class PictureFile:
    """A picture's file in Slack. name: unique to the picture. file_id: Slack's id; None: not known to be uploaded.
    ready: whether messages may show it. begun: whether an upload was begun; its outcome may be unknown."""

    id: int
    name: str
    file_id: str | None
    ready: bool
    begun: bool


def picture_files(session: Session, queue_id: int, address: str | None) -> tuple[PictureFile, ...]:
    """The files of the stored pictures at this address, in order. None for a web address, and for erased pictures."""
    wanted = picture_sha256s(address)
    if not wanted:
        return ()
    rows = session.scalars(
        select(Picture).where(Picture.queue_id == queue_id, Picture.sha256.in_(wanted), Picture.erased_at.is_(None))
    )
    found = {row.sha256: _file_of(row) for row in rows}
    return tuple(found[sha256] for sha256 in wanted if sha256 in found)


def begin_upload(session: Session, picture_id: int, now: datetime) -> bytes | None:
    """Store that an upload begins. Returns the display picture; None if it was erased. Locks the picture, as all of
    these functions do."""
    row = _locked(session, picture_id)
    if row is None or row.erased_at is not None:
        return None
    row.upload_began_at = now
    return row.content


def note_uploaded(session: Session, picture_id: int, file_id: str) -> bool:
    """Store the file's id. Returns False if the picture was erased meanwhile, so that the file must be deleted."""
    row = _locked(session, picture_id)
    if row is None or row.erased_at is not None:
        return False
    row.file_id, row.file_ready_at = file_id, None
    return True


def note_ready(session: Session, picture_id: int, file_id: str, now: datetime) -> None:
    row = _locked(session, picture_id)
    if row is not None and row.file_id == file_id:
        row.file_ready_at = now


def forget_file(session: Session, picture_id: int) -> None:
    """Store that the file is no longer in Slack. If the picture was erased, its row is deleted."""
    row = _locked(session, picture_id)
    if row is None:
        return
    row.file_id = row.upload_began_at = row.file_ready_at = None
    if row.erased_at is not None:
        session.delete(row)


def erased_files(session: Session) -> Sequence[PictureFile]:
    """A batch of the erased pictures, longest erased first."""
    found = select(Picture).where(Picture.erased_at.is_not(None)).order_by(Picture.erased_at, Picture.id).limit(PIECE)
    return [_file_of(row) for row in session.scalars(found)]


def _file_of(row: Picture) -> PictureFile:
    name = f"picture-{row.id}-{row.sha256[:12]}.png"
    return PictureFile(row.id, name, row.file_id, row.file_ready_at is not None, row.upload_began_at is not None)


def _locked(session: Session, picture_id: int) -> Picture | None:
    return session.get(Picture, picture_id, with_for_update=True, populate_existing=True)
