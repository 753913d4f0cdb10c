"""The sender of cards, charts and notices. Cards are drawn from the present state of their rows. If the outcome of an
earlier attempt is unknown, the message is searched for before it is sent again."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.runtime.services import Services
from bot.slack.blocks import Message
from bot.slack.delivery import deduplication
from bot.slack.delivery.charts import ReportFiles, draw_drift_file, draw_files
from bot.slack.delivery.pictures import require_all_shown
from bot.slack.errors import Kind, NotYetError, PersonGoneError, UnsureError, kind_of
from bot.slack.views import candidate, drift, notice, review_item, run, scan, synthetic
from core.delivery import outbox
from core.delivery.card_refs import CardRef
from core.delivery.notices import DueNotice
from core.delivery.outbox import Due
from core.discovery.cards import scan_card
from core.intake.drift_card import drift_card
from core.intake.promise_days import promise_days
from core.jobs import unheard
from core.learning.lifecycle.cards import candidate_card, run_card
from core.learning.lifecycle.effort import learning_curve
from core.learning.lifecycle.production import production_estimate
from core.offers.table import offers_for
from core.offers.targets import target_of_alarm
from core.pictures.stored import golden_pictures
from core.policy import Policy
from core.records.drift import DriftAlarm
from core.records.learning import ModelVersion
from core.records.queues import Queue
from core.review.cards import ItemCard, item_card
from core.storage.database import PATIENT
from core.storage.leases import MOST_ATTEMPTS
from core.synthesis.cards import batch_card
from core.vocabulary import Card, RecipientKind

MOST_SHOWN = 12  # the most newly wrong golden examples whose pictures are shown
POSTING, NOTICE = "goldloop_posting", "goldloop_notice"  # types of metadata, by which a message is found again


Draw = Callable[[Session, int, Policy], Message]
Show = Callable[[Services, Due], str | None]
"""Posts or redraws the message of a posting. Returns its ts; None for a chart, for a file has none. Raises what Slack
or the connection says (`sorted_failure` knows it), NotFound if its queue is not in the policy any more."""


def say(services: Services, due: DueNotice) -> None:
    """Send a notice: to the whole channel, to one person in it, or as a direct message if the channel is a person.
    Raises as `Show` does, and PersonGoneError."""
    text = notice.render(due.kind, due.values, services.workspace)
    if due.person is None:
        _say_to_channel(services, due, text)
        return
    if due.channel == due.person:
        _say_directly(services, due.person, text)
        return
    try:
        services.slack.chat_postEphemeral(channel=due.channel, user=due.person, text=text)
    except SlackApiError as error:
        if error.response.get("error") != "user_not_in_channel":
            raise
        _say_directly(services, due.person, text)  # the person only previewed the channel, or has left it


def _say_directly(services: Services, person: str, text: str) -> None:
    """Send a direct message. If Slack has no channel with this person, other channels are not held up."""
    try:
        services.slack.chat_postMessage(channel=person, text=text)
    except SlackApiError as error:
        if kind_of(str(error.response.get("error"))) in (Kind.CHANNEL, Kind.PERSON):
            raise PersonGoneError(person) from error
        raise


def _say_to_channel(services: Services, due: DueNotice, text: str) -> None:
    """Send to a channel. A message that only one person sees cannot be searched for: it is rather sent twice than
    never."""
    carried = {"notice": str(CardRef.of(due.id, due.since))}  # before a restore, another notice may have had this id
    if due.maybe_said and deduplication.message_ts(services.slack, due.channel, NOTICE, carried, due.since):
        return
    services.budget.spend_post(due.channel)
    metadata = {"event_type": NOTICE, "event_payload": carried}
    services.slack.chat_postMessage(
        channel=due.channel, text=text, metadata=metadata, unfurl_links=False, unfurl_media=False
    )


def _run(session: Session, subject: int, policy: Policy) -> Message:
    return run.render(run_card(session, subject, policy))


def _candidate(session: Session, subject: int, policy: Policy) -> Message:
    return candidate.render(candidate_card(session, subject, policy))


def _drift(session: Session, subject: int, policy: Policy) -> Message:
    card = drift_card(session, subject, policy)
    alarm = session.get_one(DriftAlarm, subject)
    offered = offers_for(session, target_of_alarm(session, alarm), policy.queue(card.queue), alarm.created_at)
    return drift.render(card, offered)


def _scan(session: Session, subject: int, policy: Policy) -> Message:
    return scan.render(scan_card(session, subject, policy))


def _synthetic(session: Session, subject: int, policy: Policy) -> Message:
    return synthetic.render(batch_card(session, subject, policy))


def _item(session: Session, subject: int, policy: Policy) -> Message:
    return review_item.render(item_card(session, subject, policy))


def show_drawn(draw: Draw, services: Services, due: Due) -> str:
    """Post or update a card that `draw` draws; with `draw` given, it is a `Show`."""
    with services.database.reading(wait=PATIENT) as session:
        drawn = draw(session, due.subject_id, services.in_force.read(session))
    return _posted(services, due, drawn)


def _posted(services: Services, due: Due, drawn: Message) -> str:
    carried = {"posting": due.id}
    channel, ts = _channel(services, due), due.ts
    if due.maybe_posted:
        ts = deduplication.message_ts(services.slack, channel, POSTING, carried, due.since)
    if ts is not None:
        services.budget.spend_update()
        services.slack.chat_update(channel=channel, ts=ts, text=drawn.text, blocks=drawn.blocks)
        return ts
    services.budget.spend_post(due.channel)
    answer = services.slack.chat_postMessage(
        channel=channel,
        text=drawn.text,
        blocks=drawn.blocks,
        metadata={"event_type": POSTING, "event_payload": carried},
        unfurl_links=False,
        unfurl_media=False,
    )
    return str(answer["ts"])


def _show_item(services: Services, due: Due) -> str:
    """Show an item's card. A card with pictures waits until Slack can show all of them."""
    card = _loaded_item(services, due)
    if not all(picture.ready for picture in card.pictures):
        require_all_shown(services, card.pictures, partial(review_item.picture_words, card))
        card = _loaded_item(services, due)
    return _posted(services, due, review_item.render(card))


