"""The collector of votes: what arrives together is one transaction, and each vote has its own time and its own end."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import cast as as_type

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.pool import QueuePool

from bot.runtime.policy_in_force import PolicyInForce
from bot.slack.inbound.vote_collector import PAUSE, VoteCollector
from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, DatabaseBusy, Refusal
from core.records.delivery import Posting
from core.records.reviews import ReviewItem
from core.review.votes import NewAnswer, Receipt
from core.storage.database import PATIENT, Database
from core.storage.deadlines import finished_within
from core.vocabulary import AnswerKind
from tests.core.desk import BILLING, NOW, REFUND, Desk, opened, said
from tests.people import ANA, BEN, EVA, support_policy

TIME = 1.5  # seconds of a click


@pytest.fixture
def desk(database: Database) -> Desk:
    return opened(database, support_policy())


@pytest.fixture
def votes(desk: Desk) -> Iterator[VoteCollector]:
    ticks = itertools.count()

    def clock() -> datetime:
        return NOW + timedelta(milliseconds=next(ticks))

    with closing(VoteCollector(desk.database, PolicyInForce(desk.policy).of, clock)) as collector:
        yield collector


@contextmanager
def locked(desk: Desk, item: int) -> Iterator[None]:
    """Another transaction holds the item; on SQLite, all that is written."""
    with desk.database.transaction(wait=PATIENT) as session:
        session.execute(select(ReviewItem.id).where(ReviewItem.id == item).with_for_update()).all()
        yield


def cast(votes: VoteCollector, person: str, item: int, answer: str, seconds: float = TIME) -> "Future[Receipt]":
    with finished_within(seconds):
        return votes.cast(CardRef(item), person, said(answer))


def commits(desk: Desk) -> list[None]:
    """One for each transaction that is committed from now on."""
    seen: list[None] = []
    event.listen(desk.database.engine, "commit", lambda _connection: seen.append(None))
    return seen


def test_what_arrives_while_another_is_committed_is_one_transaction_in_order_of_arrival(
    desk: Desk, votes: VoteCollector
) -> None:
    first, item = desk.ticket(), desk.ticket()
    with locked(desk, first):
        waiting = [cast(votes, ANA, first, REFUND)]
        time.sleep(0.1)
        waiting += [cast(votes, *one) for one in ((ANA, item, REFUND), (BEN, item, REFUND), (EVA, item, BILLING))]
        seen = commits(desk)
    assert waiting[0].result(10).label == REFUND
    assert waiting[1].result(10).settled is False
    assert waiting[2].result(10).settled is True
    assert isinstance(waiting[3].exception(10), AlreadySettled)
    assert len(seen) <= 3


def test_a_locked_item_holds_up_only_its_own_votes_which_expire_from_their_arrival(
    desk: Desk, votes: VoteCollector
) -> None:
    if desk.database.is_sqlite:
        pytest.skip("SQLite has one lock for all")
    held, free = desk.ticket(), desk.ticket()
    with locked(desk, held):
        began = time.monotonic()
        waiting, other = cast(votes, ANA, held, REFUND, 1.0), cast(votes, BEN, free, REFUND)
        behind = cast(votes, ANA, free, REFUND)
        assert isinstance(other.result(0.7), Receipt)
        assert isinstance(waiting.exception(10), DatabaseBusy)
        assert 0.7 < time.monotonic() - began < 1.3
        assert isinstance(behind.result(0.5), Receipt), "nothing is before it any more"
    assert desk.answers(held) == []


def test_while_all_is_locked_each_vote_expires_from_its_own_arrival(desk: Desk, votes: VoteCollector) -> None:
    item = desk.ticket()
    with locked(desk, item):
        first = cast(votes, ANA, item, REFUND, 0.6)
        second = cast(votes, BEN, item, REFUND, 5.0)
        assert isinstance(first.exception(10), DatabaseBusy)
        assert not second.done()
    assert isinstance(second.result(10), Receipt)
    assert [answer.person for answer in desk.answers(item)] == [BEN]


def test_a_bug_of_one_vote_is_no_other_votes(desk: Desk, votes: VoteCollector) -> None:
    first, item, other = desk.ticket(), desk.ticket(), desk.ticket()
    with locked(desk, first):
        cast(votes, EVA, first, REFUND)
        broken = votes.cast(CardRef(item), ANA, NewAnswer(AnswerKind.LABEL, 2**70, REFUND))  # no such time
        good = cast(votes, BEN, other, REFUND)
    assert isinstance(good.result(10), Receipt)
    assert not isinstance(broken.exception(10), Refusal | None)
    assert (len(desk.answers(item)), len(desk.answers(other))) == (0, 1)


@pytest.mark.slow
def test_after_a_deadlock_each_is_cast_alone(desk: Desk, votes: VoteCollector) -> None:
    if desk.database.is_sqlite:
        pytest.skip("SQLite has one lock for all")
    item, other = desk.ticket(), desk.ticket()
    with desk.database.transaction(wait=PATIENT) as session:
        card = select(Posting.id).where(Posting.subject_id == item)
        assert session.execute(card.with_for_update()).all()
        with locked(desk, other):
            first = cast(votes, EVA, other, REFUND, PATIENT)
            waiting = [cast(votes, ANA, item, REFUND, PATIENT), cast(votes, BEN, item, REFUND, PATIENT)]
            until_one_waits(desk)  # for the card
            session.execute(select(ReviewItem.id).where(ReviewItem.id == item).with_for_update()).all()
    assert [one.result(10).settled for one in (first, *waiting)] == [False, False, True]


def until_one_waits(desk: Desk) -> None:
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    end = time.monotonic() + 10
    with desk.database.reading(wait=PATIENT) as session:
        while not session.scalar(waits):
            assert time.monotonic() < end
            time.sleep(0.01)


def test_the_connection_is_given_back_when_no_vote_comes_for_a_while(desk: Desk, votes: VoteCollector) -> None:
    pool = as_type(QueuePool, desk.database.engine.pool)
    for _number in range(2):
        cast(votes, ANA, desk.ticket(), REFUND).result(2)
        assert pool.checkedout() == 1
    deadline = time.monotonic() + 10 * PAUSE
    while pool.checkedout() and time.monotonic() < deadline:
        time.sleep(PAUSE / 10)
    assert pool.checkedout() == 0
    assert cast(votes, BEN, desk.ticket(), REFUND).result(2).label == REFUND


def test_at_the_end_what_waits_is_committed_and_nothing_new_is_taken(desk: Desk, votes: VoteCollector) -> None:
    items = [desk.ticket() for _number in range(20)]
    waiting = [cast(votes, ANA, item, REFUND) for item in items]
    votes.close()
    assert all(one.done() and isinstance(one.result(), Receipt) for one in waiting)
    with pytest.raises(Refusal, match="Nothing was recorded"):
        cast(votes, BEN, items[0], REFUND)
    assert [len(desk.answers(item)) for item in items] == [1] * 20
