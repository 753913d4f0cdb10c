"""From the outbox to Slack: take a posting, draw its row as it is now, say it, note that it is shown.

Three steps, two short transactions with Slack's call between them. A crash between Slack's answer and the second one
would post twice; so a first post carries the posting's id as metadata, and one whose outcome is unknown is looked for
in the channel's history before it is posted again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.slack.blocks import Message
from bot.slack.chart import alt_text, draw_report
from bot.slack.views import candidate, review_item, run
from bot.wiring import Services
from core.database import PATIENT
from core.delivery import outbox
from core.delivery.outbox import Due, DueNotice
from core.errors import NotFound
from core.learning.cards import candidate_card, run_card
from core.policy import Policy
from core.review.cards import item_card
from core.vocabulary import Audience, Card

log = logging.getLogger(__name__)

EVENT_TYPE = "goldloop_posting"
HISTORY = 100  # messages looked through for a post whose outcome is unknown

# What trying again cannot mend: the channel, the token, or a message of ours that Slack does not take.
CHANNEL_REASONS = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "no_permission",
        "posting_to_channel_denied",
        "restricted_action",
        "restricted_action_read_only_channel",
    }
)
ACCESS = "token_revoked account_inactive invalid_auth not_authed missing_scope"
OURS = "invalid_blocks invalid_blocks_format msg_too_long msg_blocks_too_long metadata_too_large no_text"
PERMANENT = CHANNEL_REASONS | frozenset(f"{ACCESS} {OURS}".split())
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


def _item(session: Session, subject: int, policy: Policy) -> Message:
    return review_item.render(item_card(session, subject, policy))


def _run(session: Session, subject: int, policy: Policy) -> Message:
    return run.render(run_card(session, subject, policy))


def _candidate(session: Session, subject: int, policy: Policy) -> Message:
    return candidate.render(candidate_card(session, subject, policy))


DRAW: dict[Card, Callable[[Session, int, Policy], Message]] = {
    Card.REVIEW_ITEM: _item,
    Card.RUN: _run,
    Card.CANDIDATE: _candidate,
}  # every card but the chart, which is a file


@dataclass(frozen=True)
class _Failure:
    """What went wrong, sorted by what to do about it."""

    reason: str
    retry_after: float | None = None
    permanent: bool = False
    gone: bool = False
    unknown: bool = False


def deliver_next(services: Services) -> bool:
    """Bring one message up to date. False: nothing is due that Slack's rates allow now."""
    budget = services.budget
    with services.database.transaction(wait=PATIENT) as session:
        due = outbox.claim_next(
            session,
            services.process,
            services.clock(),
            may_update=budget.may_update(),
            may_update_open=budget.may_update_open(),
            full_channels=budget.full_channels(),
        )
    if due is None:
        return False
    try:
        ts = _show_chart(services, due) if due.card is Card.CHART else _show(services, due)
    except SlackApiError as error:
        _fail(services, due, _sorted(error))
    except OSError as error:  # the connection, a time-out, an answer that broke off
        _fail(services, due, _Failure(type(error).__name__, unknown=True))
    except NotFound as gone:  # its queue is not in the policy any more
        _fail(services, due, _Failure(str(gone), permanent=True))
    else:
        with services.database.transaction(wait=PATIENT) as session:
            outbox.mark_shown(session, due.id, due.version, ts, services.clock())
    return True


def deliver_next_notice(services: Services) -> bool:
    """Say one notice. False: none is due."""
    with services.database.transaction(wait=PATIENT) as session:
        due = outbox.claim_next_notice(session, services.process, services.clock(), services.budget.full_channels())
    if due is None:
        return False
    failure = None
    try:
        _say(services, due)
    except SlackApiError as error:
        failure = _sorted(error)
    except OSError as error:
        failure = _Failure(type(error).__name__)
    with services.database.transaction(wait=PATIENT) as session:
        if failure is None:
            outbox.mark_delivered(session, due.id, services.clock())
        else:
            outbox.mark_notice_failed(
                session, due.id, services.clock(), failure.retry_after, failure.reason if failure.permanent else ""
            )
    return True


