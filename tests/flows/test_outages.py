"""Slack refuses, answers are lost, processes die. The end is the same as without."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.runtime.clock import utc_now
from bot.runtime.services import Services, assemble, slack_client
from bot.sandbox.client import Message, SandboxClient
from bot.sandbox.server import serve
from bot.slack.directory.refresh import refresh_people
from core.delivery import backlog
from core.delivery.backlog import GivenUp
from core.learning.data.seeds import add_seeds
from core.policy_in_force.sync import sync_queues
from core.records.delivery import Posting
from core.storage.database import PATIENT, Database
from core.vocabulary import Card
from tests.flows.conftest import seeds
from tests.flows.processes import Bot
from tests.loop import PATIENCE, Loop
from tests.people import LEADS, REVIEW, support_policy, workspace

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}


def cards(loop: Loop, words: str) -> list[Message]:
    return [one for one in loop.ana.messages(REVIEW) if words in one.plain and not one.ephemeral]


@pytest.mark.slow
def test_a_post_whose_answer_was_lost_is_found_again_and_not_posted_twice(loop: Loop) -> None:
    loop.box.fault("chat.postMessage", "lost_answer")
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late")
    loop.ana.click(card, "refund")
    loop.ben.click(card, "refund")
    loop.card("*refund* (2 votes)")
    assert len(cards(loop, "the sofa came late")) == 1


@pytest.mark.slow
def test_429_and_500_delay_a_card_and_lose_none(loop: Loop) -> None:
    loop.box.fault("chat.postMessage", "ratelimited", times=2, retry_after=1)
    loop.box.fault("chat.update", "server_error")
    for number in range(3):
        loop.predict(f"T-{number}", f"ticket number {number} of many", UNSURE)
    for number in range(3):
        loop.card(f"ticket number {number}")
    card = loop.card("ticket number 0")
    loop.ana.click(card, "refund")
    loop.ben.click(card, "refund")
    loop.card("*refund* (2 votes)")
    assert len(cards(loop, "ticket number")) == 3


@pytest.mark.slow
def test_a_deleted_card_is_posted_again(loop: Loop) -> None:
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late")
    loop.services.slack.chat_delete(channel=REVIEW, ts=card.ts)
    with loop.database.transaction() as session:
        session.scalars(select(Posting)).one().requested_version += 1
    again = loop.card("the sofa came late")
    assert again.ts != card.ts
    loop.ana.click(again, "refund")
    loop.ben.click(again, "refund")
    loop.card("*refund* (2 votes)")


@pytest.mark.slow
def test_an_archived_channel_stops_its_cards_and_no_others(loop: Loop) -> None:
    loop.box.archive(REVIEW)
    loop.predict("T-1", "the sofa came late", UNSURE)
    with loop.database.transaction() as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    loop.retrain()
    loop.card("v1 compared with", channel=LEADS)

    def given_up() -> list[GivenUp]:
        with loop.database.reading() as session:
            return backlog.given_up(session)

    [waits] = loop.box.wait_for(given_up)
    assert (waits.channel, waits.reason, waits.count) == (REVIEW, "is_archived", 1)
    loop.box.archive(REVIEW, undo=True)
    refresh_people(loop.services)
    loop.card("the sofa came late")


@pytest.mark.slow
def test_a_reaction_while_the_database_is_busy_is_delivered_again(loop: Loop) -> None:
    with loop.database.transaction() as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    loop.retrain()
    report = loop.card("v1 compared with", channel=LEADS)
    with loop.database.transaction(wait=PATIENT) as session:
        session.execute(select(Posting).with_for_update())
        if not loop.database.is_sqlite:
            session.connection().exec_driver_sql("LOCK TABLE live IN ACCESS EXCLUSIVE MODE")
        outcome = loop.cleo.react(report, "white_check_mark")
    assert not outcome.ok, "not acknowledged, so Slack keeps the event"
    loop.box.advance(61)
    loop.card("v1 is live", channel=LEADS)


@pytest.mark.slow
def test_a_reaction_before_the_place_of_the_report_is_stored_counts(loop: Loop) -> None:
    with loop.database.transaction() as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    loop.retrain()
    report = loop.card("v1 compared with", channel=LEADS)

    def place(**values: object) -> int:
        with loop.database.transaction() as session:
            known = update(Posting).where(
                Posting.card == Card.CANDIDATE, Posting.requested_version <= Posting.delivered_version
            )
            return len(session.execute(known.values(**values).returning(Posting.id)).all())

    loop.box.wait_for(lambda: place(ts=None, unconfirmed=True))  # as it is between Slack's answer and our note of it
    assert not loop.cleo.react(report, "white_check_mark").ok, "not acknowledged, so Slack keeps the event"
    assert place(requested_version=Posting.requested_version + 1)
    loop.box.wait_for(lambda: place(urgent=True))
    loop.box.advance(61)
    loop.card("v1 is live", channel=LEADS)


@pytest.mark.slow
def test_a_click_while_the_database_is_busy_is_answered_and_not_counted(loop: Loop) -> None:
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late")
    with loop.database.transaction(wait=PATIENT) as session:
        if not loop.database.is_sqlite:
            session.connection().exec_driver_sql("LOCK TABLE review_item IN ACCESS EXCLUSIVE MODE")
        outcome = loop.ana.click(card, "refund")
    assert outcome.ok
    assert outcome.ms < 3000
    loop.told(loop.ana, "database is busy. Nothing was recorded")
    loop.ben.click(card, "refund")
    assert loop.votes() == ["U_BEN"]


@contextmanager
def running_bot(database: Database, folder: Path) -> Iterator[tuple[Bot, Loop]]:
    config, policy = workspace(), support_policy()
    with serve(config, port=0) as url, SandboxClient(url) as box:
        bot = Bot("run", url, database.engine.url.render_as_string(hide_password=False), folder)
        services: Services = assemble(database, slack_client(config.apps[0].bot_token, f"{url}/api/"), policy)
        with database.transaction() as session:
            sync_queues(session, policy, utc_now())
        bot.start()
        try:
            yield bot, Loop(box, services, database, policy)
        finally:
            bot.kill()


@pytest.mark.slow
def test_kill_9_at_every_step_leads_to_the_same_result(database: Database, tmp_path: Path) -> None:
    with running_bot(database, tmp_path) as (bot, loop):
        with loop.database.transaction() as session:
            add_seeds(session, seeds(), utc_now(), loop.queue)
        loop.predict("T-1", "the sofa came late", UNSURE)
        bot.restart()  # before or while the card is posted
        card = loop.card("the sofa came late")
        until_heard(lambda: loop.ana.click(card, "refund").ok)
        bot.restart()  # after the vote was acknowledged, before anything was redrawn
        until_heard(lambda: loop.ben.click(card, "refund").ok)
        bot.restart()
        loop.card("*refund* (2 votes)")
        until_heard(lambda: loop.cleo.command("/goldloop retrain", channel=LEADS).ok)
        bot.restart()  # before, while or after the model is fitted
        report = loop.card("v1 compared with", channel=LEADS)
        until_heard(lambda: approved(loop, report))
        bot.restart()
        loop.card("v1 is live", channel=LEADS)
        assert len(cards(loop, "the sofa came late")) == 1
        reports = [one for one in loop.cleo.messages(LEADS) if "v1 compared with" in one.plain]
        assert len(reports) == 1


def approved(loop: Loop, report: Message) -> bool:
    """A reaction that the app did not acknowledge is taken away, so that the lead can react again."""
    if loop.cleo.react(report, "white_check_mark").ok:
        return True
    loop.cleo.unreact(report, "white_check_mark")
    return False


def until_heard(act: Callable[[], bool]) -> None:
    """People click again when Slack shows that the app did not answer."""
    deadline = time.monotonic() + PATIENCE
    while not act():
        if time.monotonic() > deadline:
            pytest.fail("the bot did not come back")
