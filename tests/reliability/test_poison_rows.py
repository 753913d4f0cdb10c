"""Poison rows: a row that always fails is given up with a reason after its attempts, the operator is told once, and
other rows are processed meanwhile."""

import logging
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.runtime.services import Services, assemble
from bot.server.run import prepare
from bot.slack.blocks import Message
from bot.slack.delivery.deliver import deliver_next, deliver_next_notice
from bot.slack.delivery.incidents import tell_of_incidents
from bot.slack.delivery.sender import CARDS, Show, show_drawn
from bot.slack.views import review_item
from bot.worker.independently import for_each
from bot.worker.training import SCHEDULED_RUN, request_scheduled_run
from core import jobs
from core.delivery import backlog, notices
from core.errors import DatabaseUnavailable
from core.jobs import Interrupted
from core.policy import Policy
from core.records.delivery import Notice, Posting
from core.records.jobs import Job
from core.review.cards import item_card
from core.storage.database import Database
from core.storage.leases import MOST_ATTEMPTS
from core.vocabulary import Card, IncompleteTableError, NoticeKind
from tests.people import LEADS, support_policy
from tests.reliability.slow_motion import Stage

REASON = "ValueError in the review_item card"


def draw(session: Session, subject: int, policy: Policy) -> Message:
    """A view with a fault: it stumbles over the ticket about a lamp."""
    card = item_card(session, subject, policy)
    if "lamp" in card.text:
        raise ValueError("no such colour")
    return review_item.render(card)


FAULTY: Mapping[Card, Show] = {**CARDS, Card.REVIEW_ITEM: partial(show_drawn, draw)}


def work(stage: Stage, worker: Services, seconds: int, cards: Mapping[Card, Show] = CARDS) -> None:
    for _look in range(seconds):
        while deliver_next(worker, cards) or deliver_next_notice(worker):
            pass
        tell_of_incidents(worker)
        stage.wait(1)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(vars(one).get("reason")) for one in caplog.records if one.levelno >= logging.ERROR]


@pytest.mark.slow
def test_a_card_whose_drawing_is_interrupted_as_the_worker_ends_is_as_if_it_had_not_been_tried(stage: Stage) -> None:
    def interrupted(_session: Session, _subject: int, _policy: Policy) -> Message:
        raise Interrupted

    ending: Mapping[Card, Show] = {**CARDS, Card.REVIEW_ITEM: partial(show_drawn, interrupted)}
    worker = stage.worker()
    stage.ticket("the lamp is broken")
    while not deliver_next(worker, ending):  # at first, it takes the lease on delivery
        stage.wait(1)
    with stage.desk.database.reading() as session:
        posting = session.scalars(select(Posting)).one()
        assert (posting.attempts, posting.leased_by, posting.unconfirmed) == (0, None, False)
    work(stage, worker, 2)
    assert len(stage.cards("the lamp is broken")) == 1


@pytest.mark.slow
def test_a_card_that_cannot_be_drawn_is_given_up_and_the_others_go_out(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    worker = stage.worker()
    stage.ticket("the lamp is broken")
    stage.ticket("the sofa came late")
    work(stage, worker, 3, FAULTY)
    assert len(stage.cards("the sofa came late")) == 1
    assert errors(caplog) == []
    work(stage, worker, 60, FAULTY)
    with stage.desk.database.reading() as session:
        posting = session.scalars(select(Posting).where(Posting.ts.is_(None))).one()
    assert (posting.attempts, posting.failure_reason) == (MOST_ATTEMPTS, REASON)
    assert errors(caplog) == [REASON], "told once"
    assert [REASON in words for words in stage.told()] == [True]
    assert [REASON in words for words in stage.doctor()] == [True]
    with stage.desk.database.transaction() as session:
        assert backlog.try_again(session, stage.now()) == 1
    work(stage, worker, 3)
    assert len(stage.cards("the lamp is broken")) == 1, "by a release in which the view is right"


class Choking(WebClient):
    """A client that stumbles over some words itself."""

    def chat_postMessage(self, **arguments: Any) -> SlackResponse:  # noqa: N802 - Slack's name
        if arguments["text"].startswith("choke"):
            raise ValueError("a surrogate")
        return super().chat_postMessage(**arguments)


@pytest.mark.slow
def test_a_notice_that_cannot_be_sent_is_given_up_and_the_others_go_out(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    made = stage.worker()
    worker = replace(made, slack=Choking(made.slack.token, made.slack.base_url, retry_handlers=[]))
    with stage.desk.database.transaction() as session:
        for key in ("choke", "a reminder"):
            about = {"queue": key, "model": "v2", "hours": 24}
            notices.notify(session, NoticeKind.DECISION_PENDING, key, LEADS, None, about, stage.now())
    work(stage, worker, 60)
    assert len(stage.cards("a reminder", channel=LEADS)) == 1
    with stage.desk.database.reading() as session:
        stuck = session.scalars(select(Notice).where(Notice.key == "choke")).one()
    assert (stuck.attempts, stuck.failure_reason) == (MOST_ATTEMPTS, "ValueError in the decision_pending notice")
    assert errors(caplog) == ["ValueError in the decision_pending notice"]


def test_a_scheduled_run_that_cannot_be_asked_for_is_put_off_and_the_others_are(stage: Stage) -> None:
    worker = stage.worker()
    with stage.desk.database.transaction() as session:
        jobs.enqueue(session, SCHEDULED_RUN, "one", {}, stage.now())
        jobs.enqueue(session, SCHEDULED_RUN, "two", {"queue": "support"}, stage.now())
    while request_scheduled_run(worker):
        pass
    with stage.desk.database.reading() as session:
        found = session.scalars(select(Job).where(Job.name == SCHEDULED_RUN).order_by(Job.key)).all()
    assert [(job.state, job.attempts) for job in found] == [("ready", 1), ("done", 1)]
    assert found[0].failure_reason == "KeyError: 'queue'"


def test_of_things_that_know_no_attempts_each_is_worked_on_whatever_becomes_of_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _look in range(3):
        assert for_each([1, 0, 2], lambda number: 2 // number, "dividing") == [2, 1]
    assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) == 1, "told once"

    def away(_number: int) -> None:
        raise DatabaseUnavailable("busy")

    with pytest.raises(DatabaseUnavailable):
        for_each([1], away, "dividing")


@pytest.mark.usefixtures("sqlite_only")
def test_a_kind_of_card_without_a_view_is_refused_at_start(database: Database) -> None:
    services = assemble(database, WebClient(), support_policy())
    with pytest.raises(IncompleteTableError, match="There is no view for Card run"):
        prepare(services, Path("goldloop.toml"), {card: show for card, show in CARDS.items() if card is not Card.RUN})


@pytest.mark.slow
def test_a_kind_of_card_that_was_added_without_a_view_is_refused_at_start() -> None:
    started = """
import enum
from core import vocabulary
kinds = {card.name: card.value for card in vocabulary.Card} | {"DIGEST": "digest"}
vocabulary.Card = enum.StrEnum("Card", kinds)
from pathlib import Path
from slack_sdk import WebClient
from bot.runtime.services import assemble
from bot.server.run import prepare
from core.storage.database import Database
from tests.people import support_policy
prepare(assemble(Database("sqlite:///unopened"), WebClient(), support_policy()), Path("goldloop.toml"))
"""
    ended = subprocess.run([sys.executable, "-c", started], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.endswith("IncompleteTableError: There is no view for Card digest.\n")
