"""A model that a service runs is asked over HTTP: signed, in batches, not for long, and not again and again."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.responses import RedirectResponse, Response

from bot.runtime.breaker import Breaker
from bot.runtime.clock import utc_now
from bot.runtime.model_services import ModelServices
from bot.runtime.services import tls
from core.errors import ModelUnavailable
from core.learning.data.inputs import Input
from core.learning.learners.base import FloatArray
from core.policy import QueuePolicy
from core.storage.deadlines import finished_within
from tests.api.receiver import SECRET
from tests.bot.model_service import Answer, ModelService, rightly, said, serving
from tests.core.services import service_policy
from tests.people import LABELS

MONEY = Input("my money please", fields={"Mail": "eva@example.com"})
PARCEL = Input("where is my parcel? write to eva@example.com")


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelService]:
    monkeypatch.setenv("GOLDLOOP_WEBHOOK_SECRET_TRAINER", SECRET)
    with serving(unused_port) as service:
        yield service


def queue_of(service: ModelService, **external: Any) -> QueuePolicy:
    external = {"url": service.url, "timeout_seconds": 5, "failures": 2, **external}
    return service_policy(external=external, privacy={"mask": ["email"]}).queues[0]


def services(clock: Clock | None = None) -> ModelServices:
    return ModelServices(utc_now, tls, clock or Clock())


def asked(queue: QueuePolicy, *inputs: Input, by: ModelServices | None = None) -> FloatArray:
    return (by or services())(queue)("mine-1", LABELS, inputs or (MONEY,))


def test_it_gets_masked_texts_in_batches_and_its_answers_are_in_order(service: ModelService) -> None:
    table = asked(queue_of(service, batch=2), MONEY, PARCEL, MONEY)
    assert table.argmax(axis=1).tolist() == [0, 2, 0]
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert [len(heard["inputs"]) for heard in service.heard] == [2, 1]
    first = service.heard[0]
    assert (first["type"], first["queue"], first["version"]) == ("predict", "support", "mine-1")
    assert first["labels"] == list(LABELS)
    assert "eva@example.com" not in str(first)
    assert set(first["inputs"][0]) == {"text", "fields"}


UNUSABLE: list[tuple[Answer, str]] = [
    (lambda told: said({"version": told["version"], "predictions": [{"refund": math.nan}]}), "gives “refund” nan"),
    (lambda told: said({"version": told["version"], "predictions": [{"parcel": 1}]}), "“parcel”, which is none of the"),
    (lambda told: said({"version": told["version"], "predictions": []}), "There are 0 predictions for 1 inputs"),
    (lambda told: said({"version": told["version"], "predictions": [{"refund": 1}] * 2}), "There are 2 predictions"),
    (lambda told: said({"version": "mine-2", "predictions": []}), "it is of the version “mine-2”, not of “mine-1”"),
    (lambda _told: said([]), "gave an answer that is of no use: it is no object"),
    (lambda _told: Response("<html>"), "gave an answer that is not JSON"),
    (lambda _told: said({}, 500), "answered with the status 500"),
    (lambda _told: RedirectResponse("http://127.0.0.1:9/"), "answered with the status 307"),
]


@pytest.mark.parametrize(("answer", "words"), UNUSABLE, ids=[words[:25] for _answer, words in UNUSABLE])
def test_what_is_of_no_use_is_a_sentence_and_the_next_answer_counts(
    service: ModelService, answer: Answer, words: str
) -> None:
    service.answers = [answer]
    connection = services()
    with pytest.raises(ModelUnavailable, match=r"^The service of support ") as refusal:
        asked(queue_of(service), by=connection)
    assert words in str(refusal.value)
    assert asked(queue_of(service), by=connection).shape == (1, 3)


@pytest.mark.slow
def test_an_answer_that_is_late_is_not_waited_for(service: ModelService) -> None:
    service.seconds = 3.0
    with pytest.raises(ModelUnavailable, match=r"gave no answer within 0\.2 seconds"):
        asked(queue_of(service, timeout_seconds=0.2))


def test_a_click_has_less_time_which_is_not_the_fault_of_the_service(service: ModelService) -> None:
    service.seconds = 0.5
    connection, queue = services(), queue_of(service, failures=1)
    with finished_within(0.9), pytest.raises(ModelUnavailable, match=r"gave no answer within 0\.1"):
        asked(queue, by=connection)
    service.seconds = 0.0
    assert asked(queue, by=connection).shape == (1, 3), "it is still asked"


def test_a_service_that_fails_again_and_again_is_left_alone_and_then_tried_once(service: ModelService) -> None:
    clock = Clock()
    connection, queue = services(clock), queue_of(service, failures=2, pause_seconds=30)
    service.answers = [lambda _told: said({}, 500)] * 3
    for words in ("status 500", "status 500", "has failed 2 times in a row and is left alone", "left alone"):
        with pytest.raises(ModelUnavailable, match=words) as refusal:
            asked(queue, by=connection)
    assert (refusal.value.seconds, len(service.heard)) == (30, 2)
    clock.now += 31
    for words in ("status 500", "asked again in 30 seconds"):
        with pytest.raises(ModelUnavailable, match=words):
            asked(queue, by=connection)
    assert len(service.heard) == 3, "one call found out"
    clock.now += 31
    assert asked(queue, by=connection).shape == (1, 3)
    assert asked(queue, by=connection).shape == (1, 3)


def test_a_service_that_asks_for_a_pause_gets_it(service: ModelService) -> None:
    clock = Clock()
    connection, queue = services(clock), queue_of(service, failures=5)
    service.answers = [lambda _told: said({}, 503, **{"retry-after": "120"})]
    for words in ("status 503", "has failed once and is left alone; it is asked again in 120 seconds"):
        with pytest.raises(ModelUnavailable, match=words) as refusal:
            asked(queue, by=connection)
        assert refusal.value.seconds == 120
    clock.now += 121
    assert asked(queue, by=connection).shape == (1, 3)


def test_each_queue_has_a_breaker_of_its_own(service: ModelService) -> None:
    connection, queue = services(), queue_of(service, failures=1)
    service.answers = [lambda _told: said({}, 500)]
    with pytest.raises(ModelUnavailable):
        asked(queue, by=connection)
    other = queue.model_copy(update={"name": "sales"})
    assert asked(other, by=connection).shape == (1, 3)


def test_nothing_is_sent_unsigned_or_nowhere(service: ModelService, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = queue_of(service)
    monkeypatch.delenv("GOLDLOOP_WEBHOOK_SECRET_TRAINER")
    with pytest.raises(ModelUnavailable, match="cannot be asked: GOLDLOOP_WEBHOOK_SECRET_TRAINER is not set"):
        asked(queue)
    without = queue.model_copy(update={"external": queue.external.model_copy(update={"url": ""})})
    with pytest.raises(ModelUnavailable, match=r"the policy has no external\.url"):
        asked(without)
    assert service.heard == []


def test_a_service_that_is_not_there_is_a_sentence(service: ModelService) -> None:
    queue = queue_of(service, url="http://127.0.0.1:9/predict")
    with pytest.raises(ModelUnavailable, match=r"gave no answer \(ConnectError\)"):
        asked(queue)


def test_a_breaker_that_is_open_lets_one_caller_through_after_its_pause() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _failure in range(3):
        assert breaker.seconds_left(3, 10) == 0
        breaker.failed(3, 10)
    assert breaker.seconds_left(3, 10) == 10
    clock.now += 10
    assert [breaker.seconds_left(3, 10) for _caller in range(3)] == [0, 10, 10]
    breaker.succeeded()
    assert [breaker.seconds_left(3, 10) for _caller in range(3)] == [0, 0, 0]


def test_an_answer_that_is_right_is_right(service: ModelService) -> None:
    assert rightly({"version": "1", "inputs": []}).status_code == 200
    assert asked(queue_of(service), MONEY)[0].tolist() == [0.9, 0.05, 0.05]
