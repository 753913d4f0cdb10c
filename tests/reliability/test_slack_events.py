"""Slack's events and clicks come twice, late, out of order, to one of several processes, over sockets that end; and
replies to one person get lost. Acknowledged actions are stored, once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from sqlalchemy import func, select

from bot.runtime.clock import utc_now
from bot.runtime.processes import this_process
from bot.sandbox.client import ControlError, Message, Person
from bot.slack.inbound.app import build_app
from bot.slack.inbound.socket_mode import socket_mode
from bot.worker.scheduler import worker
from core.delivery import notices
from core.learning.data.seeds import add_seeds
from core.records.delivery import Posting
from core.records.learning import Decision
from core.records.reviews import Answer, Correction
from core.storage.database import PATIENT, Database
from core.vocabulary import NoticeKind
from tests.flows.conftest import loop, seeds, start_loop
from tests.flows.test_signed_http import http_loop
from tests.loop import Loop
from tests.people import LEADS, REMINDER, REVIEW, workspace

__all__ = ["http_loop", "loop", "start_loop"]

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
CHECK = "white_check_mark"


@pytest.fixture(params=["socket", "http"])
def connected(request: pytest.FixtureRequest, database: Database, sqlite_only: None) -> Loop:
    """Both ways by which Slack reaches us. What verbs do on either database is tried elsewhere."""
    if request.param == "socket":
        found: Loop = request.getfixturevalue("loop")
        return found
    over_http: tuple[Loop, str] = request.getfixturevalue("http_loop")
    return over_http[0]


def report(loop: Loop) -> Message:
    with loop.database.transaction(wait=PATIENT) as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    loop.retrain()
    card = loop.card("v1 compared with", channel=LEADS)
    loop.box.wait_for(
        lambda: is_stored(loop, card)
    )  # before that a reaction is not acknowledged, and comes a minute later
    return card


def is_stored(loop: Loop, card: Message) -> bool:
    with loop.database.reading() as session:
        return session.scalar(select(Posting.id).where(Posting.ts == card.ts)) is not None


def count(loop: Loop, record: type[Any]) -> int:
    with loop.database.reading() as session:
        return session.scalar(select(func.count()).select_from(record)) or 0


def reactions_delivered(loop: Loop) -> list[tuple[str, int, str, bool]]:
    """Type, attempt, Slack's reason for it, and whether it was acknowledged; those that are answered, oldest first."""
    entries = loop.box.inspector()
    acks = {one["of"]: one["ok"] for one in entries if one["kind"] == "ack"}
    sent = [one for one in entries if one["kind"] == "envelope" and one["type"] == "events_api" and one["id"] in acks]
    return [
        (kind, one["retry_attempt"], one["retry_reason"], acks[one["id"]])
        for one in sent
        if (kind := one["payload"]["event"]["type"]).startswith("reaction_")
    ]


@pytest.mark.slow
def test_an_approval_delivered_twice_and_an_hour_late_is_one_decision(connected: Loop) -> None:
    card = report(connected)
    connected.box.events("twice")
    assert connected.cleo.react(card, CHECK).ok
    connected.card("v1 is live", channel=LEADS)
    connected.box.wait_for(lambda: len(reactions_delivered(connected)) == 2)
    connected.box.events("late")
    connected.dan.react(card, CHECK)
    connected.box.advance(3600)
    connected.box.wait_for(lambda: len(reactions_delivered(connected)) == 3)
    assert all(ok for *_event, ok in reactions_delivered(connected))
    assert count(connected, Decision) == 1
    cards = [one for one in connected.dan.messages(LEADS) if "v1 compared with" in one.plain and not one.ephemeral]
    assert len(cards) == 1


@pytest.mark.slow
def test_a_withdrawn_approval_is_none_in_either_order_of_delivery(connected: Loop) -> None:
    card = report(connected)
    connected.box.events("reordered")
    connected.cleo.react(card, CHECK)
    connected.cleo.unreact(card, CHECK)
    connected.box.wait_for(lambda: len(reactions_delivered(connected)) == 2)
    assert [kind for kind, *_rest in reactions_delivered(connected)] == ["reaction_removed", "reaction_added"]
    assert all(ok for *_event, ok in reactions_delivered(connected))
    assert count(connected, Decision) == 0


