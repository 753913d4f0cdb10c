"""The live model of a queue runs in a service: what callers of `predict`, and people in Slack, get of it."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.checks.models import live_models
from bot.runtime.clock import utc_now
from bot.slack.inbound.flagging import NO_MODEL, looked_at
from bot.slack.inbound.payloads import FlagSubmission
from bot.slack.inbound.requests import ANSWERED_WITHIN
from bot.worker.budgets import budget_piece
from bot.worker.shadow import shadow_piece
from core.errors import ModelUnavailable
from core.intake.predictions import NewPrediction
from core.learning.lifecycle.decisions import approve
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.records.rollout import ParallelPrediction, Shadow
from core.storage.database import Database
from core.storage.deadlines import finished_within
from goldloop_client import ApiError
from tests.api.conftest import Api, StartApi
from tests.api.receiver import SECRET
from tests.bot.model_service import ModelService, said, serving
from tests.core.desk import DELIVERY, REFUND, UNSURE, opened, sent
from tests.core.models import seeded
from tests.core.services import handed, service_policy, submitted, work
from tests.people import CLEO, DAN
from tests.pictures import as_file, bars

pytestmark = [pytest.mark.usefixtures("sqlite_only"), pytest.mark.slow]


@pytest.fixture
def service(another_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelService]:
    monkeypatch.setenv("GOLDLOOP_WEBHOOK_SECRET_TRAINER", SECRET)
    with serving(another_port) as service:
        yield service


def trained(api: Api, version: str) -> None:
    """A candidate of the service."""
    waiting = handed(api.desk, utc_now())
    submitted(api.desk, waiting.snapshot_id or 0, version, now=utc_now())
    work(api.desk, api.services.connect, now=utc_now())


@pytest.fixture
def api(service: ModelService, database: Database, start_api: StartApi) -> Api:
    external = {"url": service.url, "failures": 1, "pause_seconds": 60, "timeout_seconds": 5}
    desk = seeded(opened(database, service_policy(external=external, rollout={"shadow_hours": 1})))
    api = start_api(desk)
    trained(api, "mine-1")
    with desk.database.transaction() as session:
        shadow = Shadow(model_id=1, queue_id=1, started_at=utc_now(), ends_at=utc_now(), done_up_to=0, report={})
        shadow.finished_at, shadow.report = utc_now(), {"n": 0, "agreed": 0, "labels": [], "disagreements": []}
        session.add(shadow)
        session.flush()
        assert approve(session, 1, CLEO, 1, utc_now(), desk.policy)
    return api


def stored(api: Api) -> int:
    with api.desk.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Prediction)) or 0


def test_predict_answers_with_what_the_service_says(api: Api, service: ModelService) -> None:
    with api.client() as client:
        answer = client.predict("support", "T-1", "where is my parcel", {"Customer": "gold"})
        again = client.predict("support", "T-1", "where is my parcel", {"Customer": "gold"})
    assert (answer.label, answer.model_version, answer.confidence) == (DELIVERY, "v1", 0.9)
    assert again.repeated
    assert service.heard[-1]["version"] == "mine-1"
    assert service.heard[-1]["inputs"] == [{"text": "where is my parcel", "fields": {"Customer": "gold"}}]


def test_a_picture_is_refused_with_a_sentence_and_not_sent(api: Api, service: ModelService) -> None:
    asked = len(service.heard)
    with api.client() as client, pytest.raises(ApiError, match="The live model v1 reads text only"):
        client.predict_picture("support", "T-1", as_file(bars(1, True)))
    assert (stored(api), len(service.heard)) == (0, asked)


def test_while_the_service_fails_callers_are_told_when_to_ask_again_and_nothing_is_lost(
    api: Api, service: ModelService
) -> None:
    service.answers = [lambda _told: said({}, 500)]
    token, row = api.token(), {"external_id": "T-1", "text": "where is my parcel"}
    for words, seconds in (("answered with the status 500", "2"), ("has failed once and is left alone", "60")):
        answer = api.call("POST", "support/predict", token, json=row)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (503, "model_unavailable")
        assert words in problem["detail"]
        assert answer.headers["retry-after"] in (seconds, str(int(seconds) - 1))
    assert stored(api) == 0
    api.services.connect._breakers.clear()  # type: ignore[attr-defined]
    assert api.call("POST", "support/predict", token, json=row).json()["label"] == DELIVERY
    sent = {"external_id": "T-2", "model_version": "other", "text": "x", "label": REFUND, "confidence": 1}
    assert api.call("POST", "support/predictions", token, json=sent).status_code == 200


def test_a_shadow_waits_for_its_service_and_misses_nothing(api: Api, service: ModelService) -> None:
    trained(api, "mine-2")
    with api.client() as client:
        client.predict("support", "T-1", "where is my parcel")
    queue = api.desk.rules
    later = replace(api.services, clock=lambda: utc_now() + timedelta(seconds=10))
    shadow_piece(api.services, queue)  # it begins
    with api.desk.database.transaction() as session:
        session.get_one(Shadow, 2).done_up_to = 0
    service.answers = [lambda _told: said({}, 500)]
    with pytest.raises(ModelUnavailable, match="status 500"):
        shadow_piece(later, queue)
    api.services.connect._breakers.clear()  # type: ignore[attr-defined]
    assert shadow_piece(later, queue)
    with api.desk.database.reading() as session:
        [row] = session.scalars(select(ParallelPrediction))
    assert (row.model_id, row.label) == (2, DELIVERY)
    assert service.heard[-1]["version"] == "mine-2"


def test_a_budget_opens_its_items_while_the_service_is_away(api: Api, service: ModelService) -> None:
    """Predictions of a sender's own model wait in line. The service, which would give them another order, answers to
    the first ones alone."""
    more = service_policy(flagging={"budget": "60 a day"}, external={"url": service.url, "failures": 1})
    desk, tomorrow = opened(api.desk.database, more), utc_now() + timedelta(days=1)
    desk.ingest(*(sent(f"where is parcel {number}", UNSURE) for number in range(3)), now=utc_now())
    budget_piece(api.services, desk.rules)
    desk.ingest(*(sent(f"where is my parcel {number}", UNSURE) for number in range(3)), now=tomorrow)
    service.answers = [lambda _told: said({}, 500)] * 5
    budget_piece(replace(api.services, clock=lambda: tomorrow), desk.rules)
    assert len(service.answers) < 5, "it was asked"
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ReviewItem)) == 6


def test_a_person_who_flags_a_message_does_not_wait_for_the_service(api: Api, service: ModelService) -> None:
    asked = FlagSubmission(DAN, "support", "where is my parcel", "C1|1.2")
    assert looked_at(api.services, asked).label == DELIVERY
    service.seconds = 5.0
    began = time.monotonic()
    with finished_within(ANSWERED_WITHIN):
        assert looked_at(api.services, asked) == NewPrediction("slack:C1:1.2", NO_MODEL, "where is my parcel")
    assert time.monotonic() - began < 4


def test_doctor_asks_the_service(api: Api, service: ModelService) -> None:
    found = {one.subject: one for one in live_models(api.desk.database, api.desk.policy)}
    assert "it answers for v1" in str(found["service of support"])
    service.answers = [lambda _told: said({}, 404)]
    found = {one.subject: one for one in live_models(api.desk.database, api.desk.policy)}
    assert "answered with the status 404" in str(found["service of support"])
