"""The network to the database drops all packets: there is no error and no answer. People are told in time."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from slack_sdk import WebClient
from sqlalchemy import select, text
from sqlalchemy.pool import QueuePool

from bot.observability.liveness import Liveness
from bot.runtime.services import assemble
from bot.sandbox.client import Outcome, SandboxClient
from bot.server.app import create_listener
from bot.server.listener import listening
from core.errors import DatabaseUnavailable
from core.records.reviews import Answer
from core.storage.database import Database
from core.storage.deadlines import finished_within
from core.vocabulary import Scope
from tests.api.conftest import running
from tests.core.desk import opened, sent
from tests.loop import Loop, running_loop
from tests.people import LABELS, LEADS, support_policy, workspace
from tests.reliability.proxy import Proxy

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
IN_TIME = 2500  # milliseconds
KEPT = 1  # connection, by the look for changes, as long as the worker runs
CROWD = tuple(f"U_{number:02}" for number in range(24))
ITEMS = 4  # each with six people and three labels: none of them is settled before all have voted


@pytest.fixture(params=["socket", "http"])
def loop(request: pytest.FixtureRequest, shaky: Database, straight: Database, unused_port: int) -> Iterator[Loop]:
    policy = support_policy(reviewers=list(CROWD), consensus={"rule": "majority", "votes": 15})
    port = unused_port if request.param == "http" else None
    with running_loop(shaky, straight, policy, workspace(reviewers=CROWD), port) as running:
        yield running


def answers(loop: Loop) -> list[str]:
    """Of whom something is stored, once for each time."""
    with loop.database.reading() as session:
        return list(session.scalars(select(Answer.person)))


def connections_in_use(loop: Loop) -> int:
    pool = loop.services.database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def slowest(outcomes: Iterable[Outcome]) -> float:
    return max(outcome.ms for outcome in outcomes)


@pytest.mark.slow
def test_two_dozen_people_who_click_at_once_are_told_in_time_and_acknowledged_clicks_are_stored(
    loop: Loop, proxy: Proxy
) -> None:
    for number in range(ITEMS):
        loop.predict(f"T-{number}", f"ticket number {number}", UNSURE)
    cards = [loop.card(f"ticket number {number}", person=loop.box.person(CROWD[0])) for number in range(ITEMS)]

    assert loop.cleo.command("/goldloop help", channel=LEADS).ok  # the workspace makes what it calls us with
    with ExitStack() as stack, ThreadPoolExecutor(len(CROWD)) as pool:
        boxes = [stack.enter_context(SandboxClient(loop.box.address)) for _person in CROWD]  # making one takes long

        def click(place: int) -> Outcome:
            return boxes[place].person(CROWD[place]).click(cards[place % ITEMS], LABELS[place % len(LABELS)])

        with proxy.black_hole():
            outcomes = list(pool.map(click, range(len(CROWD))))
        assert all(outcome.ok for outcome in outcomes)
        for person in CROWD:
            loop.told(loop.box.person(person), "Nothing was recorded")
        assert answers(loop) == []
        loop.box.wait_for(lambda: connections_in_use(loop) <= KEPT, what="the number of connections in use")
        again = list(pool.map(click, range(len(CROWD))))
        assert all(outcome.ok for outcome in again)
    assert slowest(outcomes) < IN_TIME + slowest(again)  # which is little, unless this machine has much else to do
    for place, person in enumerate(CROWD):
        loop.told(loop.box.person(person), f"Item {place % ITEMS + 1}:")
    assert sorted(answers(loop)) == list(CROWD)


@pytest.mark.slow
def test_every_kind_of_request_is_answered_in_time(loop: Loop, proxy: Proxy) -> None:
    loop.predict("T-1", "the sofa came late", UNSURE)
    ana = loop.box.person(CROWD[0])
    card = loop.card("the sofa came late", person=ana)
    assert ana.click(card, "Why?").ok
    loop.box.wait_for(lambda: ana.view)
    with proxy.black_hole():
        form = ana.submit({"label": "refund"})
        assert ana.click(card, "Why?").ok
        view = loop.box.wait_for(lambda: ana.view)
        command = loop.cleo.command("/goldloop stats", channel=LEADS)
        undo = loop.box.person(CROWD[1]).click(card, "Skip")
    assert view is not None
    assert "try again" in view.plain
    for outcome in (form, command, undo):
        assert outcome.ok
        assert outcome.ms < IN_TIME
    assert "Nothing was recorded" in str(form.response)
    assert "Nothing was recorded" in str(command.response)
    assert answers(loop) == []


@pytest.mark.slow
def test_a_program_is_told_when_to_try_again(
    shaky: Database, straight: Database, proxy: Proxy, unused_port: int
) -> None:
    with running(opened(shaky, support_policy()), unused_port) as api:
        token, row = api.token(Scope.INGEST), sent("the sofa came late")
        with proxy.black_hole():
            answer = api.call("POST", "support/predictions", token, json=row)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.elapsed.total_seconds() * 1000 < IN_TIME
        assert api.call("POST", "support/predictions", token, json=row).json()["new"] == 1


@pytest.mark.slow
def test_health_is_answered_in_time_however_often_it_is_asked(shaky: Database, proxy: Proxy, unused_port: int) -> None:
    services, address = assemble(shaky, WebClient(), support_policy()), f"http://127.0.0.1:{unused_port}/health"

    def ask(path: str) -> httpx.Response:
        return httpx.get(address + path, timeout=10)

    with (
        listening(create_listener(services, Liveness()), "127.0.0.1", unused_port),
        ThreadPoolExecutor(6) as pool,
    ):
        assert ask("/ready").status_code == 200
        with proxy.black_hole():
            answers = list(pool.map(ask, ["", "/ready"] * 3))
        assert [answer.status_code for answer in answers] == [503] * 6
        assert [answer.json()["database"]["ok"] for answer in answers[1::2]] == [False] * 3
        again = list(pool.map(ask, ["", "/ready"] * 3))
        assert [answer.status_code for answer in again] == [200] * 6
        assert longest(answers) < IN_TIME + longest(again)  # which is little, unless this machine has much else to do


def longest(answers: Sequence[httpx.Response]) -> float:
    """Milliseconds."""
    return max(answer.elapsed.total_seconds() for answer in answers) * 1000


@pytest.mark.slow
def test_rows_locked_by_a_disconnected_client_are_free_again_in_seconds(
    shaky: Database, straight: Database, proxy: Proxy
) -> None:
    with straight.transaction() as session:
        session.execute(text("CREATE TABLE noted (words text)"))
        session.execute(text("INSERT INTO noted VALUES ('before')"))
    try:
        with pytest.raises(DatabaseUnavailable):
            _cut_off(shaky, proxy)
        with straight.transaction(wait=10) as session:
            session.execute(text("UPDATE noted SET words = 'after'"))
    finally:
        proxy.flow()
    with straight.reading() as session:
        assert session.scalars(text("SELECT words FROM noted")).all() == ["after"]


def _cut_off(database: Database, proxy: Proxy) -> None:
    """The server has the lock for us and waits for what comes next."""
    with finished_within(1), database.transaction() as session:
        session.execute(text("SELECT words FROM noted FOR UPDATE"))
        proxy.swallow()
        session.execute(text("UPDATE noted SET words = 'cut off'"))


@pytest.mark.slow
def test_all_transactions_of_one_request_end_together(shaky: Database, proxy: Proxy) -> None:
    with proxy.black_hole(), finished_within(0.5):
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable), shaky.transaction() as session:
                session.execute(text("SELECT 1"))
    with shaky.transaction() as session:
        assert session.scalar(text("SELECT 1")) == 1