@pytest.mark.slow
def test_an_event_that_was_not_acknowledged_comes_again_and_then_counts_once(connected: Loop) -> None:
    card = report(connected)
    with connected.database.transaction(wait=PATIENT):  # on SQLite no other process can write meanwhile
        assert not connected.cleo.react(card, CHECK).ok
    connected.box.advance(61)
    connected.card("v1 is live", channel=LEADS)
    first, *_between, last = reactions_delivered(connected)
    assert (first[1], first[3]) == (0, False)
    assert (last[1] >= 1, last[2] != "", last[3]) == (True, True, True)
    assert count(connected, Decision) == 1


@contextmanager
def second_process(loop: Loop) -> Iterator[None]:
    """Its own socket and worker on the same database."""
    services = replace(loop.services, process=this_process())
    with closing(build_app(services)) as slack, socket_mode(slack, workspace().apps[0].app_token), worker(services):
        yield


@pytest.mark.slow
def test_two_processes_with_a_socket_each_count_everything_once(loop: Loop) -> None:
    with second_process(loop):
        for number in range(6):
            loop.predict(f"T-{number}", f"ticket number {number} of many", UNSURE)
        cards = [loop.card(f"ticket number {number}") for number in range(6)]
        for card in cards:
            assert loop.ana.click(card, "refund").ok
            assert loop.ben.click(card, "refund", retries=1).ok
        for number in range(6):
            loop.card(f"“ticket number {number} of many”")
        loop.box.wait_for(lambda: len(settled(loop)) == 6)
        asked = report(loop)
        loop.dan.react(asked, CHECK)
        loop.told(loop.dan, "lead", channel=LEADS)
        assert loop.cleo.react(asked, CHECK).ok
        loop.card("v1 is live", channel=LEADS)
        heard = {one["socket"] for one in loop.box.inspector() if one["kind"] == "socket" and one["what"] == "opened"}
    assert len(heard) == 2
    assert (count(loop, Correction), count(loop, Answer)) == (6, 12)
    posts = [call["args"] for call in loop.box.calls("chat.postMessage") if call["ok"]]
    assert len([one for one in posts if "item" in str(one["text"]).lower() and one["channel"] == REVIEW]) == 6
    assert len([one for one in loop.dan.messages(LEADS) if one.ephemeral]) == 1


def settled(loop: Loop) -> list[Message]:
    return [one for one in loop.ana.messages(REVIEW) if "*refund* (2 votes)" in one.plain]


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_clicks_while_slack_ends_the_socket_are_stored_if_they_were_acknowledged(loop: Loop) -> None:
    for number in range(8):
        loop.predict(f"T-{number}", f"ticket number {number} of many", UNSURE)
    cards = [loop.card(f"ticket number {number}") for number in range(8)]

    def vote(reviewer: Person) -> int:
        return sum(until_acknowledged(reviewer, card) for card in cards)

    with ThreadPoolExecutor(2) as pool:
        votes = [pool.submit(vote, reviewer) for reviewer in (loop.ana, loop.ben)]
        loop.box.wait_for(lambda: count(loop, Answer) >= 2)
        loop.box.refresh_sockets()
        loop.box.advance(11)
        loop.box.wait_for(lambda: count(loop, Answer) >= 8)
        loop.box.drop_sockets()
        acknowledged = sum(each.result() for each in votes)
    assert acknowledged >= 12, "most clicks hit no gap"
    with loop.database.reading() as session:
        current = select(Answer.item_id, Answer.person).where(Answer.is_current)
        assert len(session.execute(current).all()) == 16
    loop.box.wait_for(lambda: len(settled(loop)) == 8)
    assert count(loop, Correction) == 8


