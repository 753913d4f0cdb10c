"""End to end: a sender's prediction becomes a card, two people click, and the helpdesk receives the webhook at once."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from bot.api.app import create_api
from core.people.api_tokens import create_token
from core.policy.integrations import WebhookEndpoint, secret_variable
from core.vocabulary import Scope
from goldloop_client import Client, ItemState
from tests.api.receiver import SECRET, Receiver, listening
from tests.core.desk import BILLING, NOW, sent
from tests.flows.conftest import StartLoop, start_loop  # noqa: F401 - a fixture
from tests.loop import PATIENCE
from tests.people import support_policy
from tests.web import web_server

pytestmark = pytest.mark.usefixtures("sqlite_only")


@pytest.fixture
def receiver(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv(secret_variable("helpdesk"), SECRET)
    with listening(unused_port) as receiver:
        yield receiver


@pytest.mark.slow
def test_the_helpdesk_hears_the_corrected_label_after_the_second_click(
    start_loop: StartLoop,  # noqa: F811
    receiver: Receiver,
    another_port: int,
) -> None:
    endpoint = WebhookEndpoint(name="helpdesk", url=receiver.url)
    loop = start_loop(support_policy().model_copy(update={"webhooks": (endpoint,)}))
    with loop.database.transaction() as session:
        token = create_token(session, "helpdesk", "chance", tuple(Scope), "support", NOW)
    app = FastAPI()
    app.mount("/api", create_api(loop.services))
    with web_server(app, another_port), Client(f"http://127.0.0.1:{another_port}", token) as client:
        client.send("support", [sent("my card was charged twice", external_id="T-1")])
        card = loop.card("my card was charged twice")
        for person in (loop.ana, loop.ben):
            person.click(card, BILLING)
        loop.box.wait_for(lambda: receiver.heard, PATIENCE, what="a webhook")
        [item] = client.items("support", ItemState.SETTLED)
    [message] = receiver.heard
    assert (message["type"], message["data"]["external_id"], message["data"]["label"]) == (
        "item.settled",
        "T-1",
        BILLING,
    )
    assert item.id == message["data"]["item_id"]
