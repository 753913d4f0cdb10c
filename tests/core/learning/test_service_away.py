"""While a service that computes the live model is away, finds and written texts wait, and go on when it is back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from sqlalchemy import select

from bot.runtime.services import Services, assemble
from bot.worker.scans import find_piece
from bot.worker.synthesis import write_next
from core.learning.data.inputs import Input
from core.learning.learners.base import FloatArray
from core.learning.learners.external import Ask
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.serving import Serving
from core.policy import QueuePolicy
from core.records.discovery import Find
from core.records.jobs import Job
from core.records.learning import Live
from core.storage.database import Database
from core.synthesis.batches import SYNTHESIS
from core.vocabulary import FindState, SyntheticState
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, REFUND, Desk, opened
from tests.core.discovery.test_scans import scanned, source, with_model
from tests.core.models import seeded
from tests.core.services import away, connection, handed, service_policy, submitted, work
from tests.llm.recorded import RecordedModel, serving
from tests.llm.scene import batch, corrected, requested, texts
from tests.people import CLEO

pytestmark = pytest.mark.slow
__all__ = ["source"]  # a fixture


class Service:
    """A connection to a service that is there or not, as the test says."""

    is_away = False

    def __init__(self, answers: Mapping[str, float]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, queue: QueuePolicy) -> Ask:
        def ask(version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
            self.asked += [one.text for one in inputs]
            connect = away if self.is_away else connection(lambda _text: self._answers)
            return connect(queue)(version, labels, inputs)

        return ask


def services_of(desk: Desk, service: Service) -> Services:
    made = assemble(desk.database, WebClient(), desk.policy)
    return replace(made, clock=lambda: NOW, serving=Serving(desk.database, connect=service), connect=service)


def live(desk: Desk, version: str = "mine-1") -> None:
    """The service's first model is approved."""
    waiting = handed(desk)
    submitted(desk, waiting.snapshot_id or 0, version)
    work(desk)
    with desk.database.transaction() as session:
        newest = session.get_one(Live, desk.queue().id)
        model_id = (newest.model_id or 0) + 1
        assert approve(session, model_id, CLEO, 1, NOW, desk.policy)


def finds(desk: Desk) -> list[Find]:
    with desk.database.reading() as session:
        return list(session.scalars(select(Find).order_by(Find.id)))


def test_finds_wait_for_the_service_and_are_then_opened_with_what_it_says(open_desk: OpenDesk, source: Path) -> None:
    """A queue whose finds come from a model that ran here, and whose next model runs in a service."""
    before = with_model(open_desk)
    scanned(before, source, items=4)
    desk = opened(before.database, service_policy(discovery={"open_items": 10}))
    live(desk)
    unsure = {REFUND: 0.5, "billing error": 0.3, "delivery": 0.2}
    service = Service(unsure)
    service.is_away = True
    services = services_of(desk, service)
    for _look in range(2):
        find_piece(services, desk.rules)
    assert service.asked
    assert {one.state for one in finds(desk)} == {FindState.WAITING}, "nothing is shown that this model did not say"
    assert all(one.text for one in finds(desk)), "and nothing is lost"
    service.is_away = False
    find_piece(services, desk.rules)
    assert {(one.state, one.confidence) for one in finds(desk)} == {(FindState.OPENED, 0.5)}


def synthetic(address: str) -> dict[str, Any]:
    return {"enabled": True, "address": address, "model": "ten-good", "calls": 1}


def test_written_texts_wait_for_the_service_and_no_call_is_made_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDLOOP_LLM_KEY", "sk-secret")
    model, service = RecordedModel(), Service({REFUND: 0.5, "billing error": 0.3, "delivery": 0.2})
    with serving(model) as address:
        desk = seeded(opened(database, service_policy(synthetic=synthetic(address), golden={"seed_share": 0.0})))
        live(desk)
        corrected(desk)
        service.is_away, services = True, services_of(desk, service)
        batch_id = requested(desk)
        assert write_next(services)
        assert batch(desk, batch_id).state is SyntheticState.REQUESTED
        assert len(model.prompts) == 1
        with desk.database.reading() as session:
            waiting = session.scalars(select(Job).where(Job.name == SYNTHESIS)).one()
        assert (waiting.state, waiting.attempts) == ("ready", 0), "an absence is no failed attempt"
        assert waiting.next_attempt_at == NOW + timedelta(seconds=30), "as long as the service is left alone"
        service.is_away = False
        assert write_next(replace(services, clock=lambda: NOW + timedelta(minutes=1)))
    assert batch(desk, batch_id).state is SyntheticState.SAMPLED
    assert len(model.prompts) == 1
    assert len([one for one in texts(desk) if not one.dropped_because]) == 10
