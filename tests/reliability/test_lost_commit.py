"""The connection breaks while COMMIT is under way. It was executed or never arrived: this cannot be known. People are
told so, repeating is safe, and the result is the same."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import func, select, text

from bot.runtime.clock import utc_now
from core.errors import CommitOutcomeUnknown, DatabaseUnavailable
from core.learning.data.seeds import add_seeds
from core.records.delivery import Posting
from core.records.learning import Decision, ModelVersion
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.storage.database import Database
from core.vocabulary import Scope
from tests.api.conftest import Api, running
from tests.core.desk import opened, sent
from tests.flows.conftest import SEEDS
from tests.loop import Loop, running_loop
from tests.people import LEADS, REVIEW, support_policy
from tests.reliability.proxy import Proxy

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
Lose = Callable[[bytes], None]


@pytest.fixture(params=["the answer is lost", "the commit is lost"])
def lose(request: pytest.FixtureRequest, proxy: Proxy) -> Lose:
    """Of the next transaction with these words."""
    answer_only = request.param == "the answer is lost"
    return lambda words: proxy.lose_commit(after=words, answer_only=answer_only)


@pytest.fixture
def loop(shaky: Database, straight: Database) -> Iterator[Loop]:
    with running_loop(shaky, straight) as running:
        yield running


def count(database: Database, what: type[object]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def is_known(loop: Loop, ts: str) -> bool:
    """Where the message stands is stored."""
    with loop.database.reading() as session:
        return session.scalar(select(Posting.id).where(Posting.ts == ts)) is not None


@pytest.mark.slow
def test_a_vote_is_one_vote_and_one_correction(loop: Loop, proxy: Proxy, lose: Lose) -> None:
    loop.predict("T-1", "the sofa came late", UNSURE)
    card = loop.card("the sofa came late")
    lose(b"INSERT INTO answer")
    assert loop.ana.click(card, "refund").ok
    loop.told(loop.ana, "may or may not")
    assert proxy.lost_commits == 1
    assert loop.ana.click(card, "refund").ok
    loop.told(loop.ana, "Item 1:")
    lose(b"INSERT INTO correction")
    assert loop.ben.click(card, "refund").ok
    loop.told(loop.ben, "may or may not")
    assert proxy.lost_commits == 2
    assert loop.ben.click(card, "refund").ok
    loop.card("*refund* (2 votes)")
    with loop.database.reading() as session:
        current = session.scalars(select(Answer.person).where(Answer.is_current).order_by(Answer.person)).all()
        assert current == ["U_ANA", "U_BEN"]
        assert session.scalars(select(Correction.tally)).one() == {"refund": 2}
    cards = [one for one in loop.ana.messages(REVIEW) if "the sofa came late" in one.plain and not one.ephemeral]
    assert len(cards) == 1


@pytest.mark.slow
def test_a_lead_promotes_once_and_a_run_makes_one_candidate(loop: Loop, proxy: Proxy, lose: Lose) -> None:
    with loop.database.transaction() as session:
        add_seeds(session, SEEDS, utc_now(), loop.queue)
    lose(b"INSERT INTO model_version")
    loop.retrain()
    report = loop.card("v1 compared with", channel=LEADS)
    assert proxy.lost_commits == 1
    loop.box.wait_for(lambda: is_known(loop, report.ts))
    lose(b"INSERT INTO decision")
    assert not loop.cleo.react(report, "white_check_mark").ok, "not acknowledged, so Slack keeps the event"
    loop.box.wait_for(lambda: proxy.lost_commits == 2)
    loop.box.advance(61)
    loop.card("v1 is live", channel=LEADS)
    assert count(loop.database, ModelVersion) == 1
    assert count(loop.database, Decision) == 1


@pytest.fixture
def api(shaky: Database, unused_port: int) -> Iterator[Api]:
    with running(opened(shaky, support_policy()), unused_port) as served:
        yield served


def test_a_repeated_api_request_is_stored_once(api: Api, straight: Database, proxy: Proxy, lose: Lose) -> None:
    row = sent("the sofa came late")
    token = api.token(Scope.INGEST)

    def send() -> httpx.Response:
        return api.call("POST", "support/predictions", token, json=row)

    lose(b"INSERT INTO prediction")
    answer = send()
    assert proxy.lost_commits == 1
    assert (answer.status_code, answer.json()["code"]) == (503, "commit_outcome_unknown")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    again = send().json()
    assert again["new"] + again["repeated"] == 1
    assert count(straight, Prediction) == 1
    assert count(straight, ReviewItem) == 1


def _broken_off(database: Database, proxy: Proxy) -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO noted VALUES ('something')"))
        assert proxy.reset_all() > 0
        session.execute(text("INSERT INTO noted VALUES ('more')"))


def test_a_connection_that_breaks_before_the_commit_leaves_nothing_and_says_so(
    shaky: Database, straight: Database, proxy: Proxy
) -> None:
    with straight.transaction() as session:
        session.execute(text("CREATE TABLE noted (words text)"))
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable, match="Nothing was recorded") as refusal:
            _broken_off(shaky, proxy)
        assert not isinstance(refusal.value, CommitOutcomeUnknown)
    with shaky.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM noted")) == 0
