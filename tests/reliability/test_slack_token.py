"""Slack does not accept our token any more: few calls are made until there is another one."""

import pytest

from tests.reliability.slow_motion import ELSEWHERE, Stage


@pytest.mark.slow
def test_a_revoked_token_stops_calls_and_a_new_one_continues_where_they_stopped(stage: Stage) -> None:
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
    assert stage.doctor()[0].startswith("13 messages to Slack failed: token_revoked → Install the app again")
    again = stage.worker(f"{ELSEWHERE}:two", new_token)
    stage.work(again, seconds=40)
    assert len(stage.cards("of many")) == 12
    assert "*refund* (2 votes)" in stage.cards("the sofa came late")[0].plain
    [told] = stage.told()
    assert told.startswith("Resolved: I can post again, after failing since <!date^")
    assert (stage.doctor(), stage.waiting()) == ([], 0)


def test_a_worker_whose_token_is_refused_leaves_the_turn_to_one_with_a_good_token(stage: Stage) -> None:
    old = stage.worker()
    stage.work(old, seconds=1)
    new = stage.worker(f"{ELSEWHERE}:two", stage.box.revoke_token())
    stage.ticket("the sofa came late")
    stage.work(old, new, seconds=12)
    assert len(stage.cards("the sofa came late")) == 1
    assert stage.waiting() == 0
