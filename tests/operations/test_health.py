"""Health and metrics of a running process over real HTTP: ready or not, and why."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text, update

from bot.observability.liveness import Liveness, SocketState
from bot.observability.metrics import count_refusals
from bot.runtime.clock import utc_now
from bot.server.app import create_listener
from bot.server.listener import listening
from bot.slack.inbound.payload_schema import parse
from bot.slack.inbound.requests import kind_of, subject_of
from core.delivery import incidents, outbox
from core.delivery.recipients import leads_of
from core.queues import queue_named
from core.records.delivery import Posting
from core.storage.database import PATIENT, Database
from core.vocabulary import Card
from tests.core.desk import opened
from tests.core.models import promoted, seeded
from tests.flows.conftest import StartLoop
from tests.loop import Loop
from tests.people import LEADS, support_policy

pytestmark = pytest.mark.slow  # most start a Goldloop


class Watched:
    """A running loop, its signs of life (by a clock that we turn), and what its listener answers."""

    def __init__(self, loop: Loop, port: int) -> None:
        self.loop, self.now = loop, 0.0
        self.liveness = Liveness(lambda: self.now)
        self.address = f"http://127.0.0.1:{port}"

    def ready(self) -> tuple[int, dict[str, Any]]:
        answer = httpx.get(f"{self.address}/health/ready")
        return answer.status_code, answer.json()

    def metrics(self) -> dict[tuple[str, ...], float]:
        """By name and the values of the labels."""
        page = httpx.get(f"{self.address}/metrics").text
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
        return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


@pytest.fixture
def watched(start_loop: StartLoop, unused_port: int) -> Iterator[Watched]:
    made = Watched(start_loop(), unused_port)
    with listening(create_listener(made.loop.services, made.liveness), "127.0.0.1", unused_port):
        yield made


def test_a_process_is_ready_while_everything_it_needs_is_there(watched: Watched) -> None:
    for path in ("/health", "/health/live"):
        assert httpx.get(watched.address + path).json() == {"status": "ok"}
    status, body = watched.ready()
    assert (status, body["ready"]) == (200, True)
    assert set(body) == {"ready", "database", "delivery"}  # no socket and no worker of its own
    watched.liveness.works = True
    assert watched.ready()[0] == 503, "a worker that never looked for work"
    watched.liveness.ticked("deliver")
    watched.liveness.socket = lambda: SocketState(True, 3.0)
    assert watched.ready()[0] == 200


@pytest.mark.usefixtures("sqlite_only")
def test_a_clock_that_stands_still_or_a_deaf_socket_makes_it_unready(watched: Watched) -> None:
    watched.liveness.works = True
    watched.liveness.ticked("deliver")
    watched.now = 31
    status, body = watched.ready()
    assert (status, body["scheduler"]) == (503, {"ok": False, "tick_age_seconds": 31.0})
    watched.liveness.ticked("notices")
    for state in (SocketState(False, 1.0), SocketState(True, 61.0)):
        watched.liveness.socket = partial(SocketState, state.connected, state.ping_age)
        assert watched.ready()[1]["socket"]["ok"] is False
    assert httpx.get(f"{watched.address}/health/live").status_code == 200


@pytest.mark.usefixtures("sqlite_only")
def test_waiting_messages_are_reported_and_leave_the_process_ready(watched: Watched) -> None:
    with watched.loop.database.transaction() as session:
        queue = queue_named(session, "support")
        outbox.show(session, Card.RUN, 99, leads_of(queue), queue, utc_now() - timedelta(minutes=10))
        session.execute(update(Posting).values(next_attempt_at=utc_now() + timedelta(hours=1)))
    status, body = watched.ready()
    assert status == 200
    assert body["delivery"]["ok"] is False
    assert body["delivery"]["waiting"] == 1
    assert body["delivery"]["oldest_seconds"] >= 600


@pytest.mark.usefixtures("sqlite_only")
def test_a_channel_that_takes_nothing_is_named_and_leaves_the_process_ready(watched: Watched) -> None:
    with watched.loop.database.transaction() as session:
        incidents.hold_channel(session, LEADS, "not_in_channel", utc_now(), posts_only=True)
        queue = queue_named(session, "support")
        outbox.show(session, Card.RUN, 99, leads_of(queue), queue, utc_now())
    status, body = watched.ready()
    assert status == 200
    refused = [{"channel": LEADS, "reason": "not_in_channel", "messages": 1}]
    assert body["delivery"] == {"ok": False, "waiting": 0, "oldest_seconds": 0.0, "refused": refused}
    assert watched.metrics()["goldloop_messages_given_up",] == 1


@pytest.mark.usefixtures("sqlite_only")
def test_a_database_that_gives_an_error_makes_a_process_unready_and_says_no_more(watched: Watched) -> None:
    with watched.loop.database.transaction(wait=PATIENT) as session:
        session.execute(text("ALTER TABLE posting RENAME TO of_another_release"))
    status, body = watched.ready()
    assert status == 503
    assert body["database"] == {"ok": False, "writes": "ok", "seconds": None}
    assert "delivery" not in body
    assert "of_another_release" not in str(body)


def test_votes_queues_and_models_are_counted(database: Database, request: pytest.FixtureRequest) -> None:
    promoted(seeded(opened(database, support_policy())))  # before there is a worker that would train it
    watched: Watched = request.getfixturevalue("watched")
    loop = watched.loop
    loop.predict("T-1", "the sofa came late", {"delivery": 0.5, "refund": 0.4})
    card = loop.card("the sofa came late")
    assert loop.ana.click(card, "refund").ok
    found = watched.metrics()
    assert found["goldloop_database_up",] == 1
    assert found["goldloop_items", "support", "open"] == 1
    assert found["goldloop_answers", "label"] == 1
    assert found["goldloop_live_model_version", "support"] == 1
    assert found["goldloop_acknowledgement_seconds_count", "block_actions"] >= 1
    assert found["goldloop_jobs_dead",] == 0
    assert "the sofa" not in str(found)


@pytest.mark.usefixtures("sqlite_only")
def test_calls_that_slack_put_off_are_counted_by_method_and_not_repeated(watched: Watched) -> None:
    loop = watched.loop
    name = ("goldloop_slack_rate_limited_total", "chat.postMessage")
    before = watched.metrics().get(name, 0)
    count_refusals(loop.services.slack)
    loop.box.fault("chat.postMessage", "ratelimited", times=1, retry_after=1)
    loop.predict("T-1", "the sofa came late", {"delivery": 0.5, "refund": 0.4})
    loop.card("the sofa came late")
    assert watched.metrics()[name] == before + 1


@pytest.mark.usefixtures("sqlite_only")
def test_a_port_that_is_taken_does_not_stop_the_work(
    watched: Watched, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(create_listener(watched.loop.services, Liveness()), "127.0.0.1", unused_port):
        assert watched.ready()[0] == 200
    assert f"Port {unused_port} is already in use. Set PORT to another." in caplog.text


@pytest.mark.parametrize(
    ("body", "kind", "subject"),
    [
        ({"type": "block_actions", "actions": [{"value": "12|label|refund"}]}, "block_actions", {"subject": 12}),
        ({"type": "block_actions", "actions": [{"value": "12.1764|skip"}]}, "block_actions", {"subject": 12}),
        (
            {"type": "view_submission", "view": {"private_metadata": "7"}},
            "view_submission",
            {"subject": 7},
        ),
        (
            {"type": "view_submission", "view": {"private_metadata": "a ticket's text"}},
            "view_submission",
            {},
        ),
        ({"type": "block_actions", "actions": [{"value": "12 is my PIN"}]}, "block_actions", {}),
        ({"command": "/goldloop"}, "command", {}),
        ({"type": "event_callback", "event": {"type": "reaction_added"}}, "event", {}),
        ({"type": "of my own"}, "other", {}),
        ({}, "other", {}),
    ],
)
def test_a_request_is_named_by_a_few_words_and_a_number(body: Any, kind: str, subject: dict[str, int]) -> None:
    action, who = {"action_id": "vote:0"}, {"user": {"id": "U_ANA"}}
    actions = {"actions": [action | one for one in body["actions"]]} if "actions" in body else {}
    view = {"view": {"type": "modal"} | body["view"]} if "view" in body else {}
    parsed = parse(body | actions | view | who)
    assert parsed is not None
    assert (kind_of(parsed), subject_of(parsed)) == (kind, subject)


@pytest.mark.parametrize("body", [{"type": ["block_actions"], "actions": {}}, [], {"type": "event_callback"}])
def test_what_slack_never_sends_gets_no_name(body: Any) -> None:
    assert parse(body) is None