def _loaded_item(services: Services, due: Due) -> ItemCard:
    with services.database.reading(wait=PATIENT) as session:
        return item_card(session, due.subject_id, services.in_force.read(session))


def _channel(services: Services, due: Due) -> str:
    """The channel to post to. Direct messages with a person have a channel of their own: without its id, no message
    there can be updated."""
    if due.recipient.kind is RecipientKind.CHANNEL:
        return due.channel
    opened: dict[str, Any] = services.slack.conversations_open(users=due.recipient.id)["channel"]
    return str(opened["id"])


def _show_run(services: Services, due: Due) -> str | None:
    """Show a run's card. It is deleted once the report is posted, which contains the same. It waits for the report, but
    not for ever: the report may be delayed."""
    with services.database.reading(wait=PATIENT) as session:
        card = run_card(session, due.subject_id, services.in_force.read(session))
        is_there = card.model_id and outbox.coordinates(session, Card.CANDIDATE, card.model_id, due.recipient)
    if card.model_id is None:
        return show_drawn(_run, services, due)
    if is_there:
        return _removed(services, due)
    if due.attempts + 1 < MOST_ATTEMPTS:
        raise NotYetError("its report is not posted yet")
    return show_drawn(_run, services, due)


def _removed(services: Services, due: Due) -> str | None:
    """Delete the message; one that is gone, or was never posted, counts as deleted. If the workspace allows no
    deletion, the message is updated."""
    ts = due.ts
    if due.maybe_posted:
        ts = deduplication.message_ts(services.slack, due.channel, POSTING, {"posting": due.id}, due.since)
    if ts is None:
        return None
    try:
        services.slack.chat_delete(channel=due.channel, ts=ts)
    except SlackApiError as error:
        kind = kind_of(str(error.response.get("error")))
        if kind is Kind.OTHER:
            return show_drawn(_run, services, due)
        if kind is not Kind.GONE:
            raise
    return ts


