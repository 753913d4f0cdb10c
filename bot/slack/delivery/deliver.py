"""Delivery from the outbox to Slack: lease a posting or a notice, send it, note the outcome.

Two short transactions, with the call to Slack between them. A crash between Slack's answer and the second transaction
would post twice, so a leased message counts as possibly sent until its outcome is stored
(bot/slack/delivery/sender.py).

Any number of workers may run, but only one at a time sends, so that together they keep Slack's rate limits.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.runtime.processes import is_gone
from bot.runtime.services import Services
from bot.slack.delivery import sender
from bot.slack.delivery.sender import CARDS, Show
from bot.slack.errors import CONNECTION, Failure, PersonGoneError, sorted_failure
from core.delivery import incidents, notices, outbox
from core.delivery.notices import DueNotice
from core.delivery.outbox import Due
from core.errors import CommitOutcomeUnknown, DatabaseUnavailable, NotFound
from core.jobs import Interrupted
from core.records.delivery import Notice, Posting
from core.storage import leases
from core.storage.database import PATIENT
from core.storage.leases import MOST_ATTEMPTS, Outcome
from core.vocabulary import Card

log = logging.getLogger(__name__)

Taken = TypeVar("Taken")

DELIVERY = "delivery to Slack"
ENDING = 2.0  # seconds for which an ending process waits for the database
FILE_APPEARS = 30.0  # seconds until a second search; Slack shows a file some time after it has accepted it


def deliver_next(services: Services, cards: Mapping[Card, Show] = CARDS) -> bool:
    """Bring one message up to date. Returns False if nothing is due that Slack's rate limits allow now, or another
    worker delivers."""
    due = leased(services, _claim, Posting)
    if due is None:
        return False
    try:
        ts = cards[due.card](services, due)
    except (SlackApiError, *CONNECTION, NotFound) as error:  # NotFound: the queue has left the policy
        _fail(services, due, sorted_failure(error))
        return True
    except (DatabaseUnavailable, Interrupted):  # the row cannot be read, or a chart not drawn, as the worker ends:
        # nothing was said, and it need not wait until the lease ends
        services.database.retry_until_committed(
            lambda session: outbox.release(session, due.id, still_unsure=due.maybe_posted)
        )
        return True
    except Exception as error:  # noqa: BLE001 - a fault of ours, in this row; it is logged, and the others go on
        _fail(services, due, unexpected_failure(error, f"the {due.card} card", due.attempts))
        return True
    services.budget.heard()
    services.database.retry_until_committed(lambda session: _note_shown(session, due, ts, services.clock()))
    return True


def deliver_next_notice(services: Services) -> bool:
    """Deliver one notice. Returns False if none is due, or another worker delivers."""
    due = leased(services, _claim_notice, Notice)
    if due is None:
        return False
    try:
        sender.say(services, due)
    except (SlackApiError, *CONNECTION) as error:
        _fail_notice(services, due, sorted_failure(error))
        return True
    except PersonGoneError:
        log.info("Notice given up: its recipient has left", extra={"notice": due.id, "kind": due.kind})
        services.database.retry_until_committed(lambda session: notices.give_up(session, due.id, services.clock()))
        return True
    except Exception as error:  # noqa: BLE001 - as above
        _fail_notice(services, due, unexpected_failure(error, f"the {due.kind} notice", due.attempts))
        return True
    services.budget.heard()
    services.database.retry_until_committed(lambda session: _note_delivered(session, due, services.clock()))
    return True


def stop_delivering(services: Services) -> bool:
    """Release the lease on delivery, so that another worker can deliver at once. Always returns False: nothing is left
    to do."""
    with services.database.transaction(wait=ENDING) as session:
        leases.relinquish(session, DELIVERY, services.process)
    return False


def leased(
    services: Services, claim: Callable[[Session, Services], Taken | None], record: type[Posting] | type[Notice]
) -> Taken | None:
    """The row that `claim` leases; None if another process delivers. If it is unknown whether the claim was committed,
    all leases of this process on such records are released, because only this function leases them."""
    if services.budget.is_silent():
        return None
    try:
        return services.database.write_if_needed(lambda session: claim(session, services))
    except CommitOutcomeUnknown:
        services.database.retry_until_committed(lambda session: leases.release_all(session, record, services.process))
        return None


def may_deliver(session: Session, services: Services) -> bool:
    """Take the lease on delivery if it is free, or renew it if this process has it."""
    outcome = leases.acquire(session, DELIVERY, services.process, services.clock(), is_gone)
    if outcome is Outcome.ACQUIRED:
        services.budget.begin(services.policy.channels)
    return outcome is not Outcome.TAKEN


def _claim(session: Session, services: Services) -> Due | None:
    budget = services.budget
    if not outbox.is_waiting(session) or not may_deliver(session, services):
        return None
    return outbox.claim_next(
        session,
        services.process,
        services.clock(),
        may_update=budget.may_update(),
        may_update_open=budget.may_update_open(),
        full_channels=budget.full_channels(),
    )


def _claim_notice(session: Session, services: Services) -> DueNotice | None:
    if not notices.is_waiting(session) or not may_deliver(session, services):
        return None
    return notices.claim_next(session, services.process, services.clock(), services.budget.full_channels())


def _note_shown(session: Session, due: Due, ts: str | None, now: datetime) -> None:
    outbox.mark_delivered(session, due.id, due.version, ts, now)
    incidents.resolve(session, due.channel, now, by_post=due.ts is None)


def _note_delivered(session: Session, due: DueNotice, now: datetime) -> None:
    notices.mark_delivered(session, due.id, now)
    if due.person is None:
        incidents.resolve(session, due.channel, now, by_post=True)


def _fail(services: Services, due: Due, failure: Failure) -> None:
    if failure.retry_after is not None:
        if due.ts is None:
            services.budget.refused_post(due.channel, failure.retry_after)
        else:
            services.budget.refused_update(failure.retry_after)
    log_failure(failure, {"posting": due.id, "card": due.card.value})
    permanent = failure.reason if failure.permanent else ""
    pause = FILE_APPEARS if due.card in (Card.CHART, Card.DRIFT_CHART) and failure.unknown else failure.retry_after
    with services.database.transaction(wait=PATIENT) as session:
        if _held_up(session, services, due.channel, failure, is_post=due.ts is None):
            outbox.release(session, due.id, still_unsure=failure.unknown)
            return
        outbox.mark_failed(
            session,
            due.id,
            services.clock(),
            outcome_unknown=failure.unknown,
            forget_ts=failure.gone,
            retry_after=pause,
            permanent=permanent,
        )
        if permanent:
            incidents.open_incident(session, due.channel, permanent, services.clock())


def _fail_notice(services: Services, due: DueNotice, failure: Failure) -> None:
    if failure.retry_after is not None:
        services.budget.refused_post(due.channel, failure.retry_after)
    log_failure(failure, {"notice": due.id})
    with services.database.transaction(wait=PATIENT) as session:
        if _held_up(session, services, due.channel, failure, is_post=True):
            notices.release(session, due.id, still_unsure=failure.unknown)
            return
        permanent = failure.reason if failure.permanent else ""
        if permanent:
            incidents.open_incident(session, due.channel, permanent, services.clock())
        notices.mark_failed(
            session, due.id, services.clock(), failure.retry_after, permanent, outcome_unknown=failure.unknown
        )


def _held_up(session: Session, services: Services, channel: str, failure: Failure, is_post: bool) -> bool:
    """Whether the cause lies outside the message. If so, the whole channel waits, or all messages of this process. A
    process whose token is refused lets another process deliver, which may have a valid token."""
    if failure.of_token:
        services.budget.refused_token()
        incidents.hold_channel(session, incidents.EVERYWHERE, failure.reason, services.clock(), posts_only=False)
        leases.relinquish(session, DELIVERY, services.process)
    elif failure.of_channel:
        incidents.hold_channel(session, channel, failure.reason, services.clock(), posts_only=is_post)
    return failure.of_token or failure.of_channel


def unexpected_failure(error: Exception, where: str, attempts: int) -> Failure:
    """The failure for an error that is neither Slack's nor the connection's: the row is given up after some attempts.
    It is unknown whether Slack has accepted the message. attempts: the number of earlier failures."""
    reason = f"{type(error).__name__} in {where}"
    log.warning(reason, exc_info=error)
    return Failure(reason, permanent=attempts + 1 >= MOST_ATTEMPTS, unknown=True)


def log_failure(failure: Failure, extra: dict[str, object]) -> None:
    """Log a failure: as an error if people have to act, at debug level if one message only waits for another."""
    serious = failure.permanent or failure.of_token or failure.of_channel
    level = logging.ERROR if serious else logging.DEBUG if failure.early else logging.INFO
    log.log(level, "Message not delivered", extra={**extra, "reason": failure.reason, "detail": failure.detail})
