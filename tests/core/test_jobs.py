"""Scheduled work as rows: each slot once, however many clocks; each job done once, however many workers die."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from core import jobs
from core.jobs import LEASE, Children, Claim, LostLease
from core.policy.retraining import RetrainingPolicy
from core.records.jobs import Job
from core.storage.database import PATIENT, Database
from core.storage.leases import LONGEST_PAUSE, MOST_ATTEMPTS
from tests.core.desk import NOW

DAILY = RetrainingPolicy(cron="0 3 * * *").latest_slot
SECOND = timedelta(seconds=1)


def enqueue(database: Database, key: str = "train:1", mutex: str | None = None, now: datetime = NOW) -> None:
    with database.transaction() as session:
        jobs.enqueue(session, "train", key, {"run_id": 1}, now, mutex)


def claim(database: Database, worker: str = "one", after: timedelta = 0 * SECOND, name: str = "train") -> Claim | None:
    with database.transaction(wait=PATIENT) as session:
        return jobs.claim(session, name, worker, NOW + after)


def certain(claimed: Claim | None) -> Claim:
    assert claimed is not None
    return claimed


def stored(database: Database) -> list[Job]:
    with database.reading() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def reaped(database: Database, after: timedelta, is_dead: Callable[[str], bool] = lambda _name: False) -> list[int]:
    with database.transaction() as session:
        return [job.id for job in jobs.reap(session, NOW + after, is_dead)]


def tick(database: Database, now: datetime) -> None:
    with database.transaction(wait=PATIENT) as session:
        jobs.enqueue_due(session, "retrain:support", DAILY, "scheduled_run", {"queue": "support"}, now)


def work_and_finish(database: Database, claimed: Claim) -> None:
    """An effect, and the end of the job, in one transaction."""
    with database.transaction() as session:
        jobs.enqueue(session, "effect", f"effect of {claimed.id}", {}, NOW)
        jobs.finish(session, claimed)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        start.wait(10)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_a_key_is_one_row(database: Database) -> None:
    enqueue(database)
    enqueue(database)
    assert len(stored(database)) == 1


def test_a_schedule_met_for_the_first_time_starts_now(database: Database) -> None:
    tick(database, datetime(2026, 11, 24, 2, tzinfo=UTC))
    assert stored(database) == []
    tick(database, datetime(2026, 11, 24, 2, 59, 59, tzinfo=UTC))
    assert stored(database) == []
    tick(database, datetime(2026, 11, 24, 3, tzinfo=UTC))
    assert [job.key for job in stored(database)] == ["retrain:support@2026-11-24T03:00:00Z"]


def test_two_clocks_make_each_slot_once(database: Database) -> None:
    days = [datetime(2026, 11, day, 3, 0, 1, tzinfo=UTC) for day in (24, 25, 26)]
    for now in days:
        at_once(*[lambda now=now: tick(database, now)] * 4)
    assert [job.key[-20:] for job in stored(database)] == ["2026-11-25T03:00:00Z", "2026-11-26T03:00:00Z"]


def test_an_outage_of_a_week_is_one_run_and_no_slot_comes_again(database: Database) -> None:
    tick(database, datetime(2026, 11, 1, tzinfo=UTC))
    tick(database, datetime(2026, 11, 8, 12, tzinfo=UTC))
    tick(database, datetime(2026, 11, 8, 12, tzinfo=UTC))
    tick(database, datetime(2026, 11, 5, tzinfo=UTC))
    assert [job.key[-20:] for job in stored(database)] == ["2026-11-08T03:00:00Z"]


def test_a_job_is_claimed_by_one_worker(database: Database) -> None:
    for number in range(8):
        enqueue(database, f"train:{number}")

    def work() -> list[int]:
        taken = []
        misses = 0
        while misses < 3:  # a locked row is skipped, so "none" may only mean "not now"
            claimed = claim(database)
            misses = 0 if claimed else misses + 1
            taken += [claimed.id] if claimed else []
        return taken

    taken = [job for each in at_once(*[work] * 4) for job in each]
    assert sorted(taken) == [job.id for job in stored(database)]


def test_a_job_waits_for_its_time_and_its_name(database: Database) -> None:
    enqueue(database, now=NOW + SECOND)
    assert claim(database) is None
    assert claim(database, after=SECOND, name="evaluate") is None
    claimed = certain(claim(database, after=SECOND))
    assert (claimed.name, claimed.payload, claimed.attempt) == ("train", {"run_id": 1}, 1)


def test_of_one_mutex_one_job_runs_at_a_time(database: Database) -> None:
    for number in range(3):
        enqueue(database, f"train:{number}", mutex="train:support")
    claims = [one for one in at_once(*[lambda: claim(database)] * 6) if one is not None]
    assert [job.state for job in stored(database)].count("running") == len(claims) == 1
    enqueue(database, "train:9", mutex="train:sales")
    assert certain(claim(database)).id == stored(database)[-1].id, "another mutex does not wait"
    assert claim(database) is None
    with database.transaction() as session:
        jobs.finish(session, claims[0])
    assert certain(claim(database)).id not in (claims[0].id, stored(database)[-1].id)


def test_a_job_that_is_renewed_is_not_given_away(database: Database) -> None:
    enqueue(database)
    claimed = certain(claim(database))
    with database.transaction() as session:
        assert jobs.renew(session, claimed, NOW + 15 * SECOND)
    assert reaped(database, after=LEASE + SECOND) == []
    assert claim(database, "two", after=LEASE + SECOND) is None
    reaped(database, after=LEASE + 15 * SECOND)
    assert certain(claim(database, "two", after=LEASE + 15 * SECOND)).attempt == 2


def test_who_lost_the_lease_cannot_finish_renew_or_fail(database: Database) -> None:
    enqueue(database)
    lost = certain(claim(database))
    reaped(database, after=LEASE)
    new = certain(claim(database, after=LEASE))
    assert (new.attempt, new.claimed_by) == (2, lost.claimed_by), "even the same worker's former attempt is fenced off"
    with pytest.raises(LostLease):
        work_and_finish(database, lost)
    with database.transaction() as session:
        assert not jobs.renew(session, lost, NOW)
        jobs.fail(session, lost, "too late", NOW)
        assert jobs.renew(session, new, NOW + LEASE)
        jobs.finish(session, new)
    [job] = stored(database)
    assert (job.state, job.failure_reason) == ("done", "its worker stopped answering"), "and the effect was rolled back"


def test_a_worker_known_to_be_dead_loses_its_job_at_once(database: Database) -> None:
    enqueue(database, "a")
    enqueue(database, "b")
    claim(database, "dead")
    claim(database, "alive")
    assert reaped(database, after=SECOND, is_dead=lambda name: name == "dead") == []
    assert [job.state for job in stored(database)] == ["ready", "running"]


def test_a_failed_job_comes_again_after_pauses_and_is_dead_after_five(database: Database) -> None:
    enqueue(database)
    now, pauses = 0 * SECOND, []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claimed = certain(claim(database, after=now))
        assert claimed.attempt == attempt
        with database.transaction() as session:
            dead = jobs.fail(session, claimed, "ValueError: " + "x" * 1000, NOW + now)
        assert dead == (attempt == MOST_ATTEMPTS)
        [job] = stored(database)
        pauses.append(job.next_attempt_at - NOW - now)
        now += pauses[-1]
    assert pauses == [min(LONGEST_PAUSE, 2**attempt * SECOND) for attempt in range(1, 6)]
    assert (job.state, len(job.failure_reason)) == ("dead", 500)
    assert claim(database, after=timedelta(days=1)) is None


def taken_over(database: Database, after: timedelta, is_dead: Callable[[str], bool] = lambda _name: False) -> Any:
    with database.transaction(wait=PATIENT) as session:
        return jobs.take_over(session, "train", "train:1", "command", NOW + after, is_dead)


def test_a_person_takes_a_job_over_however_often_its_workers_have_died(database: Database) -> None:
    enqueue(database)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claim(database, after=attempt * LEASE)
        reaped(database, after=(attempt + 1) * LEASE)
    assert [job.state for job in stored(database)] == ["dead"]
    for killed in range(MOST_ATTEMPTS + 1):
        claimed = taken_over(database, killed * SECOND, is_dead=lambda name: name == "command")
        assert (claimed.attempt, claimed.claimed_by) == (1, "command")


def test_a_person_does_not_wait_for_the_next_attempt_and_takes_nothing_from_a_live_worker(database: Database) -> None:
    enqueue(database, now=NOW + LEASE)
    assert certain(taken_over(database, 0 * SECOND)).attempt == 1
    assert taken_over(database, SECOND) is None
    assert certain(taken_over(database, 2 * LEASE)).attempt == 1


def test_a_job_that_kills_its_worker_five_times_is_dead_and_reported_once(database: Database) -> None:
    enqueue(database)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claimed = certain(claim(database, after=attempt * LEASE))
        dead = reaped(database, after=(attempt + 1) * LEASE)
        assert dead == ([claimed.id] if attempt == MOST_ATTEMPTS else [])
    assert reaped(database, after=10 * LEASE) == []
    assert stored(database)[0].state == "dead"


def test_work_survives_workers_that_vanish_and_has_one_effect(database: Database) -> None:
    """Three workers; two vanish with their claim. The third does it all, each effect once."""
    for number in range(3):
        enqueue(database, f"train:{number}")
    claim(database, "vanishes")
    claim(database, "vanishes too")
    now = 0 * SECOND
    for _round in range(2):
        while (claimed := claim(database, "stays", after=now)) is not None:
            work_and_finish(database, claimed)
        now += LEASE
        reaped(database, after=now)
    assert sorted(job.state for job in stored(database)) == ["done"] * 3 + ["ready"] * 3


def test_a_lower_priority_number_goes_first_and_of_equals_the_oldest(database: Database) -> None:
    with database.transaction() as session:
        for key, priority, after in (("late", 0, 2), ("early", 0, 1), ("urgent", -1, 2), ("idle", 5, 0)):
            jobs.enqueue(session, "train", key, {}, NOW + after * SECOND, priority=priority)
    claims = [certain(claim(database, after=3 * SECOND)) for _job in range(4)]
    assert [one.key for one in claims] == ["urgent", "early", "late", "idle"]


def test_a_parent_has_a_job_for_each_shard_once_and_hears_when_all_have_ended(database: Database) -> None:
    enqueue(database)
    parent = certain(claim(database))
    for _attempt in range(2):
        with database.transaction() as session:
            jobs.enqueue_children(session, parent, "shard", [{"rows": n} for n in range(3)], NOW, priority=1)
    shards = [certain(claim(database, name="shard")) for _shard in range(3)]
    assert [(one.key, one.payload["rows"]) for one in shards] == [("train:1/0", 0), ("train:1/1", 1), ("train:1/2", 2)]
    assert [job.shard for job in stored(database)] == [None, 0, 1, 2]
    assert children(database, parent) == Children(total=3, done=0, dead=0)
    with database.transaction() as session:
        jobs.finish(session, shards[0])
        jobs.finish(session, shards[1])
    assert not children(database, parent).have_ended
    for attempt in range(1, MOST_ATTEMPTS + 1):
        with database.transaction() as session:
            jobs.fail(session, shards[2], "ValueError", NOW)
        if attempt < MOST_ATTEMPTS:
            shards[2] = certain(claim(database, name="shard", after=timedelta(hours=1)))
    assert children(database, parent) == Children(total=3, done=2, dead=1)
    assert children(database, parent).have_ended


def test_a_job_without_children_waits_for_none(database: Database) -> None:
    enqueue(database)
    assert children(database, certain(claim(database))).have_ended


def test_progress_is_reported_by_the_worker_that_holds_the_job(database: Database) -> None:
    enqueue(database)
    first = certain(claim(database))
    assert progress(database, first, 3)
    reaped(database, after=LEASE)
    second = certain(claim(database, after=LEASE))
    assert not progress(database, first, 9), "it is another worker's"
    assert stored(database)[0].progress == {"done": 3, "total": 10, "code": "reading"}
    assert progress(database, second, 4)


def test_a_parent_is_forgotten_after_its_children(database: Database) -> None:
    for key in ("old", "new"):
        enqueue(database, key)
        parent = certain(claim(database))
        with database.transaction() as session:
            jobs.enqueue_children(session, parent, "shard", [{}, {}], NOW)
            jobs.finish(session, parent)
        for _shard in range(2):
            work_and_finish(database, certain(claim(database, name="shard")))
    forgotten = []
    for _piece in range(3):
        with database.transaction() as session:
            forgotten.append(jobs.forget_before(session, NOW + SECOND))
    assert forgotten == [3, 1, 0]
    assert [job.key for job in stored(database) if job.name != "effect"] == ["new", "new/1"]


def children(database: Database, parent: Claim) -> Children:
    with database.reading() as session:
        return jobs.children(session, parent.id)


def progress(database: Database, claimed: Claim, done: int) -> bool:
    with database.transaction() as session:
        return jobs.report_progress(session, claimed, done, total=10, code="reading")
