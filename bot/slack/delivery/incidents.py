"""Notices to the leads about incidents: one when there is something to resolve, one when it is resolved. An incident of
the leads' own channel cannot be reported in Slack; the log, /health/ready and `goldloop doctor` have it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from bot.runtime.services import Services
from core.delivery import backlog, incidents, notices
from core.delivery.incidents import EVERYWHERE
from core.policy import Policy
from core.records.delivery import Incident
from core.vocabulary import NoticeKind

REMEMBERED = timedelta(days=1)  # incidents that were resolved longer ago are not reported


def tell_of_incidents(services: Services) -> bool:
    """Notify the leads of new and resolved incidents, once each. Always returns False: nothing is left to do."""
    services.database.write_if_needed(partial(_tell_of_incidents, services))
    return False


def _tell_of_incidents(services: Services, session: Session) -> None:
    now = services.clock()
    incidents.resolve_stale(session, now)
    recent = incidents.recent(session, since=now - REMEMBERED)
    closed = {one.channel for one in recent if one.resolved_at is None and one.held_until is not None}
    for incident in recent:
        for channel in _concerned(services.policy, incident.channel):
            if channel not in closed and EVERYWHERE not in closed:
                _notify_once(session, services, incident, channel)


def _concerned(policy: Policy, channel: str) -> Iterable[str]:
    """The leads' channels of the queues that use this one."""
    uses = [queue for queue in policy.queues if channel in (*queue.channels, EVERYWHERE)]
    return dict.fromkeys(queue.leads_channel for queue in uses)


def _notify_once(session: Session, services: Services, incident: Incident, channel: str) -> None:
    key = f"incident:{incident.id}:{channel}"
    if incident.resolved_at is None:
        _notify(session, services, key, channel, *_what_is_wrong(session, incident))
    elif incident.held_until is not None:
        could_be_told = incident.channel not in (channel, EVERYWHERE)
        if not could_be_told or notices.was_noted(session, key):
            values = {"channel": incident.channel, "since": int(incident.since.timestamp())}
            _notify(session, services, f"resolved:{key}", channel, NoticeKind.INCIDENT_RESOLVED, values)


def _what_is_wrong(session: Session, incident: Incident) -> tuple[NoticeKind, dict[str, Any]]:
    count = backlog.count_waiting_for(session, incident)
    about = {"channel": incident.channel, "error": incident.reason}
    if incident.held_until is not None:
        return NoticeKind.CHANNEL_BLOCKED, about | {"waiting": count}
    cards = backlog.named_as_given_up(session, incident.channel, incident.reason)
    return NoticeKind.MESSAGES_REFUSED, about | {"count": count, "cards": cards}


def _notify(
    session: Session, services: Services, key: str, channel: str, kind: NoticeKind, values: Mapping[str, Any]
) -> None:
    notices.notify(session, kind, key, channel, None, values, services.clock())
