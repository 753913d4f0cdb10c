"""Pictures in Slack, uploaded without a channel, so that only the app can see them until a message shows them. Slack
needs a moment to process a file, and until then refuses a message that shows it (python-slack-sdk #1521); a card waits
for that. A card uses the same file each time it is drawn, because clients show a replaced file as missing."""

from collections.abc import Callable, Sequence
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.runtime.services import Services
from bot.slack.errors import CONNECTION, NotYetError, UnsureError
from core.pictures import files
from core.pictures.files import PictureFile
from core.storage.database import PATIENT

LISTED = 200  # the newest files of the app, among which a file with an interrupted upload is searched
GONE = ("file_not_found", "file_deleted")


def require_all_shown(services: Services, wanted: Sequence[PictureFile], title: Callable[[int], str]) -> None:
    """The same as `require_shown`, for several pictures. All are uploaded before it waits for any. title: called with
    the position, from 0."""
    late: NotYetError | None = None
    for place, picture in enumerate(wanted):
        try:
            if not picture.ready:
                require_shown(services, picture, title(place))
        except NotYetError as error:
            late = error
    if late is not None:
        raise late


def require_shown(services: Services, wanted: PictureFile, title: str) -> None:
    """Upload the file if needed. Raises NotYetError until messages may show it. title: also the alternative text."""
    file_id = wanted.file_id or _uploaded(services, wanted, title)
    try:
        told: dict[str, Any] = services.slack.files_info(file=file_id)["file"]
    except SlackApiError as error:
        if error.response.get("error") not in GONE:
            raise
        forget(services, wanted)
        raise NotYetError("its picture was deleted in Slack") from error
    if not _is_processed(told):
        raise NotYetError("Slack is still processing its picture")
    with services.database.transaction(wait=PATIENT) as session:
        files.note_ready(session, wanted.id, file_id, services.clock())


def _uploaded(services: Services, wanted: PictureFile, title: str) -> str:
    found = orphan(services, wanted) if wanted.begun else None
    file_id = found or _upload(services, wanted, title)
    with services.database.transaction(wait=PATIENT) as session:
        kept = files.note_uploaded(session, wanted.id, file_id)
    if not kept:
        services.slack.files_delete(file=file_id)
        raise NotYetError("its picture was erased")
    return file_id


def _upload(services: Services, wanted: PictureFile, title: str) -> str:
    with services.database.transaction(wait=PATIENT) as session:
        content = files.begin_upload(session, wanted.id, services.clock())
    if content is None:
        raise NotYetError("its picture was erased")
    answer = services.slack.files_upload_v2(content=content, filename=wanted.name, title=title, alt_txt=title)
    made: list[dict[str, Any]] = answer["files"]
    return str(made[0]["id"])


def orphan(services: Services, wanted: PictureFile) -> str | None:
    """The id of the file whose upload was begun but whose id was never stored; None: there is none. Raises UnsureError
    if the files cannot be listed now."""
    try:
        listed: list[dict[str, Any]] = services.slack.files_list(count=LISTED)["files"]
    except (SlackApiError, *CONNECTION) as error:
        raise UnsureError(error) from error
    return next((str(file["id"]) for file in listed if file.get("name") == wanted.name), None)


def forget(services: Services, one: PictureFile) -> None:
    with services.database.transaction(wait=PATIENT) as session:
        files.forget_file(session, one.id)


def _is_processed(told: dict[str, Any]) -> bool:
    """Whether Slack has processed a file: then the file has a type, and a picture has a size once it has thumbnails."""
    return bool(told.get("mimetype"))
