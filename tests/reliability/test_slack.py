"""Slack refuses, hangs, forgets to answer; channels, cards and tokens go away. The end is the same as without."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.checks.delivery import undelivered
from bot.checks.finding import Outcome
from bot.jobs import put_times_right
from bot.slack.people import refresh_people
from bot.slack.speaking.deleted import post_deleted_again
from bot.slack.speaking.deliver import SPEAKING
from core.database import PATIENT, Database
from core.delivery import notices, outbox, turns
from core.delivery.turns import LEASE, Whose
from core.queues import members, queue_named
from core.records.delivery import Posting, Turn
from core.vocabulary import NoticeKind, Role
from tests.core.models import candidate, seeded
from tests.people import ANA, BEN, CLEO, EVA, LEADS, REVIEW, workspace
from tests.reliability.slow_motion import ELSEWHERE, Stage, staged

BOT = workspace().apps[0].bot_user
FAULTS = ("ratelimited", "server_error", "timeout", "lost_answer", "internal_error")


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    with staged(database) as made:
        yield made


def doctor(stage: Stage) -> list[str]:
    found = list(undelivered(stage.desk.database, stage.now))
    return [f"{finding.words} → {finding.remedy}" for finding in found if finding.outcome is Outcome.BAD]


def test_whatever_slack_answers_to_a_card_it_is_posted_once_and_catches_up(stage: Stage) -> None:
    worker = stage.worker()
    worker.slack.timeout = 1
    for fault in FAULTS:
        times = 1 if fault == "timeout" else 2
        stage.box.fault("chat.postMessage", fault, times=times, retry_after=3)
        item = stage.ticket(f"a ticket and {fault.replace('_', ' ')}")
        stage.work(worker, seconds=8)
        stage.box.clear_faults()
        stage.settle(item)
        stage.box.fault("chat.update", fault, times=times, retry_after=3)
        stage.work(worker, seconds=8)
        stage.box.clear_faults()
    stage.work(worker, seconds=10)
    for fault in FAULTS:
        [card] = stage.cards(f"a ticket and {fault.replace('_', ' ')}")
        assert "2 × refund" in card.plain, fault
    assert stage.waiting() == 0
    assert stage.corrections() == len(FAULTS)


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("trouble", ["ratelimited", "timeout", "server_error"])
def test_a_card_that_was_perhaps_posted_is_not_posted_again_while_slack_cannot_be_asked(
    stage: Stage, trouble: str
) -> None:
    worker = stage.worker()
    worker.slack.timeout = 1
    stage.box.fault("chat.postMessage", "lost_answer")
    stage.box.fault("conversations.history", trouble, times=2)
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=20)
    assert len(stage.cards("the sofa came late")) == 1
    assert stage.waiting() == 0


@pytest.mark.usefixtures("sqlite_only")
def test_a_card_that_was_perhaps_posted_is_found_behind_hundreds_of_later_messages(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.fault("chat.postMessage", "lost_answer")
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=2)
    for number in range(205):
        worker.slack.chat_postMessage(channel=REVIEW, text=f"talk {number}")
    stage.work(worker, seconds=10)
    assert len(stage.cards("the sofa came late")) == 1
    assert stage.waiting() == 0


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("fault", ["lost_answer", "timeout", "ratelimited"])
def test_words_to_the_leads_are_said_once(stage: Stage, fault: str) -> None:
    worker = stage.worker()
    worker.slack.timeout = 1
    stage.box.fault("chat.postMessage", fault)
    with stage.desk.database.transaction() as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, "k", LEADS, None, "v1 waits for you", stage.now())
    stage.work(worker, seconds=10)
    assert len(stage.cards("v1 waits for you", channel=LEADS)) == 1
    assert stage.waiting() == 0


@pytest.mark.usefixtures("sqlite_only")
def test_words_to_one_person_are_rather_said_twice_than_never(stage: Stage) -> None:
    worker = stage.worker()
    for number, fault in enumerate(("server_error", "ratelimited", "lost_answer")):
        stage.box.fault("chat.postEphemeral", fault)
        with stage.desk.database.transaction() as session:
            notices.notify(session, NoticeKind.NOT_A_LEAD, f"k{number}", LEADS, CLEO, f"heard {fault}", stage.now())
        stage.work(worker, seconds=5)
    said = [one.plain for one in stage.box.person(CLEO).messages(LEADS) if one.ephemeral]
    assert said == ["heard server_error", "heard ratelimited", "heard lost_answer", "heard lost_answer"]
    assert stage.waiting() == 0


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    "method", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal", "conversations.replies"]
)
def test_a_chart_is_in_its_thread_once_wherever_its_upload_was_lost(stage: Stage, method: str) -> None:
    worker = stage.worker()
    candidate(seeded(stage.desk), now=stage.now())
    stage.box.fault(method, "lost_answer")
    if method == "conversations.replies":  # asked only after another answer was lost
        stage.box.fault("files.completeUploadExternal", "lost_answer")
    stage.work(worker, seconds=20, every=2)
    assert stage.calls("conversations.replies") == [], "Slack may show it only later"
    stage.work(worker, seconds=70, every=2)
    [card] = stage.cards("v1 against", channel=LEADS)
    thread = stage.box.person(CLEO).messages(LEADS, card.ts)
    assert [len(one.files) for one in thread if one.files] == [1]
    assert stage.waiting() == 0


def test_a_card_that_slack_never_takes_is_given_up_told_once_and_holds_no_other_up(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.fault("chat.postMessage", "invalid_blocks")
    lost = stage.ticket("an odd ticket")
    stage.work(worker, seconds=1)
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=30)
    assert len(stage.cards("the sofa came late")) == 1
    [told] = stage.told()
    assert f"Slack does not take a message of mine in <#{REVIEW}> (item {lost}): invalid_blocks" in told
    [found] = doctor(stage)
    assert found.startswith(f"1 messages to {REVIEW}: invalid_blocks (item {lost})")
    with stage.desk.database.transaction() as session:
        assert outbox.revive(session, REVIEW, ["invalid_blocks"], stage.now()) == 1
    stage.work(worker, seconds=15)
    assert len(stage.cards("an odd ticket")) == 1
    assert (len(stage.told()), doctor(stage)) == (1, [])


def test_a_deleted_card_is_posted_again_with_its_next_vote_or_within_the_hour(stage: Stage) -> None:
    worker = stage.worker()
    voted, waiting, decided = (stage.ticket(f"ticket {number} of three") for number in ("one", "two", "three"))
    stage.settle(decided)
    stage.work(worker, seconds=6)
    for card in stage.cards("of three"):
        worker.slack.chat_delete(channel=REVIEW, ts=card.ts)
    stage.settle(voted)
    stage.work(worker, seconds=10)
    assert ["2 × refund" in card.plain for card in stage.cards("of three")] == [True]
    post_deleted_again(worker)
    stage.work(worker, seconds=5)
    assert ["0 of at most 3" in card.plain for card in stage.cards("of three")] == [False, True]
    posts = len(stage.calls("chat.postMessage"))
    post_deleted_again(worker)
    stage.work(worker, seconds=5)
    assert len(stage.calls("chat.postMessage")) == posts, "what is there is left alone, and so is what is decided"
    stage.settle(waiting)
    stage.work(worker, seconds=5)
    assert (len(stage.cards("2 × refund")), stage.waiting()) == (2, 0)


def test_a_bot_that_was_sent_away_asks_to_be_invited_once_and_goes_on_when_it_is(stage: Stage) -> None:
    worker = stage.worker()
    before = stage.ticket("was here before")
    stage.work(worker, seconds=3)
    stage.box.kick(BOT, REVIEW)
    for number in range(12):
        stage.ticket(f"ticket number {number} of many")
    stage.work(worker, seconds=5)
    stage.settle(before)
    stage.work(worker, seconds=10)
    assert "2 × refund" in stage.cards("was here before")[0].plain, "what is there is redrawn all the same"
    stage.work(worker, seconds=600, every=5)
    [told] = stage.told()
    assert told == (
        f"I cannot post in <#{REVIEW}>. I am not in the channel. Invite me there: `/invite @goldloop`. "
        "12 messages wait until then."
    )
    [found] = doctor(stage)
    assert found.startswith(f"12 messages to {REVIEW}: not_in_channel → Invite the bot"), "and no worker is missed"
    assert stage.calls("chat.postMessage").count("not_in_channel") <= 6, "it asks now and then, whatever waits"
    stage.box.invite(BOT, REVIEW)
    refresh_people(worker)  # as when Slack says that somebody has joined
    stage.work(worker, seconds=30)
    assert len(stage.cards("of many")) == 12
    assert stage.told()[1].startswith(f"All is well again: <#{REVIEW}> takes my messages")
    assert (len(stage.told()), doctor(stage), stage.waiting()) == (2, [], 0)
    stage.box.kick(BOT, REVIEW)
    stage.ticket("and once more")
    stage.work(worker, seconds=15)
    assert [words[:13] for words in stage.told()] == ["I cannot post", "All is well a", "I cannot post"]


@pytest.mark.usefixtures("sqlite_only")
def test_a_private_channel_that_the_bot_was_sent_away_from_keeps_its_reviewers_and_stops_nobody(
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


def test_an_archived_channel_holds_its_cards_and_redraws_up_and_nothing_else(stage: Stage) -> None:
    worker = stage.worker()
    item = stage.ticket("the sofa came late")
    stage.work(worker, seconds=3)
    stage.box.archive(REVIEW)
    stage.settle(item)
    stage.ticket("a new one")
    candidate(seeded(stage.desk), now=stage.now())
    stage.work(worker, seconds=60, every=1)
    assert len(stage.cards("v1 against", channel=LEADS)) == 1
    assert len(stage.told()) == 1
    assert "2 messages" in " ".join(doctor(stage))
    stage.box.archive(REVIEW, undo=True)
    stage.work(worker, seconds=330, every=5)
    [card] = stage.cards("the sofa came late")
    assert "2 × refund" in card.plain
    assert (len(stage.cards("a new one")), stage.waiting(), doctor(stage)) == (1, 0, [])


def test_a_trouble_ends_quietly_when_nothing_waits_for_it_any_more(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.kick(BOT, REVIEW)
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=10)
    with stage.desk.database.transaction() as session:  # as when its queue has left the policy file
        session.scalars(select(Posting).where(Posting.channel == REVIEW)).one().broken = "there is no queue"
    stage.work(worker, seconds=60, every=5)
    assert [words.partition(" → ")[0] for words in doctor(stage)] == [
        f"1 messages to {REVIEW}: there is no queue (item 1)"
    ]
    assert len(stage.told()) == 1


def test_where_the_leads_own_channel_fails_doctor_says_it_and_they_hear_when_it_is_mended(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.kick(BOT, LEADS)
    candidate(seeded(stage.desk), now=stage.now())
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=60, every=1)
    assert len(stage.cards("the sofa came late")) == 1
    assert f"messages to {LEADS}: not_in_channel" in doctor(stage)[0]
    assert stage.told() == []
    stage.box.invite(BOT, LEADS)
    stage.work(worker, seconds=330, every=5)
    assert len(stage.cards("v1 against", channel=LEADS)) == 1
    [told] = stage.told()
    assert told.startswith("All is well again")


def test_a_revoked_token_makes_it_quiet_and_a_new_one_goes_on_where_it_stopped(stage: Stage) -> None:
    worker = stage.worker()
    item = stage.ticket("the sofa came late")
    stage.work(worker, seconds=3)
    new_token = stage.box.revoke_token()
    stage.settle(item)
    for number in range(12):
        stage.ticket(f"ticket number {number} of many")
    before = len(stage.box.calls())
    stage.work(worker, seconds=1800, every=10)
    refused = len(stage.box.calls()) - before
    assert 3 <= refused <= 12, "half an hour of asking ever more seldom"
    assert doctor(stage)[0].startswith("13 messages to Slack: token_revoked → Install the app again")
    again = stage.worker(f"{ELSEWHERE}:two", new_token)
    stage.work(again, seconds=40)
    assert len(stage.cards("of many")) == 12
    assert "2 × refund" in stage.cards("the sofa came late")[0].plain
    [told] = stage.told()
    assert told.startswith("All is well again: Slack takes my messages, which failed since")
    assert (doctor(stage), stage.waiting()) == ([], 0)


def test_a_worker_whose_token_is_refused_leaves_the_turn_to_one_with_a_good_token(stage: Stage) -> None:
    old = stage.worker()
    stage.work(old, seconds=1)
    new = stage.worker(f"{ELSEWHERE}:two", stage.box.revoke_token())
    stage.ticket("the sofa came late")
    stage.work(old, new, seconds=12)
    assert len(stage.cards("the sofa came late")) == 1
    assert stage.waiting() == 0


def test_two_workers_together_keep_slacks_rates(database: Database) -> None:
    with staged(database, workspace(rates=True)) as stage:
        one, two = stage.worker(), stage.worker(f"{ELSEWHERE}:two")
        items = [stage.ticket(f"ticket number {number} of many") for number in range(12)]
        stage.work(one, two, seconds=19, every=0.5)
        for _redraw in range(6):
            with database.transaction() as session:
                for posting in session.scalars(select(Posting)):
                    posting.wanted, posting.urgent = posting.wanted + 1, True
                for worker in (one, two):  # the turn may go from hand to hand
                    turns.give_back(session, SPEAKING, worker.process)
            one, two = two, one
            stage.work(one, two, seconds=8, every=0.5)
        stage.work(one, two, seconds=25, every=0.5)
        assert stage.waiting() == 0
        assert len(stage.cards("of many")) == len(items)
        assert stage.calls("chat.postMessage", "chat.update").count("ratelimited") == 0


def test_two_workers_post_each_card_once_and_say_each_notice_once(stage: Stage) -> None:
    workers = stage.worker(), stage.worker(f"{ELSEWHERE}:two"), stage.worker(f"{ELSEWHERE}:three")
    items = [stage.ticket(f"ticket number {number} of many") for number in range(6)]
    stage.work(*workers, seconds=10)
    for item in items:
        stage.settle(item)
    with stage.desk.database.transaction() as session:
        for number in range(3):
            notices.notify(session, NoticeKind.DECISION_PENDING, f"k{number}", LEADS, None, "a reminder", stage.now())
    stage.work(*workers, seconds=15)
    assert len(stage.cards("2 × refund")) == len(items)
    assert len(stage.cards("a reminder", channel=LEADS)) == 3
    assert len(stage.calls("chat.postMessage")) == len(items) + 3


def whose(stage: Stage, who: str, gone: str = "", after: timedelta = timedelta(0)) -> Whose:
    with stage.desk.database.transaction(wait=PATIENT) as session:
        return turns.take(session, "speaking", who, stage.now() + after, lambda name: name == gone)


def test_a_turn_is_one_process_s_until_it_ends_it_or_is_silent_too_long(stage: Stage) -> None:
    second = timedelta(seconds=1)
    assert whose(stage, "one") is Whose.NEWLY_MINE
    assert whose(stage, "two") is Whose.ANOTHERS
    assert whose(stage, "one", after=LEASE - second) is Whose.MINE
    assert whose(stage, "two", after=LEASE + second) is Whose.ANOTHERS, "it was renewed"
    assert whose(stage, "two", after=2 * LEASE) is Whose.NEWLY_MINE
    assert whose(stage, "one", after=2 * LEASE) is Whose.ANOTHERS
    assert whose(stage, "one", gone="two", after=2 * LEASE) is Whose.NEWLY_MINE, "a dead process holds nothing"
    with stage.desk.database.transaction() as session:
        turns.give_back(session, "speaking", "two")
    assert whose(stage, "two", after=2 * LEASE) is Whose.ANOTHERS, "nobody gives back what is not theirs"
    with stage.desk.database.transaction() as session:
        turns.give_back(session, "speaking", "one")
    assert whose(stage, "two", after=2 * LEASE) is Whose.NEWLY_MINE


def test_of_many_who_want_a_turn_at_once_one_gets_it_however_often_it_is_given_back(stage: Stage) -> None:
    def want(who: str) -> int:
        got = 0
        for _look in range(15):
            if whose(stage, who) is not Whose.ANOTHERS:
                got += 1
                with stage.desk.database.transaction(wait=PATIENT) as session:
                    row = session.get_one(Turn, "speaking")
                    assert row.holder == who, "nobody else may have it before it is given back"
                    turns.give_back(session, "speaking", who)
        return got

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(want, "abcd")) > 0


def test_a_clock_that_is_put_back_an_hour_stops_nobody_from_speaking(stage: Stage) -> None:
    hour = timedelta(hours=1)
    assert whose(stage, "one", after=hour) is Whose.NEWLY_MINE
    assert whose(stage, "one") is Whose.MINE
    assert whose(stage, "two", after=hour) is Whose.NEWLY_MINE
    assert whose(stage, "one") is Whose.NEWLY_MINE, "a turn that ends in an hour is none"


def test_a_clock_that_is_put_back_an_hour_holds_no_channel_up_that_long(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.kick(BOT, REVIEW)
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=5)
    stage.start -= timedelta(hours=1)
    stage.box.invite(BOT, REVIEW)
    put_times_right(worker)
    stage.work(worker, seconds=10)
    assert (len(stage.cards("the sofa came late")), stage.waiting()) == (1, 0)


@pytest.mark.usefixtures("sqlite_only")
def test_when_the_speaker_dies_on_this_machine_another_speaks_at_once(stage: Stage) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    first = stage.worker(f"{socket.gethostname()}:{dead.pid}:one")
    with stage.desk.database.transaction() as session:
        turns.take(session, SPEAKING, first.process, stage.now(), lambda name: False)
    stage.ticket("the sofa came late")
    stage.work(stage.worker(f"{socket.gethostname()}:{os.getpid()}:two"), seconds=2)
    assert len(stage.cards("the sofa came late")) == 1
