"""A workspace with people, one public and one private channel, and a small Bolt app connected to it."""

import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

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
    return App(client=web)


@pytest.fixture
def connected(app: App) -> Iterator[App]:
    """The app with an open socket; listeners may be added before and after."""
    handler = SocketModeHandler(app, "xapp-A_LOOP")
    handler.connect()  # type: ignore[no-untyped-call]
    yield app
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        handler.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def ana(box: SandboxClient) -> Person:
    return box.person("ana")


@pytest.fixture
def ben(box: SandboxClient) -> Person:
    return box.person("ben")
