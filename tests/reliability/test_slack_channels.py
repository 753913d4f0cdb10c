"""A channel accepts no messages any more: they wait, others are delivered, and the leads are told once what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.slack.directory.refresh import refresh_people
from bot.worker.clock_watch import repair_times
from core.delivery import notices
from core.people.members import members
from core.queues import queue_named
from core.records.delivery import Posting
from core.storage.database import PATIENT, Database
from core.vocabulary import NoticeKind, Role
from tests.core.models import candidate, seeded
from tests.people import ANA, BEN, DAN, EVA, LEADS, REMINDER, REVIEW, workspace
from tests.reliability.slow_motion import Stage, staged

BOT = workspace().apps[0].bot_user


@pytest.mark.slow
def test_a_removed_bot_asks_once_to_be_invited_and_continues_when_it_is(stage: Stage) -> None:
    worker = stage.worker()
    before = stage.ticket("was here before")
    stage.work(worker, seconds=3)
    stage.box.kick(BOT, REVIEW)
    for number in range(12):
        stage.ticket(f"ticket number {number} of many")
    stage.work(worker, seconds=5)
    stage.settle(before)
    stage.work(worker, seconds=10)
    assert "*refund* (2 votes)" in stage.cards("was here before")[0].plain, "what is there is redrawn all the same"
    stage.work(worker, seconds=600, every=5)
    [told] = stage.told()
    assert told == (
        f"I can't post in <#{REVIEW}>. I'm not in the channel. Invite me there: `/invite @goldloop`. "
        "12 messages are waiting."
    )
    [found] = stage.doctor()
    assert found.startswith(f"12 messages to {REVIEW} failed: not_in_channel → Invite the bot"), (
        "and no worker is missed"
    )
    assert stage.calls("chat.postMessage").count("not_in_channel") <= 6, "it asks now and then, whatever waits"
    stage.box.invite(BOT, REVIEW)
    refresh_people(worker)  # as after Slack's event that a member joined
    stage.work(worker, seconds=30)
    assert len(stage.cards("of many")) == 12
    assert stage.told()[1].startswith(f"Resolved: I can post in <#{REVIEW}> again, after failing since <!date^")
    assert (len(stage.told()), stage.doctor(), stage.waiting()) == (2, [], 0)
    stage.box.kick(BOT, REVIEW)
    stage.ticket("and once more")
    stage.work(worker, seconds=15)
    assert [words[:10] for words in stage.told()] == ["I can't po", "Resolved: ", "I can't po"]


@pytest.mark.usefixtures("sqlite_only")
def test_a_private_channel_from_which_the_bot_was_removed_keeps_its_reviewers_and_stops_no_process(
    database: Database,
) -> None:
    place = workspace()
    review, leads = place.channels
    private = replace(place, channels=(replace(review, private=True), leads))
    with staged(database, private, reviewers=[]) as stage:
        worker = stage.worker()
        refresh_people(worker)
        before = reviewers(database)
        stage.box.kick(BOT, REVIEW)
        refresh_people(worker)  # as at every start
        assert reviewers(database) == before
        assert {ANA, BEN, EVA} <= set(before)


def reviewers(database: Database) -> list[str]:
    with database.reading() as session:
        return members(session, queue_named(session, "support").id, Role.REVIEWER)


@pytest.mark.slow
def test_an_archived_channel_delays_its_cards_and_redraws_and_nothing_else(stage: Stage) -> None:
    worker = stage.worker()
    item = stage.ticket("the sofa came late")
    stage.work(worker, seconds=3)
    stage.box.archive(REVIEW)
    stage.settle(item)
    stage.ticket("a new one")
    candidate(seeded(stage.desk), now=stage.now())
    stage.work(worker, seconds=60, every=1)
    assert len(stage.cards("v1 compared with", channel=LEADS)) == 1
    assert len(stage.told()) == 1
    assert "2 messages" in " ".join(stage.doctor())
    stage.box.archive(REVIEW, undo=True)
    stage.work(worker, seconds=330, every=5)
    [card] = stage.cards("the sofa came late")
    assert "*refund* (2 votes)" in card.plain
    assert (len(stage.cards("a new one")), stage.waiting(), stage.doctor()) == (1, 0, [])


def test_a_trouble_ends_quietly_when_nothing_waits_for_it_any_more(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.kick(BOT, REVIEW)
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=10)
    with stage.desk.database.transaction(wait=PATIENT) as session:  # as when its queue has left the policy file
        session.scalars(select(Posting).where(Posting.channel == REVIEW)).one().failure_reason = "there is no queue"
    stage.work(worker, seconds=60, every=5)
    assert [words.partition(" → ")[0] for words in stage.doctor()] == [
        f"1 message to {REVIEW} failed: there is no queue (item 1)"
    ]
    assert len(stage.told()) == 1


@pytest.mark.slow
def test_if_the_leads_own_channel_fails_doctor_reports_it_and_they_are_told_when_it_works_again(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.kick(BOT, LEADS)
    candidate(seeded(stage.desk), now=stage.now())
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=60, every=1)
    assert len(stage.cards("the sofa came late")) == 1
    assert f"messages to {LEADS} failed: not_in_channel" in stage.doctor()[0]
    assert stage.told() == []
    stage.box.invite(BOT, LEADS)
    stage.work(worker, seconds=330, every=5)
    assert len(stage.cards("v1 compared with", channel=LEADS)) == 1
    [told] = stage.told()
    assert told.startswith("Resolved: ")


@pytest.mark.slow
def test_a_notice_to_a_person_who_has_left_is_given_up_and_delays_nothing(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.deactivate(DAN)
    with stage.desk.database.transaction() as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, "k", LEADS, DAN, REMINDER, stage.now())
    candidate(seeded(stage.desk), now=stage.now())
    stage.work(worker, seconds=10)
    assert len(stage.cards("v1 compared with", channel=LEADS)) == 1
    assert (stage.waiting(), stage.doctor(), stage.told()) == (0, [], [])
    assert stage.calls("chat.postEphemeral") == ["user_not_in_channel"], "once"


def test_a_clock_that_is_put_back_an_hour_holds_no_channel_up_that_long(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.kick(BOT, REVIEW)
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=5)
    stage.start -= timedelta(hours=1)
    stage.box.invite(BOT, REVIEW)
    repair_times(worker)
    stage.work(worker, seconds=10)
    assert (len(stage.cards("the sofa came late")), stage.waiting()) == (1, 0)
