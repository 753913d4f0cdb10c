"""Events are rows of the transaction that caused them; deliveries are retried until they are accepted or dead."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.delivery.webhook_log import endpoint_lines, last_attempts
from core.delivery.webhooks import (
    MOST_ATTEMPTS,
    PAUSES,
    SILENCE,
    Attempted,
    DueEvent,
    address,
    claim_next_delivery,
    is_waiting,
    note_attempt,
    publish,
    replay,
)
from core.learning.lifecycle.decisions import approve, reject
from core.learning.lifecycle.rollback import rollback
from core.policy.integrations import WebhookEndpoint
from core.records.webhooks import Event, EventDelivery
from core.storage import leases
from core.storage.leases import LEASE
from core.vocabulary import OPERATOR, DeliveryState, EventKind
from tests.core.desk import BILLING, NOW, REFUND, Desk
from tests.core.models import candidate, promoted, seeded
from tests.people import ANA, BEN, CLEO

HELPDESK = WebhookEndpoint(name="helpdesk", url="https://helpdesk.example/")
MODELS = WebhookEndpoint(name="models", url="https://ml.example/", events=(EventKind.MODEL_PROMOTED,))
OTHERS = WebhookEndpoint(name="others", url="https://other.example/", queues=("scans",))
SECOND = timedelta(seconds=1)
REFUSED = Attempted(500, "500 Internal Server Error", 3)
HEARD = Attempted(204, "204 No Content", 3, delivered=True)
NO_ANSWER = Attempted(None, "no answer (ConnectError)", 3)


def events(desk: Desk) -> list[tuple[EventKind, dict[str, Any]]]:
    with desk.database.reading() as session:
        return [(event.kind, event.data) for event in session.scalars(select(Event).order_by(Event.id))]


def said(desk: Desk, cause_id: int = 1, kind: EventKind = EventKind.ITEM_SETTLED) -> None:
    queue_id = desk.queue().id
    with desk.database.transaction() as session:
        publish(session, kind, cause_id, queue_id, {"item_id": cause_id}, NOW)


def claimed(desk: Desk, now: datetime = NOW, *endpoints: WebhookEndpoint) -> DueEvent | None:
    with desk.database.transaction() as session:
        address(session, endpoints or (HELPDESK,), now)
        return claim_next_delivery(session, endpoints or (HELPDESK,), "worker", now)


def tried(desk: Desk, attempt: Attempted, now: datetime) -> None:
    due = claimed(desk, now)
    assert due is not None, now
    with desk.database.transaction() as session:
        note_attempt(session, due.delivery_id, attempt, now)


def test_a_settled_item_is_an_event_and_holds_no_text(desk: Desk) -> None:
    item_id = desk.settled(ANA, BEN, answer=BILLING, text="my card was charged", external_id="T-1")
    [(kind, data)] = events(desk)
    assert kind is EventKind.ITEM_SETTLED
    assert data["settled_at"] == NOW.isoformat()
    assert {name: data[name] for name in ("item_id", "external_id", "model_label", "label", "model_was_right")} == {
        "item_id": item_id,
        "external_id": "T-1",
        "model_label": REFUND,
        "label": BILLING,
        "model_was_right": False,
    }
    assert "charged" not in str(data)


@pytest.mark.usefixtures("sqlite_only")
def test_a_vote_that_settles_nothing_is_none(desk: Desk) -> None:
    desk.click(ANA, desk.ticket(), REFUND)
    assert events(desk) == []


@pytest.mark.slow
def test_promotions_and_roll_backs_are_events_and_rejections_none(desk: Desk) -> None:
    promoted(seeded(desk))
    second = candidate(desk)
    third = None
    with desk.database.transaction() as session:
        assert approve(session, second, CLEO, 1, NOW, desk.policy)
    third = candidate(desk)
    with desk.database.transaction() as session:
        reject(session, third, CLEO, NOW, desk.policy)
    queue = desk.queue()
    with desk.database.transaction() as session:
        rollback(session, queue, OPERATOR, "", NOW, desk.rules)
    assert [(kind, data["model"], data["former_model"]) for kind, data in events(desk)] == [
        (EventKind.MODEL_PROMOTED, "v1", None),
        (EventKind.MODEL_PROMOTED, "v2", "v1"),
        (EventKind.MODEL_ROLLED_BACK, "v1", "v2"),
    ]


@pytest.mark.usefixtures("sqlite_only")
def test_what_did_not_happen_is_no_event(desk: Desk) -> None:
    queue_id = desk.queue().id

    def announce_and_break() -> None:
        with desk.database.transaction() as session:
            publish(session, EventKind.ITEM_SETTLED, 1, queue_id, {}, NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        announce_and_break()
    assert events(desk) == []


def test_an_event_is_said_once_to_each_endpoint_that_wants_it(desk: Desk) -> None:
    for _ in range(2):
        said(desk)
    said(desk, kind=EventKind.MODEL_PROMOTED)
    endpoints = (HELPDESK, MODELS, OTHERS)
    got = [claimed(desk, NOW, *endpoints) for _ in range(4)]
    assert [(due.endpoint, due.kind) for due in got if due] == [
        ("helpdesk", EventKind.ITEM_SETTLED),
        ("helpdesk", EventKind.MODEL_PROMOTED),
        ("models", EventKind.MODEL_PROMOTED),
    ]


@pytest.mark.usefixtures("sqlite_only")
def test_an_endpoint_that_comes_later_hears_of_what_comes_later(desk: Desk) -> None:
    said(desk)
    with desk.database.transaction() as session:
        address(session, (), NOW)
    said(desk, 2)
    due = claimed(desk)
    assert due is not None
    assert (due.data, claimed(desk)) == ({"item_id": 2}, None)


def test_a_claim_that_is_never_answered_is_free_again(desk: Desk) -> None:
    said(desk)
    first = claimed(desk)
    assert claimed(desk, NOW + LEASE) is None
    assert claimed(desk, NOW + LEASE + SECOND) == first


@pytest.mark.parametrize(("gone", "free"), [("worker", True), ("another", False)])
def test_what_a_dead_worker_had_claimed_is_free_at_once(desk: Desk, gone: str, free: bool) -> None:
    said(desk)
    claimed(desk)
    with desk.database.transaction() as session:
        leases.release_dead(session, EventDelivery, lambda name: name == gone)
    assert (claimed(desk) is not None) is free


def test_it_is_tried_with_growing_pauses_and_then_dead(desk: Desk) -> None:
    said(desk)
    moment = NOW
    for pause in PAUSES:
        tried(desk, REFUSED, moment)
        assert claimed(desk, moment + pause - SECOND) is None
        moment += pause
    tried(desk, REFUSED, moment)
    with desk.database.reading() as session:
        [line] = endpoint_lines(session)
        assert (line.dead, is_waiting(session, (HELPDESK,), moment + timedelta(days=9))) == (1, False)
        log = last_attempts(session, 100)
    assert len(log) == MOST_ATTEMPTS
    assert {(line.status, line.outcome, line.state) for line in log} == {(500, REFUSED.outcome, DeliveryState.DEAD)}


def test_what_is_dead_or_was_delivered_can_be_sent_again(desk: Desk) -> None:
    said(desk)
    said(desk, 2)
    tried(desk, Attempted(410, "410 Gone", 3, give_up=True), NOW)
    tried(desk, HEARD, NOW)
    with desk.database.transaction() as session:
        assert replay(session, "other", None, NOW) == 0
        assert replay(session, "helpdesk", None, NOW) == 1
    tried(desk, HEARD, NOW)
    with desk.database.transaction() as session:
        assert replay(session, None, 2, NOW) == 1
    tried(desk, HEARD, NOW)
    with desk.database.reading() as session:
        [line] = endpoint_lines(session)
    assert (line.pending, line.delivered, line.dead, line.oldest_pending) == (0, 2, 0, None)


def test_who_does_not_answer_is_left_alone_for_a_while(desk: Desk) -> None:
    said(desk)
    said(desk, 2)
    tried(desk, NO_ANSWER, NOW)
    assert claimed(desk, NOW + SILENCE - SECOND) is None
    assert claimed(desk, NOW + SILENCE) is not None
    with desk.database.reading() as session:
        [line] = endpoint_lines(session)
    assert (line.pending, line.oldest_pending) == (2, NOW)


@pytest.mark.usefixtures("sqlite_only")
def test_an_endpoint_may_ask_for_a_longer_pause(desk: Desk) -> None:
    said(desk)
    tried(desk, Attempted(429, "429 Too Many Requests", 3, retry_after=900), NOW)
    assert claimed(desk, NOW + timedelta(seconds=899)) is None
    assert claimed(desk, NOW + timedelta(seconds=900)) is not None


def test_an_event_that_cannot_be_sent_is_given_up_soon_and_silences_no_endpoint(desk: Desk) -> None:
    ours = Attempted(None, "TypeError in sending it", 0, is_ours=True)
    said(desk, 1)
    said(desk, 2)
    tried(desk, ours, NOW)
    tried(desk, HEARD, NOW)
    later = timedelta(hours=1)
    for attempt in range(1, leases.MOST_ATTEMPTS):
        tried(desk, ours, NOW + attempt * later)
    assert claimed(desk, NOW + timedelta(days=2)) is None
    with desk.database.reading() as session:
        found = session.scalars(select(EventDelivery).order_by(EventDelivery.id)).all()
    assert [(one.state, one.failure_reason) for one in found] == [
        (DeliveryState.DEAD, "TypeError in sending it"),
        (DeliveryState.DELIVERED, ""),
    ]
