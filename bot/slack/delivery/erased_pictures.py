"""Files of erased pictures, which are deleted from Slack, so that no message shows them any more."""

import logging

from slack_sdk.errors import SlackApiError

from bot.runtime.services import Services
from bot.slack.delivery.deliver import may_deliver
from bot.slack.delivery.pictures import GONE, forget, orphan
from bot.slack.errors import CONNECTION
from core.pictures import files
from core.pictures.files import PictureFile
from core.storage.database import PATIENT

log = logging.getLogger(__name__)


def delete_erased_files(services: Services) -> bool:
    """Delete from Slack the files of pictures that were erased; True while there may be more."""
    if services.budget.is_silent():
        return False
    with services.database.reading(wait=PATIENT) as session:
        erased = files.erased_files(session)
    if not erased:
        return False
    with services.database.transaction(wait=PATIENT) as session:
        if not may_deliver(session, services):
            return False
    for one in erased:
        try:
            _delete(services, one)
        except (SlackApiError, *CONNECTION) as error:
            log.warning("File of an erased picture not deleted", extra={"picture": one.id, "reason": str(error)[:200]})
            return False
    return len(erased) == files.PIECE


def _delete(services: Services, one: PictureFile) -> None:
    file_id = one.file_id or (orphan(services, one) if one.begun else None)
    if file_id is not None:
        try:
            services.slack.files_delete(file=file_id)
        except SlackApiError as error:
            if error.response.get("error") not in GONE:
                raise
    forget(services, one)