def _show(services: Services, due: Due) -> str | None:
    with services.database.reading() as session:
        drawn = DRAW[due.card](session, due.subject_id, services.policy)
    if due.ts is not None:
        services.budget.spend_update()
        services.slack.chat_update(channel=due.channel, ts=due.ts, text=drawn.text, blocks=drawn.blocks)
        return due.ts
    found = _already_posted(services, due) if due.maybe_posted else None
    if found is not None:
        services.budget.spend_update()
        services.slack.chat_update(channel=due.channel, ts=found, text=drawn.text, blocks=drawn.blocks)
        return found
    services.budget.spend_post(due.channel)
    answer = services.slack.chat_postMessage(
        channel=due.channel,
        text=drawn.text,
        blocks=drawn.blocks,
        metadata={"event_type": EVENT_TYPE, "event_payload": {"posting": due.id}},
        unfurl_links=False,
        unfurl_media=False,
    )
    return str(answer["ts"])


def _show_chart(services: Services, due: Due) -> str | None:
    """The report's chart goes into the thread of its card, once; it waits until the card is posted."""
    with services.database.reading() as session:
        where = outbox.coordinates(session, Card.CANDIDATE, due.subject_id, Audience.LEADS)
        card = candidate_card(session, due.subject_id, services.policy)
    if where is None:
        raise CardNotPostedError
    services.budget.spend_post(due.channel)
    channel, ts = where
    services.slack.files_upload_v2(
        channel=channel,
        thread_ts=ts,
        filename=f"{card.name}.png",
        title=f"{card.queue_title} {card.name} on the golden set",
        content=draw_report(card.scorecard, f"{card.queue_title}: {card.name}"),
        alt_txt=alt_text(card.scorecard),
    )
    return None


class CardNotPostedError(OSError):
    """The chart's card has not been posted yet; try again soon."""


def _already_posted(services: Services, due: Due) -> str | None:
    """The ts of the message that an earlier attempt posted without hearing the answer."""
    page = services.slack.conversations_history(channel=due.channel, limit=HISTORY, include_all_metadata=True)
    for found in page["messages"]:
        metadata = found.get("metadata") or {}
        if metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload", {}).get("posting") == due.id:
            return str(found["ts"])
    return None


def _say(services: Services, due: DueNotice) -> None:
    if due.person is None:
        services.budget.spend_post(due.channel)
        services.slack.chat_postMessage(channel=due.channel, text=due.words)
        return
    try:
        services.slack.chat_postEphemeral(channel=due.channel, user=due.person, text=due.words)
    except SlackApiError as error:
        if error.response.get("error") != "user_not_in_channel":
            raise
        services.slack.chat_postMessage(channel=due.person, text=due.words)  # they only peeked in: a direct message


def _sorted(error: SlackApiError) -> _Failure:
    response = error.response
    reason = str(response.get("error") or f"http_{response.status_code}")
    if response.status_code == 429 or reason in ("ratelimited", "rate_limited"):
        return _Failure(reason, retry_after=float(response.headers.get("Retry-After", 1)))
    unknown = response.status_code >= 500 or reason in ("internal_error", "fatal_error", "request_timeout")
    return _Failure(reason, permanent=reason in PERMANENT, gone=reason in GONE, unknown=unknown)


def _fail(services: Services, due: Due, failure: _Failure) -> None:
    if failure.retry_after is not None:
        if due.ts is None:
            services.budget.refused_post(due.channel, failure.retry_after)
        else:
            services.budget.refused_update(failure.retry_after)
    log.log(
        logging.ERROR if failure.permanent else logging.INFO,
        "a message was not delivered",
        extra={"posting": due.id, "card": due.card.value, "reason": failure.reason},
    )
    with services.database.transaction(wait=PATIENT) as session:
        outbox.mark_failed(
            session,
            due.id,
            services.clock(),
            outcome_unknown=failure.unknown,
            forget_ts=failure.gone,
            retry_after=failure.retry_after,
            permanent=failure.reason if failure.permanent else "",
        )
