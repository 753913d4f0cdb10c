"""Slack refuses, hangs, or its answer is lost: what was to be said is said once, and is up to date in the end."""

import pytest

from bot.slack.delivery.deleted_cards import post_deleted_again
from core.delivery import notices, outbox
from core.storage.database import PATIENT
from core.vocabulary import NoticeKind
from tests.core.models import candidate, seeded
from tests.people import CLEO, LEADS, REMINDER, REVIEW
from tests.reliability.slow_motion import Stage

FAULTS = ("ratelimited", "server_error", "timeout", "lost_answer", "internal_error")


@pytest.mark.slow
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
        assert "*refund* (2 votes)" in card.plain, fault
    assert stage.waiting() == 0
    assert stage.corrections() == len(FAULTS)


@pytest.mark.slow
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


@pytest.mark.slow
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
    with stage.desk.database.transaction(wait=PATIENT) as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, "k", LEADS, None, REMINDER, stage.now())
    stage.work(worker, seconds=10)
    assert len(stage.cards("v1 has been waiting", channel=LEADS)) == 1
    assert stage.waiting() == 0


@pytest.mark.usefixtures("sqlite_only")
def test_words_to_one_person_are_rather_said_twice_than_never(stage: Stage) -> None:
    worker = stage.worker()
    for number, fault in enumerate(("server_error", "ratelimited", "lost_answer")):
        stage.box.fault("chat.postEphemeral", fault)
        with stage.desk.database.transaction(wait=PATIENT) as session:
            values = {"sentence": f"heard {fault}", "ask": []}
            notices.notify(session, NoticeKind.NOT_A_LEAD, f"k{number}", LEADS, CLEO, values, stage.now())
        stage.work(worker, seconds=5)
    said = [one.plain for one in stage.box.person(CLEO).messages(LEADS) if one.ephemeral]
    assert said == ["heard server_error", "heard ratelimited", "heard lost_answer", "heard lost_answer"]
    assert stage.waiting() == 0


@pytest.mark.slow
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
    [card] = stage.cards("v1 compared with", channel=LEADS)
    thread = stage.box.person(CLEO).messages(LEADS, card.ts)
    assert [len(one.files) for one in thread if one.files] == [1]
    assert stage.waiting() == 0


@pytest.mark.slow
def test_a_card_that_slack_never_takes_is_given_up_told_once_and_holds_no_other_up(stage: Stage) -> None:
    worker = stage.worker()
    stage.box.fault("chat.postMessage", "invalid_blocks")
    lost = stage.ticket("an odd ticket")
    stage.work(worker, seconds=1)
    stage.ticket("the sofa came late")
    stage.work(worker, seconds=30)
    assert len(stage.cards("the sofa came late")) == 1
    [told] = stage.told()
    assert f"I can't post 1 message in <#{REVIEW}> (item {lost}): invalid_blocks." in told
    [found] = stage.doctor()
    assert found.startswith(f"1 message to {REVIEW} failed: invalid_blocks (item {lost})")
    with stage.desk.database.transaction(wait=PATIENT) as session:
        assert outbox.revive(session, REVIEW, ["invalid_blocks"], stage.now()) == 1
    stage.work(worker, seconds=15)
    assert len(stage.cards("an odd ticket")) == 1
    assert (len(stage.told()), stage.doctor()) == (1, [])


@pytest.mark.slow
def test_a_deleted_card_is_posted_again_with_its_next_vote_or_within_the_hour(stage: Stage) -> None:
    worker = stage.worker()
    voted, waiting, decided = (stage.ticket(f"ticket {number} of three") for number in ("one", "two", "three"))
    stage.settle(decided)
    stage.work(worker, seconds=6)
    for card in stage.cards("of three"):
        worker.slack.chat_delete(channel=REVIEW, ts=card.ts)
    stage.settle(voted)
    stage.work(worker, seconds=10)
    assert ["*refund* (2 votes)" in card.plain for card in stage.cards("of three")] == [True]
    post_deleted_again(worker)
    stage.work(worker, seconds=5)
    assert ["Votes stay hidden until decided." in card.plain for card in stage.cards("of three")] == [False, True]
    posts = len(stage.calls("chat.postMessage"))
    post_deleted_again(worker)
    stage.work(worker, seconds=5)
    assert len(stage.calls("chat.postMessage")) == posts, "what is there is left alone, and so is what is decided"
    stage.settle(waiting)
    stage.work(worker, seconds=5)
    assert (len(stage.cards("*refund* (2 votes)")), stage.waiting()) == (2, 0)
