"""Many people at once. A click is never lost, never counted twice, never silently ignored."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.backlog import draw_by_policy
from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, Refusal
from core.learning.data.golden import golden_set
from core.learning.data.near_duplicates import near
from core.learning.data.snapshots import snapshot_rows
from core.learning.lifecycle.training import train
from core.people.groups import people_named, sync_group
from core.people.members import Person, members, sync_members
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.learning import Snapshot
from core.review.votes import Receipt, cast_vote
from core.storage.database import PATIENT
from core.vocabulary import AnswerKind, ItemState, Role
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, CANNOT, DELIVERY, NOW, REFUND, SKIP, Desk, said
from tests.core.models import claimed, requested, seeded, ticking
from tests.people import ANA, BEN, CLEO, EVA, support_policy

Outcome = Receipt | Refusal
CROWD = tuple(f"U_{number:02}" for number in range(16))


def at_once(acts: Sequence[Callable[[], Receipt]], threads: int = 16) -> list[Outcome]:
    """All acts, as simultaneously as threads can be; what each was told."""
    start = threading.Barrier(threads)

    def ready() -> None:
        start.wait(10)

    def told(act: Callable[[], Receipt]) -> Outcome:
        try:
            return act()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(threads, initializer=ready) as pool:
        return list(pool.map(told, acts))


@pytest.mark.slow
def test_a_hundred_simultaneous_clicks_with_repeats_make_one_correction(open_desk: OpenDesk) -> None:
    people = (ANA, BEN, EVA, "U_FAY", "U_GIL")
    desk = open_desk(reviewers=people, consensus={"votes": 5})
    item_id = desk.ticket()
    answers = (REFUND, BILLING, DELIVERY, SKIP, CANNOT)
    clicks = [
        (person, answers[(place + turn) % 5], 10 + turn) for place, person in enumerate(people) for turn in range(5)
    ]
    deliveries = clicks * 4
    random.Random(7).shuffle(deliveries)
    outcomes = at_once([partial(desk.click, click[0], item_id, click[1], at=click[2]) for click in deliveries])
    assert len(outcomes) == len(deliveries) == 100
    if desk.item(item_id).state is not ItemState.SETTLED:
        for person in people[:3]:
            desk.click(person, item_id, REFUND)
    assert len(desk.corrections(item_id)) == 1
    assert max(Counter(answer.person for answer in desk.answers(item_id, current=True)).values()) == 1
    stored = Counter((answer.person, answer.clicked_at) for answer in desk.answers(item_id))
    assert max(stored.values()) == 1, "a repeated click was stored twice"
    votes = [answer for answer in desk.answers(item_id, current=True) if answer.kind.is_vote]
    assert sum(desk.correction(item_id).tally.values()) == len(votes)


def test_each_persons_newest_click_wins_in_whatever_order_they_arrive(open_desk: OpenDesk) -> None:
    desk = open_desk(reviewers=CROWD, consensus={"votes": 15, "rule": "majority"})
    item_id = desk.ticket()
    clicks = [
        (person, answer, at) for person in CROWD[:4] for at, answer in enumerate((REFUND, SKIP, BILLING), start=1)
    ]
    random.Random(3).shuffle(clicks)
    at_once([partial(desk.click, click[0], item_id, click[1], at=click[2]) for click in clicks], threads=12)
    assert [
        (a.person, a.label, a.clicked_at) for a in sorted(desk.answers(item_id, current=True), key=lambda a: a.person)
    ] == [(person, BILLING, 3) for person in CROWD[:4]]


def test_of_sixteen_people_at_once_three_votes_count_and_thirteen_are_told_why(open_desk: OpenDesk) -> None:
    desk = open_desk(reviewers=CROWD, consensus={"rule": "majority", "votes": 5})
    item_id = desk.ticket()
    outcomes = at_once([partial(desk.click, person, item_id, REFUND) for person in CROWD])
    counted = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadySettled)]
    assert (len(counted), len(refused)) == (3, 13)
    assert sum(receipt.settled for receipt in counted) == 1
    assert {str(refusal) for refusal in refused} == {
        f"Item {item_id} is already decided: refund (3 of 3 votes). Your click changed nothing."
    }
    assert len(desk.answers(item_id)) == 3
    assert desk.correction(item_id).tally == {REFUND: 3}


def test_an_item_never_gets_more_votes_than_it_may(open_desk: OpenDesk) -> None:
    desk = open_desk(reviewers=CROWD, consensus={"rule": "majority", "votes": 4})
    item_id = desk.ticket()
    answers = (REFUND, BILLING)
    outcomes = at_once([partial(desk.click, CROWD[place], item_id, answers[place % 2]) for place in range(16)])
    receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    assert len(desk.answers(item_id)) == len(receipts) <= 4
    assert desk.item(item_id).state in (ItemState.SETTLED, ItemState.DISPUTED)


def test_one_person_at_the_daily_cap_cannot_slip_past_it_on_several_items_at_once(open_desk: OpenDesk) -> None:
    desk = open_desk(workload={"daily_cap": 3})
    items = [desk.ticket() for _number in range(8)]
    outcomes = at_once([partial(desk.click, ANA, item_id, REFUND) for item_id in items], threads=8)
    assert sum(isinstance(outcome, Receipt) for outcome in outcomes) == 3
    assert {str(outcome)[:30] for outcome in outcomes if isinstance(outcome, Refusal)} == {
        "You've reached today's limit o"
    }


def test_two_leads_at_once_settle_a_dispute_once(open_desk: OpenDesk) -> None:
    desk = open_desk(leads=[CLEO, "U_LEA"])
    item_id = desk.ticket()
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY)):
        desk.click(person, item_id, answer)
    leads = ((CLEO, REFUND), ("U_LEA", BILLING)) * 4
    outcomes = at_once([partial(desk.click, lead[0], item_id, lead[1]) for lead in leads], threads=8)
    assert sum(isinstance(outcome, Receipt) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadySettled) for outcome in outcomes) == 7
    assert desk.correction(item_id).lead in (CLEO, "U_LEA")


def test_a_vote_and_its_withdrawal_at_once_end_in_one_of_the_two(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND, at=1)
    acts: list[Callable[[], Receipt]] = [
        partial(desk.undo, ANA, item_id, at=3),
        partial(desk.click, ANA, item_id, BILLING, at=2),
        partial(desk.click, BEN, item_id, REFUND, at=1),
    ]
    at_once(acts * 4, threads=12)
    current = {answer.person: answer for answer in desk.answers(item_id, current=True)}
    assert set(current) == {ANA, BEN}
    settled = desk.item(item_id).state is ItemState.SETTLED
    assert (current[ANA].clicked_at == 1) == settled
    assert settled or current[ANA].clicked_at == 3


def test_processes_that_start_at_once_with_another_policy_all_start(desk: Desk) -> None:
    named = {"reviewers": [ANA, BEN, "U_NEW"], "leads": [CLEO, "U_MIA"]}
    policy = support_policy(guideline="Vouchers are refunds too.", **named)
    acts: list[Callable[[Session], None]] = [
        lambda session: sync_queues(session, policy, NOW),
        lambda session: sync_group(session, "S_NIGHT", [ANA, BEN]),
        lambda session: sync_members(session, desk.queue().id, Role.LEAD, [Person(CLEO), Person("U_MIA")]),
        lambda session: draw_by_policy(session, policy, NOW),
    ]

    def start(act: Callable[[Session], None]) -> Receipt:
        with desk.database.transaction(wait=PATIENT) as session:
            act(session)
        return Receipt(CardRef(0), AnswerKind.SKIP, None)

    told = at_once([partial(start, act) for act in acts for _ in range(4)])
    assert [one for one in told if isinstance(one, Refusal)] == []
    with desk.database.reading() as session:
        assert queue_named(session, "support").guideline_version == 2
        assert members(session, desk.queue().id, Role.LEAD) == [CLEO, "U_MIA"]
        assert "U_NEW" in members(session, desk.queue().id, Role.REVIEWER)
        assert people_named(session, ["S_NIGHT"]) == [ANA, BEN]


@pytest.mark.slow
@pytest.mark.parametrize("first", ["the vote", "the trainer"])
def test_an_example_that_becomes_golden_beside_a_snapshot_is_kept_out_of_it_or_not_measured_on(
    open_on_postgresql: OpenDesk, first: str
) -> None:
    """Numbers are given out in another order than they are committed in: a vote under way has a lower one."""
    golden = {"seed_share": 0.0, "random_share": 1.0}
    desk = seeded(open_on_postgresql(review={"blind_share": 1.0}, golden=golden))
    near_a_seed, other = desk.ticket("i want my money back for the lamp !"), desk.ticket("quite another matter, thanks")
    for item_id in (near_a_seed, other):
        desk.click(ANA, item_id, BILLING)
    assert requested(desk) is not None
    job, voted, go = claimed(desk), threading.Event(), threading.Event()

    def vote() -> None:
        with desk.database.transaction(wait=PATIENT) as session:
            cast_vote(session, CardRef(near_a_seed), BEN, said(BILLING), NOW, desk.policy)
            voted.set()
            go.wait(20)

    with ThreadPoolExecutor(2) as pool:
        voting = pool.submit(vote)
        voted.wait(20)
        desk.click(EVA, other, BILLING)  # settles, with the higher number
        training = pool.submit(train, desk.database, job, ticking(), desk.policy)
        if first == "the trainer":
            wait([training], timeout=1)
        go.set()
        voting.result(20)
        training.result(60)
    with desk.database.reading() as session:
        snapshot = session.scalars(select(Snapshot)).one()
        measured = [row.input for row in golden_set(session, snapshot.queue_id, snapshot.golden_up_to)]
        rows = [row.input for row in snapshot_rows(session, snapshot.id)]
    assert len(measured) == 2
    assert not any(near(rows, measured, desk.rules.golden.near_duplicate))
