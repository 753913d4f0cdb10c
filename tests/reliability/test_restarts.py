"""PostgreSQL is stopped, crashes and comes back while people vote. No process of ours is restarted."""

import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import select

from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate
from bot.sandbox.client import ControlError, Message, SandboxClient
from core.learning.data.seeds import add_seeds
from core.records.reviews import Answer, Correction
from core.storage.database import Database
from tests.flows.conftest import SEEDS
from tests.loop import Loop, running_loop
from tests.people import LEADS, REVIEW, support_policy, workspace
from tests.postgres import PostgresServer

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
CROWD = tuple(f"U_{number:02}" for number in range(8))
ITEMS = 60
OUTAGES = 4
PORTION = 30  # clicks from one outage to the next: most items are still open when the last one begins
PAUSE = 0.4  # seconds, at most, before a click: there are some left while the server goes away
PATIENCE = 60.0
SEED = 20261124


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One that forgets nothing when it crashes, as in production."""
    made = PostgresServer(durable=True)
    yield made
    made.close()


@pytest.fixture
def loop(server: PostgresServer, unused_port: int) -> Iterator[Loop]:
    database = Database(server.url())
    migrate(database)
    policy = support_policy(reviewers=list(CROWD), consensus={"rule": "majority", "votes": 5})
    with running_loop(database, database, policy, workspace(reviewers=CROWD), unused_port) as running:
        yield running
    database.close()


RECEIPT = re.compile(r"Item \d+: ")


@dataclass
class Votes:
    """What people were told about their clicks: (person, ticket) -> sentences, the last one last. allowed: as many
    final answers, and then people wait."""

    told: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: int = 0
    unreachable: int = 0
    allowed: int = PORTION

    def note(self, person: str, ticket: int, sentence: str) -> bool:
        """True: a final answer, after which a person would not click again."""
        stands = "Nothing was recorded" not in sentence and "may or may not" not in sentence
        with self.lock:
            self.told.setdefault((person, ticket), []).append(sentence)
            self.done += stands
            self.unreachable += "cannot be reached" in sentence
        return stands


def vote_on_everything(loop: Loop, name: str, cards: list[Message], votes: Votes, chance: random.Random) -> None:
    """As people do: click, read what is said about it, click again if they are asked to."""
    order = list(range(len(cards)))
    chance.shuffle(order)
    with SandboxClient(loop.box.address) as box:
        person = box.person(name)

        def heard() -> list[str]:
            return [one.plain for one in person.messages(REVIEW) if one.ephemeral]

        for ticket in order:
            box.wait_for(lambda: votes.done < votes.allowed, PATIENCE)
            stands = False
            while not stands:
                time.sleep(chance.uniform(0, PAUSE))
                before = len(heard())
                try:
                    acknowledged = person.click(cards[ticket], "refund").ok
                except ControlError:  # it is settled, and its card has no buttons any more
                    stands = votes.note(name, ticket, "settled")
                    continue
                if acknowledged:
                    box.wait_for(lambda before=before: len(heard()) > before, PATIENCE)  # type: ignore[misc]
                    stands = votes.note(name, ticket, heard()[-1])


def readiness(loop: Loop, port: int) -> int:
    return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=10).status_code


@pytest.mark.slow
def test_votes_that_were_acknowledged_are_stored_and_every_card_catches_up(
    loop: Loop, server: PostgresServer, unused_port: int
) -> None:
    for number in range(ITEMS):
        loop.predict(f"T-{number}", f"ticket number {number:02}.", UNSURE)
    cards = [loop.card(f"ticket number {number:02}.", loop.box.person(CROWD[0])) for number in range(ITEMS)]
    with loop.database.transaction() as session:
        add_seeds(session, SEEDS, utc_now(), loop.queue)
    votes, chance = Votes(), random.Random(SEED)
    with ThreadPoolExecutor(len(CROWD)) as pool:
        people = [
            pool.submit(vote_on_everything, loop, name, cards, votes, random.Random(f"{SEED}{name}")) for name in CROWD
        ]
        for _outage in range(OUTAGES):
            due, told = votes.allowed, votes.unreachable
            loop.box.wait_for(lambda due=due: votes.done >= due, PATIENCE)  # type: ignore[misc]
            votes.allowed += PORTION
            loop.box.wait_for(lambda due=due: votes.done >= due + len(CROWD), PATIENCE)  # type: ignore[misc]
            chance.choice((server.stop, server.crash))()
            loop.box.wait_for(lambda told=told: votes.unreachable >= told + len(CROWD), PATIENCE)  # type: ignore[misc]
            assert readiness(loop, unused_port) == 503
            server.start()
            loop.box.wait_for(lambda: readiness(loop, unused_port) == 200, PATIENCE)
        votes.allowed = len(CROWD) * ITEMS
        for person in people:
            person.result(PATIENCE)
    compare(loop, votes)
    loop.retrain()
    loop.card("v1 compared with", channel=LEADS)
    for number in range(ITEMS):
        loop.box.wait_for(lambda number=number: "*refund* (3 votes)" in only_card(loop, number), PATIENCE)  # type: ignore[misc]


def compare(loop: Loop, votes: Votes) -> None:
    """Items are tickets plus one, for they were made in this order."""
    recorded = {which for which, told in votes.told.items() if any(RECEIPT.match(words) for words in told)}
    unknown = {which for which, told in votes.told.items() if any("may or may not" in words for words in told)}
    with loop.database.reading() as session:
        answers = session.execute(select(Answer.person, Answer.item_id).where(Answer.is_current)).all()
        corrected = session.scalars(select(Correction.item_id).where(Correction.is_current)).all()
        tallies = session.scalars(select(Correction.tally)).all()
    stored = {(person, item_id - 1) for person, item_id in answers}
    assert len(stored) == len(answers)
    assert recorded <= stored, "acknowledged and not stored"
    assert stored - recorded <= unknown, "stored and never acknowledged"
    assert sorted(corrected) == list(range(1, ITEMS + 1))
    assert tallies == [{"refund": 3}] * ITEMS


def only_card(loop: Loop, number: int) -> str:
    words = f"ticket number {number:02}."
    reader = loop.box.person(CROWD[0])
    [card] = [one for one in reader.messages(REVIEW) if words in one.plain and not one.ephemeral]
    return card.plain
