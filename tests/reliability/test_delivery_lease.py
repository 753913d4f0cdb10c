"""The lease on delivery: of several workers, the one that holds it sends to Slack. Each message is sent once,
within the rates, whichever worker dies."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.runtime.processes import this_process
from bot.slack.delivery.deliver import DELIVERY
from core.delivery import notices
from core.records.delivery import Posting
from core.records.leased import Lease
from core.storage import leases
from core.storage.database import PATIENT, Database
from core.storage.leases import EXCLUSIVE_LEASE, Outcome
from core.vocabulary import NoticeKind
from tests.people import LEADS, REMINDER, workspace
from tests.reliability.slow_motion import ELSEWHERE, Stage, staged


@pytest.mark.slow
def test_two_workers_together_keep_slacks_rates(database: Database) -> None:
    with staged(database, workspace(rates=True)) as stage:
        one, two = stage.worker(), stage.worker(f"{ELSEWHERE}:two")
        items = [stage.ticket(f"ticket number {number} of many") for number in range(12)]
        stage.work(one, two, seconds=19, every=0.5)
        for _redraw in range(6):
            with database.transaction() as session:
                for posting in session.scalars(select(Posting)):
                    posting.requested_version, posting.urgent = posting.requested_version + 1, True
                for worker in (one, two):  # so that the lease changes hands
                    leases.relinquish(session, DELIVERY, worker.process)
            one, two = two, one
            stage.work(one, two, seconds=8, every=0.5)
        stage.work(one, two, seconds=25, every=0.5)
        assert stage.waiting() == 0
        assert len(stage.cards("of many")) == len(items)
        assert stage.calls("chat.postMessage", "chat.update").count("ratelimited") == 0


@pytest.mark.slow
def test_two_workers_post_each_card_once_and_send_each_notice_once(stage: Stage) -> None:
    workers = stage.worker(), stage.worker(f"{ELSEWHERE}:two"), stage.worker(f"{ELSEWHERE}:three")
    items = [stage.ticket(f"ticket number {number} of many") for number in range(6)]
    stage.work(*workers, seconds=10)
    for item in items:
        stage.settle(item)
    with stage.desk.database.transaction() as session:
        for number in range(3):
            notices.notify(session, NoticeKind.DECISION_PENDING, f"k{number}", LEADS, None, REMINDER, stage.now())
    stage.work(*workers, seconds=15)
    assert len(stage.cards("*refund* (2 votes)")) == len(items)
    assert len(stage.cards("v1 has been waiting", channel=LEADS)) == 3
    assert len(stage.calls("chat.postMessage")) == len(items) + 3


LEASE = "under test"  # its name, not that of delivery: the workers of the stage do not ask for it


def whose(stage: Stage, who: str, gone: str = "", after: timedelta = timedelta(0)) -> Outcome:
    with stage.desk.database.transaction(wait=PATIENT) as session:
        return leases.acquire(session, LEASE, who, stage.now() + after, lambda name: name == gone)


def test_a_lease_belongs_to_one_process_until_it_releases_it_or_is_silent_too_long(stage: Stage) -> None:
    second = timedelta(seconds=1)
    assert whose(stage, "one") is Outcome.ACQUIRED
    assert whose(stage, "two") is Outcome.TAKEN
    assert whose(stage, "one", after=EXCLUSIVE_LEASE - second) is Outcome.HELD
    assert whose(stage, "two", after=EXCLUSIVE_LEASE + second) is Outcome.TAKEN, "it was renewed"
    assert whose(stage, "two", after=2 * EXCLUSIVE_LEASE) is Outcome.ACQUIRED
    assert whose(stage, "one", after=2 * EXCLUSIVE_LEASE) is Outcome.TAKEN
    assert whose(stage, "one", gone="two", after=2 * EXCLUSIVE_LEASE) is Outcome.ACQUIRED, (
        "a dead process holds nothing"
    )
    with stage.desk.database.transaction() as session:
        leases.relinquish(session, LEASE, "two")
    assert whose(stage, "two", after=2 * EXCLUSIVE_LEASE) is Outcome.TAKEN, "only its holder releases it"
    with stage.desk.database.transaction() as session:
        leases.relinquish(session, LEASE, "one")
    assert whose(stage, "two", after=2 * EXCLUSIVE_LEASE) is Outcome.ACQUIRED


def test_one_of_many_processes_gets_the_lease_however_often_it_is_released(stage: Stage) -> None:
    def want(who: str) -> int:
        got = 0
        for _look in range(15):
            if whose(stage, who) is not Outcome.TAKEN:
                got += 1
                with stage.desk.database.transaction(wait=PATIENT) as session:
                    row = session.get_one(Lease, LEASE)
                    assert row.leased_by == who, "no other may have it before it is released"
                    leases.relinquish(session, LEASE, who)
        return got

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(want, "abcd")) > 0


def test_a_clock_that_is_put_back_an_hour_does_not_stop_delivery(stage: Stage) -> None:
    hour = timedelta(hours=1)
    assert whose(stage, "one", after=hour) is Outcome.ACQUIRED
    assert whose(stage, "one") is Outcome.HELD
    assert whose(stage, "two", after=hour) is Outcome.ACQUIRED
    assert whose(stage, "one") is Outcome.ACQUIRED, "a lease that ends in an hour does not count"


@pytest.mark.usefixtures("sqlite_only")
def test_when_the_delivering_worker_dies_on_this_machine_another_takes_over_at_once(stage: Stage) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    here = this_process().rsplit(":", 2)[0]
    first = stage.worker(f"{here}:{dead.pid}:one")
    with stage.desk.database.transaction() as session:
        leases.acquire(session, DELIVERY, first.process, stage.now(), lambda name: False)
    stage.ticket("the sofa came late")
    stage.work(stage.worker(f"{here}:{os.getpid()}:two"), seconds=2)
    assert len(stage.cards("the sofa came late")) == 1
