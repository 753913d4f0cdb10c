"""Slack refuses, hangs, or its answer is lost: each message is posted once, and is up to date in the end."""

from dataclasses import replace

import pytest

from bot.runtime.services import Services
from bot.slack.delivery.deleted_cards import post_deleted_again
from bot.slack.delivery.deliver import DELIVERY, deliver_next
from bot.slack.delivery.sender import CARDS
from core.delivery import notices, outbox
from core.delivery.outbox import Due
from core.learning.lifecycle.runs import fail_run
from core.learning.lifecycle.training import train
from core.records.delivery import Posting
from core.storage import leases
from core.storage.database import PATIENT, Database
from core.vocabulary import Card, Coded, NoticeKind, RunProblem
from tests.core.desk import REFUND
from tests.core.models import candidate, claimed, requested, seeded
from tests.people import ANA, BEN, CLEO, LEADS, REMINDER, REVIEW, workspace
from tests.reliability.slow_motion import ELSEWHERE, Stage, staged

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


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("fault", ["lost_answer", "timeout", "ratelimited"])
def test_a_notice_to_the_leads_is_sent_once(stage: Stage, fault: str) -> None:
    worker = stage.worker()
    worker.slack.timeout = 1
    stage.box.fault("chat.postMessage", fault)
    with stage.desk.database.transaction(wait=PATIENT) as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, "k", LEADS, None, REMINDER, stage.now())
    stage.work(worker, seconds=10)
    assert len(stage.cards("v1 has been waiting", channel=LEADS)) == 1
    assert stage.waiting() == 0


@pytest.mark.usefixtures("sqlite_only")
def test_a_notice_to_one_person_is_sent_at_least_once(stage: Stage) -> None:
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
    stage.box.wait_for(lambda: charts(stage))  # Slack shows a file a moment after it took it
    assert charts(stage) == 1
    assert stage.waiting() == 0


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_a_chart_is_in_its_thread_once_even_if_its_worker_died_before_storing_that(database: Database) -> None:
    """Slack shows the file only when another worker has long looked for it."""
    with staged(database, replace(workspace(), file_seconds=1.0)) as stage:
        dying, worker = stage.worker(f"{ELSEWHERE}:dying"), stage.worker()
        candidate(seeded(stage.desk), now=stage.now())
        while not stage.cards("v1 compared with", channel=LEADS):
            deliver_next(dying)
            stage.wait(1.1)
        due = claimed_chart(stage, dying)
        CARDS[Card.CHART](dying, due)
        with stage.desk.database.transaction() as session:  # as when the process is found dead
            leases.release_all(session, Posting, dying.process)
            leases.relinquish(session, DELIVERY, dying.process)
        stage.work(worker, seconds=5)
        stage.box.wait_for(lambda: charts(stage))
        stage.work(worker, seconds=60, every=2)
        assert (charts(stage), stage.waiting()) == (1, 0)


def claimed_chart(stage: Stage, worker: Services) -> Due:
    while True:
        with stage.desk.database.transaction() as session:
            due = outbox.claim_next(
                session, worker.process, stage.now(), may_update=True, may_update_open=True, full_channels=()
            )
        assert due is not None
        if due.card is Card.CHART:
            return due


def charts(stage: Stage) -> int:
    [card] = stage.cards("v1 compared with", channel=LEADS)
    return sum(len(one.files) for one in stage.box.person(CLEO).messages(LEADS, card.ts))


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["", "lost_answer", "ratelimited", "message_not_found"])
def test_the_card_of_a_run_goes_when_its_report_is_there(stage: Stage, fault: str) -> None:
    worker = stage.worker()
    requested(seeded(stage.desk))
    stage.work(worker, seconds=3)
    [line] = stage.cards("training run", channel=LEADS)
    assert "waiting for a worker" in line.plain
    train(stage.desk.database, claimed(stage.desk), stage.now, stage.desk.policy)
    if fault:
        stage.box.fault("chat.delete", fault)
    stage.work(worker, seconds=20)
    assert len(stage.cards("v1 compared with", channel=LEADS)) == 1
    assert len(stage.cards("training run", channel=LEADS)) == (fault == "message_not_found")  # it was not really gone
    assert (stage.waiting(), stage.doctor()) == (0, [])


@pytest.mark.slow
def test_the_end_of_a_run_is_shown_before_cards_that_can_wait(stage: Stage) -> None:
    worker = stage.worker()
    run_id = requested(seeded(stage.desk))
    assert run_id is not None
    stage.work(worker, seconds=3)
    with stage.desk.database.transaction() as session:
        fail_run(session, run_id, Coded(RunProblem.REFUSED, {"sentence": "no"}), stage.now())
        due = outbox.claim_next(
            session, worker.process, stage.now(), may_update=True, may_update_open=False, full_channels=()
        )
    assert due is not None
    assert due.card is Card.RUN


@pytest.mark.slow
def test_a_card_that_slack_never_accepts_is_given_up_reported_once_and_delays_no_other(stage: Stage) -> None:
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
def test_a_deleted_card_is_posted_again_when_it_settles_or_within_the_hour(stage: Stage) -> None:
    worker = stage.worker()
    voted, waiting, decided = (stage.ticket(f"ticket {number} of three") for number in ("one", "two", "three"))
    stage.settle(decided)
    stage.work(worker, seconds=6)
    for card in stage.cards("of three"):
        worker.slack.chat_delete(channel=REVIEW, ts=card.ts)
    stage.desk.click(ANA, waiting, REFUND, now=stage.now())
    stage.work(worker, seconds=10)
    assert stage.cards("of three") == [], "a vote changes nothing that a card shows"
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
    stage.desk.click(BEN, waiting, REFUND, now=stage.now())
    stage.work(worker, seconds=5)
    assert (len(stage.cards("*refund* (2 votes)")), stage.waiting()) == (2, 0)
