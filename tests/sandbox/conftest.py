"""A workspace with people, one public and one private channel, and a small Bolt app connected to it."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from slack_bolt import Ack, App, BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.interval_runner import IntervalRunner

from bot.sandbox.client import Person, SandboxClient
from bot.sandbox.config import (
    AppConfig,
    ChannelConfig,
    CommandConfig,
    PersonConfig,
    SandboxConfig,
    ShortcutConfig,
)
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serving
from bot.sandbox.wire import Json

CONFIG = SandboxConfig(
    people=(
        PersonConfig("U_ANA", "ana", "Ana Lima", tz="Europe/Lisbon"),
        PersonConfig("U_BEN", "ben", "Ben Ott"),
        PersonConfig("U_CLEO", "cleo", "Cleo Diaz", admin=True),
        PersonConfig("U_DAN", "dan", "Dan Roe"),
        PersonConfig("U_GUS", "gus", "Gus Guest", kind="guest"),
        PersonConfig("U_EXT", "xena", "Xena Elsewhere", kind="external", team_id="T_OTHER"),
    ),
    channels=(
        ChannelConfig("C_REVIEW", "review", members=("ana", "ben", "cleo", "xena", "loop")),
        ChannelConfig("C_LEADS", "leads", private=True, members=("cleo", "loop")),
        ChannelConfig("C_SECRET", "secret", private=True, members=("dan",)),
        ChannelConfig("C_TOWN", "town", members=("ana", "dan")),
        ChannelConfig("C_OLD", "old", members=("ana", "loop"), archived=True),
    ),
    apps=(
        AppConfig(
            "A_LOOP",
            "loop",
            bot_user="loop",
            commands=(CommandConfig("/loop", "Does it", "[stats]"),),
            shortcuts=(ShortcutConfig("flag", "Flag"), ShortcutConfig("new", "New", "global")),
        ),
    ),
    rates=False,
    ack_seconds=0.3,
    file_seconds=0.01,
)


@pytest.fixture
def config() -> SandboxConfig:
    return replace(CONFIG)


@pytest.fixture
def sandbox(config: SandboxConfig) -> Sandbox:
    return Sandbox(config)


@pytest.fixture
def address(sandbox: Sandbox) -> Iterator[str]:
    with serving(sandbox) as address:
        yield address


@pytest.fixture
def box(address: str) -> Iterator[SandboxClient]:
    with SandboxClient(address) as box:
        yield box


@pytest.fixture
def web(address: str) -> WebClient:
    return WebClient("xoxb-A_LOOP", base_url=f"{address}/api/", retry_handlers=[])


@pytest.fixture
def app(web: WebClient) -> App:
    return App(name="loop", client=web)


@pytest.fixture
def connected(app: App, box: SandboxClient) -> Iterator[App]:
    """The app with an open socket; listeners may be added before and after."""
    handler = connect(app)
    yield app
    disconnect(box, handler)


def connect(app: App) -> SocketModeHandler:
    handler = SocketModeHandler(app, "xapp-A_LOOP", ping_interval=0.1)
    client = handler.client
    client.current_session_runner.shutdown()  # it looks for a session every 100 ms only
    client.connect()
    client.current_session_runner = IntervalRunner(partial(_receive, client), 0.002).start()
    return handler


def _receive(client: SocketModeClient) -> None:
    """As the SDK does it, but it never calls a state alive again. If it does so while another thread connects anew, it
    reads on from a session that has ended, for ever: the new one is not heard, and closing waits for its end."""
    state, session = client.current_session_state, client.current_session  # in this order: a new one is set first
    if session is not None and session.is_active():
        session.run_until_completion(state)


def disconnect(box: SandboxClient, *handlers: SocketModeHandler) -> None:
    """Ends the server's side first: the client's own close waits for a receive that times out after three seconds."""
    for handler in handlers:
        handler.client.auto_reconnect_enabled = handler.client.default_auto_reconnect_enabled = False
    while any(handler.client.is_connected() for handler in handlers):
        box.drop_sockets()
        time.sleep(0.005)
    for handler in handlers:
        handler.client.closed = True
        handler.client.enqueue_message("")
        handler.close()


class Heard:
    """Acknowledges everything and remembers it, oldest first."""

    def __init__(self, app: App) -> None:
        self.bodies: list[Json] = []
        self.headers: list[Json] = []
        anything = re.compile(".*")
        app.use(self._remember)
        for listen in (app.action, app.event, app.view, app.view_closed, app.shortcut):
            listen(anything)(self._acknowledge)
        app.command("/loop")(self._acknowledge)

    def _remember(self, req: BoltRequest, body: Json, next: Callable[[], object]) -> None:
        self.bodies.append(body)
        self.headers.append({name: value[0] for name, value in req.headers.items()})
        next()

    def _acknowledge(self, ack: Ack) -> None:
        ack()

    @property
    def last(self) -> Json:
        return self.bodies[-1]

    def events(self, kind: str) -> list[Json]:
        return [body["event"] for body in self.bodies if body.get("event", {}).get("type") == kind]


@pytest.fixture
def heard(connected: App) -> Heard:
    return Heard(connected)


def text(words: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": words}


def button(action_id: str, words: str, **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": text(words), **more}


def actions(*elements: Json, block_id: str = "row") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def modal(*blocks: Json, **more: object) -> Json:
    made = {"type": "modal", "callback_id": "form", "title": text("Form"), "submit": text("Send")}
    return {**made, "blocks": list(blocks), **more}


def note(block_id: str = "note", **more: object) -> Json:
    element = {"type": "plain_text_input", "action_id": "typed", **more}
    return {"type": "input", "block_id": block_id, "label": text("Note"), "element": element}


def code(error: SlackApiError) -> str:
    return str(error.response["error"])


@pytest.fixture
def ana(box: SandboxClient) -> Person:
    return box.person("ana")


@pytest.fixture
def ben(box: SandboxClient) -> Person:
    return box.person("ben")
