"""Retraining by schedule: each slot of the policy's cron requests one run, however many processes check it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from slack_sdk import WebClient
from sqlalchemy import select

from bot.runtime.services import Services, assemble
from bot.worker.training import SCHEDULED_RUN, request_scheduled_run
from core import jobs
from core.policy_in_force.sync import sync_queues
from core.records.learning import TrainingRun
from core.storage.database import PATIENT, Database
from core.vocabulary import RunState, Trigger
from tests.people import support_policy
from tests.steps import step_of

note_due_schedules = step_of("schedules")

SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(services: Services, now: datetime) -> Services:
    return replace(services, clock=lambda: now)


def test_monday_at_three_asks_once_and_an_outage_of_weeks_asks_once(database: Database) -> None:
    policy = support_policy(retraining={"corrections": 0, "cron": "0 3 * * mon"})
    with database.transaction(wait=PATIENT) as session:
        sync_queues(session, policy, SUNDAY)
    first, second = (assemble(database, WebClient(), policy) for _ in range(2))

    def look(now: datetime) -> list[Trigger]:
        for clock in (first, second, first):
            note_due_schedules(at(clock, now))
        while request_scheduled_run(at(first, now)):
            pass
        with database.transaction(wait=PATIENT) as session:
            runs = session.scalars(select(TrainingRun).order_by(TrainingRun.id)).all()
            for run in runs:
                run.state = RunState.DONE  # so that the next slot may ask again
            return [run.trigger for run in runs]

    assert look(SUNDAY) == []
    assert look(SUNDAY + timedelta(hours=15, seconds=-1)) == []
    assert look(SUNDAY + timedelta(hours=15)) == [Trigger.CRON]
    assert look(SUNDAY + timedelta(hours=16)) == [Trigger.CRON]
    assert look(SUNDAY + timedelta(weeks=5)) == [Trigger.CRON, Trigger.CRON]


def test_a_slot_of_a_queue_that_left_the_policy_holds_no_other_up(database: Database) -> None:
    policy = support_policy(retraining={"corrections": 0, "cron": "0 3 * * mon"})
    with database.transaction(wait=PATIENT) as session:
        sync_queues(session, policy, SUNDAY)
        jobs.enqueue(session, SCHEDULED_RUN, "of one that is gone", {"queue": "returns"}, SUNDAY)
        jobs.enqueue(session, SCHEDULED_RUN, "of one that is there", {"queue": "support"}, SUNDAY)
    services = at(assemble(database, WebClient(), policy), SUNDAY + timedelta(hours=1))
    while request_scheduled_run(services):
        pass
    with database.reading() as session:
        assert len(session.scalars(select(TrainingRun.id)).all()) == 1