def _show_chart(services: Services, due: Due) -> str | None:
    """Post the report's chart in the thread of its card, once, with the charts of all models so far and of the queue's
    promise; it waits until the card is posted. A file has no ts. Slack shows a file some time after it has accepted it.
    So if the chart was perhaps sent and no failure was stored since, as after a crash, it is searched for twice, with a
    pause between."""
    with services.database.reading(wait=PATIENT) as session:
        where = outbox.coordinates(session, Card.CANDIDATE, due.subject_id, due.recipient)
        drawn = _report_files(session, due.subject_id, services)
    if where is None:
        raise NotYetError("its card is not posted yet")
    channel, ts = where
    if _is_there(services, due, channel, ts, drawn.filename):
        return None
    files = services.execute(draw_files, drawn, report=unheard)
    services.budget.spend_post(due.channel)
    services.slack.files_upload_v2(channel=channel, thread_ts=ts, file_uploads=files)  # in one message: all or none
    return None


def _report_files(session: Session, model_id: int, services: Services) -> ReportFiles:
    policy = services.in_force.read(session)
    card = candidate_card(session, model_id, policy)
    queue_id = session.get_one(ModelVersion, model_id).queue_id
    shown = [flip.id for flip in card.scorecard.negative_flips[:MOST_SHOWN]]
    return ReportFiles(
        card.name,
        card.queue_title,
        card.scorecard,
        learning_curve(session, queue_id),
        production_estimate(session, queue_id),
        promise_days(session, policy.queue(session.get_one(Queue, queue_id).name), services.clock()),
        golden_pictures(session, queue_id, shown),
    )


def _show_drift_chart(services: Services, due: Due) -> str | None:
    """Post an alarm's chart in the thread of its card, once, as for a report."""
    with services.database.reading(wait=PATIENT) as session:
        where = outbox.coordinates(session, Card.DRIFT, due.subject_id, due.recipient)
        card = drift_card(session, due.subject_id, services.in_force.read(session))
    if where is None:
        raise NotYetError("its card is not posted yet")
    name = f"drift-{due.subject_id}.png"
    if _is_there(services, due, *where, name):
        return None
    files = services.execute(draw_drift_file, card, name, report=unheard)
    services.budget.spend_post(due.channel)
    services.slack.files_upload_v2(channel=where[0], thread_ts=where[1], file_uploads=files)
    return None


def _is_there(services: Services, due: Due, channel: str, ts: str, name: str) -> bool:
    """Whether an earlier attempt has sent the file. Raises UnsureError the first time that it is not found."""
    if not due.maybe_posted:
        return False
    found = deduplication.has_file(services.slack, channel, ts, name)
    if not found and due.attempts == 0:
        raise UnsureError(TimeoutError("it may appear yet"))
    return found


# Every card is in one of the two tables; if it is in both, the second one shows it. Checked at start.
DRAWN: Mapping[Card, Draw] = {
    Card.REVIEW_ITEM: _item,
    Card.RUN: _run,
    Card.CANDIDATE: _candidate,
    Card.DRIFT: _drift,
    Card.SCAN: _scan,
    Card.SYNTHETIC: _synthetic,
}
SHOWN_OTHERWISE: Mapping[Card, Show] = {
    Card.REVIEW_ITEM: _show_item,
    Card.RUN: _show_run,
    Card.CHART: _show_chart,
    Card.DRIFT_CHART: _show_drift_chart,
}
CARDS: Mapping[Card, Show] = {**{card: partial(show_drawn, draw) for card, draw in DRAWN.items()}, **SHOWN_OTHERWISE}
