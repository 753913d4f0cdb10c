"""Votes in sets: the same rows and the same receipts as one by one, and a locked row holds up only its own casts."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotFound, Refusal
from core.policy import Policy
from core.queues import queue_named
from core.records.queues import Member
from core.records.reviews import ReviewItem
from core.review.votes import Cast, Receipt, cast_votes, fixed
from core.review.workload import done_today
from core.storage.database import PATIENT, Database
from core.vocabulary import ItemState, Role
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, Desk, said
from tests.core.review.random_clicks import Clicked, build, clicks, everything, random_policy
from tests.people import ANA, BEN, EVA

Outcome = Receipt | Refusal | None
SIZES = (1, 4, 16, 64)
CLICKS = int(os.environ.get("GOLDLOOP_CLICKS", "1000"))  # on each database; 20000 take a quarter of an hour


def in_sets(database: Database, seed: int, count: int, size: int) -> tuple[list[Any], dict[str, Any]]:
    """What was told and what is stored after so many random clicks in sets of this size."""
    policy = random_policy(random.Random(seed))
    items = build(database, policy, random.Random(seed), count // 5)
    made = [Cast(one.subject, one.person, one.said, one.now) for one in clicks(random.Random(-seed - 1), items, count)]
    told: list[Any] = []
    for start in range(0, count, size):
        with database.transaction(wait=PATIENT) as session:
            outcomes = cast_votes(session, made[start : start + size], fixed(policy))
        told += map(whole, outcomes)
    return told, everything(database)


def whole(outcome: Outcome) -> tuple[Any, ...]:
    """All that a person is told; receipts do not compare all of it."""
    if isinstance(outcome, Receipt):
        return outcome, outcome.dispute, outcome.repeated
    return type(outcome), str(outcome)


def check_sizes(database: Database, seed: int, count: int) -> None:
    told, rows = in_sets(database, seed, count, 1)
    assert {type(one) for one, *_ in told} >= {Receipt, type}
    assert rows["correction"]
    for size in SIZES[1:]:
        told_in_sets, rows_in_sets = in_sets(database, seed, count, size)
        assert told_in_sets == told, f"seed {seed}, sets of {size}"
        different = {name for name in rows if rows[name] != rows_in_sets[name]}
        assert different == set(), f"seed {seed}, sets of {size}"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(CLICKS // 250))
def test_sets_of_any_size_store_and_tell_the_same(database: Database, seed: int) -> None:
    check_sizes(database, seed, 250)


def test_sets_store_and_tell_the_same(database: Database) -> None:
    told, rows = in_sets(database, 100, 60, 1)
    assert in_sets(database, 100, 60, 16) == (told, rows)


@pytest.mark.slow
def test_the_daily_cap_refuses_those_who_have_reached_it_and_no_others(database: Database) -> None:
    """Whatever else they did that day: they skipped, changed and took back votes, and voted in another queue."""
    policy = random_policy(random.Random(1), cap=3)
    items = build(database, policy, random.Random(1), 30)
    refused = 0
    for one in clicks(random.Random(1), items, 250):
        with database.transaction(wait=PATIENT) as session:
            before = votes_today(session, policy, one)
            [outcome] = cast_votes(session, [Cast(one.subject, one.person, one.said, one.now)], fixed(policy))
            after = votes_today(session, policy, one)
        if isinstance(outcome, Refusal) and "today's limit" in str(outcome):
            assert before == 3
            refused += 1
        assert after <= 3
    assert refused > 5


def votes_today(session: Session, policy: Policy, one: Clicked) -> int:
    queue = queue_named(session, "billing")
    return done_today(session, one.person, queue, policy.queue("billing").zone, one.now)


def vote(desk: Desk, *casts: tuple[str, int, str], wait: bool = True) -> list[Outcome]:
    """Each a thousandth of a second after the one before."""
    made = [
        Cast(CardRef(item), person, said(answer), NOW + timedelta(milliseconds=number))
        for number, (person, item, answer) in enumerate(casts)
    ]
    with desk.database.transaction(wait=PATIENT) as session:
        return cast_votes(session, made, fixed(desk.policy), wait)


def test_several_votes_about_one_item_in_one_set_settle_it_and_tell_the_last_that_it_is(desk: Desk) -> None:
    item = desk.ticket()
    first, second, third = vote(desk, (ANA, item, REFUND), (BEN, item, REFUND), (EVA, item, BILLING))
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (first.settled, second.settled) == (False, True)
    assert isinstance(third, AlreadySettled)
    assert "refund (2 of 2 votes)" in str(third)
    assert desk.item(item).state is ItemState.SETTLED
    assert [answer.person for answer in desk.answers(item)] == [ANA, BEN]


def test_the_daily_cap_counts_within_the_set(open_desk: OpenDesk) -> None:
    desk = open_desk(workload={"daily_cap": 2})
    items = [desk.ticket() for _number in range(4)]
    outcomes = vote(desk, *[(ANA, item, REFUND) for item in items])
    assert [isinstance(outcome, Receipt) for outcome in outcomes] == [True, True, False, False]
    assert "today's limit of 2 votes" in str(outcomes[2])
    assert [len(desk.answers(item)) for item in items] == [1, 1, 0, 0]


def test_a_refused_cast_of_a_set_writes_nothing_and_the_others_count(desk: Desk) -> None:
    item, other = desk.ticket(), desk.ticket()
    refused, counted = vote(desk, (ANA, item, "spam"), (BEN, other, REFUND))
    assert isinstance(refused, Refusal)
    assert isinstance(counted, Receipt)
    assert (len(desk.answers(item)), len(desk.answers(other))) == (0, 1)


@contextmanager
def locked(desk: Desk, statement: Any) -> Iterator[None]:
    """Another transaction holds these rows."""
    with desk.database.transaction(wait=PATIENT) as session:
        assert session.execute(statement.with_for_update()).all()
        yield


def test_a_locked_item_holds_up_its_own_casts_and_those_behind_them(open_on_postgresql: OpenDesk) -> None:
    desk = open_on_postgresql()
    held, free, behind, other = (desk.ticket() for _number in range(4))
    casts = [
        (ANA, held, REFUND), (BEN, free, REFUND), (ANA, free, REFUND), (EVA, free, BILLING), (EVA, behind, BILLING),
        (BEN, other, REFUND),
    ]  # fmt: skip
    with locked(desk, select(ReviewItem.id).where(ReviewItem.id == held)):
        outcomes = vote(desk, *casts, wait=False)
    assert [outcome is None for outcome in outcomes] == [True, False, True, True, True, False]
    assert [answer.person for answer in desk.answers(free)] == [BEN]
    again = vote(desk, *[cast for cast, outcome in zip(casts, outcomes, strict=True) if outcome is None], wait=False)
    assert [type(outcome) for outcome in again] == [Receipt, Receipt, AlreadySettled, Receipt]
    assert desk.item(free).state is ItemState.SETTLED


def test_a_locked_seat_holds_up_its_own_persons_casts(open_on_postgresql: OpenDesk) -> None:
    desk = open_on_postgresql()
    item, other = desk.ticket(), desk.ticket()
    seat = select(Member.id).where(Member.person == ANA, Member.role == Role.REVIEWER)
    with locked(desk, seat):
        outcomes = vote(desk, (ANA, item, REFUND), (BEN, other, REFUND), wait=False)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], Receipt)
    assert desk.answers(item) == []


def test_what_does_not_exist_is_told_from_what_is_locked(open_on_postgresql: OpenDesk) -> None:
    desk = open_on_postgresql()
    item = desk.ticket()
    with locked(desk, select(ReviewItem.id).where(ReviewItem.id == item)):
        outcomes = vote(desk, (ANA, 999, REFUND), ("U_STRANGER", 998, REFUND), (BEN, item, REFUND), wait=False)
    assert [type(outcome) for outcome in outcomes] == [NotFound, NotFound, type(None)]
