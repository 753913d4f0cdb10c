"""`goldloop status`: what waits, what fails, what to do, on one screen."""

from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from bot.cli.status import shown_age
from bot.runtime.clock import utc_now
from bot.runtime.processes import is_gone
from bot.slack.delivery.deliver import DELIVERY
from core.records.jobs import Job
from core.storage import leases
from core.vocabulary import AnswerKind
from tests.core.desk import Desk
from tests.core.models import candidate, seeded
from tests.operations.conftest import Place
from tests.people import ANA, BEN, support_policy


def status(place: Place, monkeypatch: pytest.MonkeyPatch) -> Result:
    for name, value in place.values.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner().invoke(app, ["status"])


def at_work(place: Place) -> None:
    with place.database.transaction() as session:
        leases.acquire(session, DELIVERY, "another-host:12:abc", utc_now(), is_gone)


def test_where_nothing_waits_it_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work(place)
    done = status(place, monkeypatch)
    assert done.exit_code == 0, done.output
    assert "Nothing fails, and nothing waits for a lead." in done.output
    assert done.output.splitlines()[1].split() == ["support", "0", "–", "0", "0", "–", "–", "none", "yet"]


def test_it_says_what_waits_what_fails_and_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(place.database, support_policy())
    desk.ticket(now=utc_now() - timedelta(hours=5))
    disputed = desk.ticket(now=utc_now())
    for person in (ANA, BEN):
        desk.click(person, disputed, AnswerKind.CANNOT_JUDGE)
    candidate(seeded(desk), now=utc_now())
    with place.database.transaction() as session:
        session.add(
            Job(name="train", key="train 9", payload={}, state="dead", failure_reason="no space",
                next_attempt_at=utc_now())
        )  # fmt: skip
    done = status(place, monkeypatch)
    assert done.exit_code == 1
    assert "support  1     5 h" in done.output
    said = " ".join(done.output.split())
    for words in (
        "Reviewers could not settle 1 item of support. → Ask a lead",
        "A decision is pending on v1 of support. → Ask a lead to react",
        "No worker is sending to Slack",
        "train (train 9) failed permanently: no space → Fix the cause",
    ):
        assert words in said, done.output


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_an_age_is_shown_in_one_unit(age: timedelta, shown: str) -> None:
    assert shown_age(age) == shown