def until_acknowledged(reviewer: Person, card: Message) -> bool:
    """People click again when Slack shows that the app did not answer; False if their vote had counted all the same and
    the card is decided meanwhile."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if reviewer.click(card, "refund").ok:
                return True
        except ControlError:
            return False
    raise TimeoutError("the bot did not come back")


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_when_the_bot_is_invited_again_its_cards_are_posted_at_once(loop: Loop) -> None:
    bot = workspace().apps[0].bot_user
    loop.box.kick(bot, REVIEW)
    loop.predict("T-1", "the sofa came late", UNSURE)
    loop.card("Invite me there: `/invite @goldloop`. 1 message is waiting.", channel=LEADS)
    loop.box.invite(bot, REVIEW)  # Slack sends an event that a member joined; without it half a minute would pass
    loop.card("the sofa came late")
    loop.card("Resolved: I can post", channel=LEADS)


STRANGE: tuple[Any, ...] = (
    {"type": "block_actions", "user": ["U_ANA"], "actions": "vote"},
    {"type": "block_actions", "user": {"id": "U_ANA"}, "actions": [{"action_id": 7}]},
    {"type": "event_callback", "event": "reaction_added"},
    {"type": "event_callback", "event": {"type": "reaction_added", "user": {"id": ["U_ANA"]}}},
    {"type": "view_submission", "view": {"type": "modal", "state": {"values": []}}, "user": {"id": "U_ANA"}},
)


@pytest.mark.usefixtures("sqlite_only")
def test_the_socket_ignores_what_is_not_a_payload_of_slacks(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late")
    with closing(build_app(loop.services)) as slack, socket_mode(slack, workspace().apps[0].app_token) as handler:
        hear: Any
        [hear] = handler.client.socket_mode_request_listeners
        for number, payload in enumerate(STRANGE):
            hear(handler.client, SocketModeRequest("interactive", f"E{number}", payload))
    assert caplog.text.count("Invalid socket message") == len(STRANGE)
    assert "Traceback" not in caplog.text
    assert loop.ana.click(card, "refund").ok
    assert count(loop, Answer) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_a_receipt_is_shown_at_most_once_and_the_vote_counts_in_any_case(loop: Loop) -> None:
    for number, fault in enumerate(("lost_answer", "ratelimited", "server_error"), start=1):
        loop.predict(f"T-{number}", f"ticket number {number} of many", UNSURE)
        card = loop.card(f"ticket number {number}")
        loop.box.fault("response_url", fault)
        assert loop.ana.click(card, "refund").ok
        loop.box.wait_for(lambda: not loop.box.state()["faults"])
        loop.ben.click(card, "refund")
        loop.told(loop.ben, f"Item {number}:")
    loop.told(loop.ana, "Item 2:")  # Slack said when to come again
    loop.box.wait_for(lambda: len(settled(loop)) == 3)
    receipts = [one.plain for one in loop.ana.messages(REVIEW) if one.ephemeral]
    assert [sum(f"Item {number}:" in one for one in receipts) for number in (1, 2, 3)] == [1, 1, 0]


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_a_form_that_slack_does_not_open_in_time_asks_for_another_click(loop: Loop) -> None:
    loop.services.slack.timeout = 1
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late")
    for fault in ("timeout", "ratelimited", "expired_trigger_id"):
        loop.box.fault("views.open", fault)
        assert loop.ana.click(card, "Why?").ok
    loop.box.wait_for(lambda: len([one for one in loop.ana.messages(REVIEW) if "Please click again" in one.plain]) == 3)
    loop.ana.click(card, "Why?")
    loop.box.wait_for(lambda: loop.ana.view)


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_while_slack_hangs_on_one_message_the_workers_other_work_continues(loop: Loop) -> None:
    loop.services.slack.timeout = 4
    loop.box.fault("chat.postMessage", "timeout")
    loop.predict("T-1", "the sofa came late", UNSURE)
    loop.box.wait_for(lambda: loop.box.calls("chat.postMessage"))
    with loop.database.transaction(wait=PATIENT) as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, "k", LEADS, None, REMINDER, utc_now())
    loop.card("v1 has been waiting", channel=LEADS)
    with loop.database.reading() as session:
        assert session.scalars(select(Posting.delivered_version)).one() == 0, "the first call still hangs"
    loop.card("the sofa came late")
    assert len([one for one in loop.ana.messages(REVIEW) if "the sofa" in one.plain]) == 1
