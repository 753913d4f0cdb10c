"""Tells the leads, once, what they have to mend before Slack takes our messages, and that it is mended. A trouble with
the leads' own channel is told nowhere in Slack; the log, /health/ready and `goldloop doctor` have it."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.orm import Session

from bot.runtime.services import Services
from bot.slack.views import incident as words
from core.delivery import backlog, incidents, notices
from core.delivery.incidents import EVERYWHERE
from core.policy import Policy
from core.records.delivery import Incident
from core.storage.database import PATIENT
from core.vocabulary import NoticeKind

REMEMBERED = timedelta(days=1)  # a trouble that was mended longer ago is no news any more


def tell_of_troubles(services: Services) -> bool:
    """Repeating it says nothing twice. Always False: there is no more of it."""
    now = services.clock()
    with services.database.transaction(wait=PATIENT) as session:
        incidents.close_what_is_over(session, now)
        known = incidents.known(session, since=now - REMEMBERED)
        closed = {one.channel for one in known if one.mended_at is None and one.held_until is not None}
        for trouble in known:
            for channel in _concerned(services.policy, trouble.channel):
                if channel not in closed and EVERYWHERE not in closed:
                    _tell(session, services, trouble, channel)
    return False


def _concerned(policy: Policy, channel: str) -> Iterable[str]:
    """The leads' channels of the queues that use this one."""
    uses = [queue for queue in policy.queues if channel in (*queue.channels, EVERYWHERE)]
    return dict.fromkeys(queue.leads_channel for queue in uses)


def _tell(session: Session, services: Services, trouble: Incident, channel: str) -> None:
    key = f"trouble:{trouble.id}:{channel}"
    if trouble.mended_at is None:
        _notify(session, services, key, channel, _what_is_wrong(session, trouble))
    elif trouble.held_until is not None:
        could_be_told = trouble.channel not in (channel, EVERYWHERE)
        if not could_be_told or notices.was_noted(session, key):
            _notify(session, services, f"mended:{key}", channel, words.mended(trouble.channel, trouble.since))


def _what_is_wrong(session: Session, trouble: Incident) -> str:
    count = backlog.count_waiting_for(session, trouble)
    if trouble.held_until is not None:
        return words.held_up(trouble.channel, trouble.reason, count)
    named = backlog.named_as_given_up(session, trouble.channel, trouble.reason)
    return words.refused(trouble.channel, trouble.reason, count, named)


def _notify(session: Session, services: Services, key: str, channel: str, said: str) -> None:
    notices.notify(session, NoticeKind.TROUBLE, key, channel, None, said, services.clock())
