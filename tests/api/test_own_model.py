"""The whole way with the example service: webhook, training, answers, gate, approval, prediction, a second model, and
back again by rollback."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.runtime.clock import utc_now
from bot.webhooks import deliver_next_event
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.rollback import rollback
from core.policy.integrations import WebhookEndpoint
from core.records.external import HandOut
from core.storage.database import Database
from core.vocabulary import ModelState, Scope
from own_model.service import ModelStore, Service, running
from tests.api.conftest import Api, StartApi
from tests.api.receiver import SECRET
from tests.core.desk import DELIVERY, opened
from tests.core.models import model, seeded
from tests.core.services import handed, service_policy, work
from tests.people import CLEO

pytestmark = [pytest.mark.usefixtures("sqlite_only"), pytest.mark.slow]


@pytest.fixture
def api(
    database: Database, start_api: StartApi, another_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Api]:
    monkeypatch.setenv("GOLDLOOP_WEBHOOK_SECRET_TRAINER", SECRET)
    place = f"http://127.0.0.1:{another_port}"
    policy = service_policy(external={"url": f"{place}/predict", "timeout_seconds": 30})
    hooks = (WebhookEndpoint(name="trainer", url=f"{place}/hooks"),)
    api = start_api(seeded(opened(database, policy.model_copy(update={"webhooks": hooks}))))
    token = api.token(Scope.READ, Scope.TRAIN, name="trainer", queue="support")
    with api.client(token) as client, running(Service(client, SECRET, ModelStore(tmp_path)), another_port):
        yield api


def submitted(api: Api, run_id: int) -> str:
    """The version that the service submits."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with api.desk.database.reading() as session:
            version = session.scalar(select(HandOut.version).where(HandOut.run_id == run_id))
        if version is not None:
            return version
        time.sleep(0.1)
    raise AssertionError("the service submitted nothing within a minute")


def trained(api: Api) -> str:
    waiting = handed(api.desk, utc_now())
    while deliver_next_event(api.services):
        pass
    version = submitted(api, waiting.id)
    work(api.desk, api.services.connect, now=utc_now())
    return version


def promoted(api: Api, model_id: int) -> None:
    with api.desk.database.transaction() as session:
        assert approve(session, model_id, CLEO, 1, utc_now(), api.desk.policy)


def test_a_service_trains_goes_live_answers_and_is_rolled_back(api: Api) -> None:
    first = trained(api)
    promoted(api, 1)
    with api.client(api.token(Scope.PREDICT, name="sender")) as client:
        answer = client.predict("support", "T-1", "where is the parcel with my clock")
        assert (answer.label, answer.model_version) == (DELIVERY, "v1")
        with api.desk.database.transaction() as session:
            add_seeds(session, [("my parcel has a hole", DELIVERY)], utc_now(), api.desk.rules)
        second = trained(api)
        assert second != first
        promoted(api, 2)
        assert client.predict("support", "T-2", "where is the parcel with my clock").model_version == "v2"
        with api.desk.database.transaction() as session:
            rollback(session, api.desk.queue(), CLEO, "it was slow", utc_now(), api.desk.rules)
        assert client.predict("support", "T-3", "where is the parcel with my clock").model_version == "v1"
    assert [model(api.desk, number).state for number in (1, 2)] == [ModelState.LIVE, ModelState.RETIRED]
