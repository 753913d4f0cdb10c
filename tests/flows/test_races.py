"""Many people at once on one item, through real buttons. Verbs under threads have their own tests in tests/core."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from bot.sandbox.client import Outcome, SandboxClient
from core.records.reviews import Answer, Correction
from tests.flows.conftest import StartLoop
from tests.loop import Loop
from tests.people import REVIEW, support_policy, workspace

RECEIPT = re.compile(r"Item \d+: ")
CROWD = tuple(f"U_{number:02}" for number in range(16))
UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}


def crowded(start_loop: StartLoop) -> Loop:
    """Sixteen reviewers; three equal votes settle an item."""
    policy = support_policy(reviewers=list(CROWD), consensus={"rule": "majority", "votes": 5})
    return start_loop(policy, workspace(reviewers=CROWD))


@pytest.mark.slow
def test_of_sixteen_who_click_at_once_three_count_and_thirteen_are_told(start_loop: StartLoop) -> None:
    loop = crowded(start_loop)
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late", person=loop.box.person(CROWD[0]))
    all_ready = Barrier(len(CROWD))  # who is late would find the settled card, which has no such button

    def click(person: str) -> Outcome:
        with SandboxClient(loop.box.address) as box:
            all_ready.wait(60)
            return box.person(person).click(card, "refund")

    with ThreadPoolExecutor(len(CROWD)) as pool:
        outcomes = list(pool.map(click, CROWD))
    assert all(outcome.ok and outcome.ms < 3000 for outcome in outcomes)

    def told() -> Counter[str]:
        counted: Counter[str] = Counter()
        for person in CROWD:
            for message in loop.box.person(person).messages(REVIEW):
                if message.ephemeral:
                    counted["recorded" if RECEIPT.match(message.plain) else "refused"] += 1
        return counted

    loop.box.wait_for(lambda: told().total() == len(CROWD))
    assert told() == {"recorded": 3, "refused": 13}
    with loop.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 3
        assert session.scalar(select(func.count()).select_from(Correction)) == 1


@pytest.mark.slow
def test_a_hundred_clicks_with_retries_leave_one_correction_and_one_answer_each(start_loop: StartLoop) -> None:
    loop = crowded(start_loop)
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late", person=loop.box.person(CROWD[0]))
    loop.box.fault("chat.update", "ratelimited", times=1000, retry_after=1)  # everyone keeps seeing the open card
    labels = ("refund", "delivery", "None of these")

    def click(number: int) -> Outcome:
        with SandboxClient(loop.box.address) as box:
            person = box.person(CROWD[number % 4])
            return person.click(card, labels[number % 3], retries=number % 2)

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(click, range(100)))
    assert all(outcome.ok for outcome in outcomes)
    with loop.database.reading() as session:
        current = select(Answer.person, func.count()).where(Answer.is_current).group_by(Answer.person)
        assert all(count == 1 for _person, count in session.execute(current))
        before = session.scalar(select(func.count()).select_from(Correction)) or 0
        assert before <= 1
    for person in CROWD[4:10]:
        assert loop.box.person(person).click(card, "Skip").ok
    with loop.database.reading() as session:
        assert (session.scalar(select(func.count()).select_from(Correction)) or 0) == before
