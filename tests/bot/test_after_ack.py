"""Work after the acknowledgement: done in another thread, logged where it fails, finished before the process ends."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from bot.observability.log_context import bound, bound_fields
from bot.slack.inbound import after_ack as module
from bot.slack.inbound.after_ack import THREADS, AfterAck
from core.errors import DatabaseUnavailable


@pytest.fixture
def after_ack() -> Iterator[AfterAck]:
    made = AfterAck()
    yield made
    made.close()


def test_it_runs_under_the_log_context_of_its_request_and_leaves_none_behind(after_ack: AfterAck) -> None:
    seen: list[tuple[str, dict[str, object]]] = []

    def look(name: str) -> None:
        seen.append((name, dict(bound_fields())))

    with bound(request="r1", kind="block_actions"):
        after_ack.run(look, "inside")
    after_ack.run(look, "outside")
    after_ack.close()
    assert dict(seen) == {"inside": {"request": "r1", "kind": "block_actions"}, "outside": {}}


def test_an_exception_is_logged_once_with_an_id_and_the_next_work_is_done(
    after_ack: AfterAck, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def stumble() -> None:
        raise KeyError("nowhere")

    after_ack.run(stumble)
    after_ack.run(done.set)
    after_ack.close()
    assert done.is_set()
    [record] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.getMessage() == "Work after the acknowledgement failed"
    assert record.exc_info is not None
    assert len(vars(record)["reference"]) == 8
    assert vars(record)["work"] == "stumble"


def test_a_refusal_is_no_error(after_ack: AfterAck, caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> None:
        raise DatabaseUnavailable("busy")

    with caplog.at_level(logging.INFO):
        after_ack.run(refuse)
        after_ack.close()
    assert [(one.levelname, vars(one)["code"]) for one in caplog.records] == [("INFO", DatabaseUnavailable.code)]


def test_what_was_handed_over_is_finished_before_it_ends() -> None:
    after_ack, done = AfterAck(), list[int]()

    def work(number: int) -> None:
        time.sleep(0.01)
        done.append(number)

    for number in range(2 * THREADS):
        after_ack.run(work, number)
    after_ack.close()
    assert sorted(done) == list(range(2 * THREADS))


def test_an_end_waits_only_so_long_and_drops_what_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    after_ack, hang, done = AfterAck(), threading.Event(), threading.Event()
    for _ in range(THREADS):
        after_ack.run(hang.wait, 30)
    after_ack.run(done.set)
    began = time.monotonic()
    after_ack.close()
    assert time.monotonic() - began < 5
    hang.set()
    assert not done.wait(0.2)


def test_what_comes_after_the_end_is_left_undone_and_raises_nothing(
    after_ack: AfterAck, caplog: pytest.LogCaptureFixture
) -> None:
    after_ack.close()
    done = threading.Event()
    with caplog.at_level(logging.INFO):
        after_ack.run(done.set)
    assert not done.is_set()
    assert "Work after the acknowledgement dropped at shutdown" in caplog.text
