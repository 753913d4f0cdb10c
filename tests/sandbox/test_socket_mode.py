"""Socket Mode, driven by slack-bolt's own handler (docs.slack.dev apis/events-api/using-socket-mode)."""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from socket import SHUT_RDWR

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket

from bot.sandbox.client import Person, SandboxClient
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serve
from bot.sandbox.wire import Json
from tests.sandbox.conftest import CONFIG, Heard, actions, button, code, connect, disconnect


def test_a_click_reaches_the_app_and_its_update_reaches_the_person(
    connected: App, web: WebClient, ana: Person, box: SandboxClient
) -> None:
    def vote(ack: Ack, body: Json) -> None:
        ack()
        web.chat_update(channel="C_REVIEW", ts=body["message"]["ts"], text=f"{body['user']['name']} voted", blocks=[])

    connected.action("vote")(vote)
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])

    outcome = ana.click(ana.messages("review")[-1], "Refund")

    assert (outcome.ok, outcome.status) == (True, 200)
    box.wait_for(lambda: ana.messages("review")[-1].text == "ana voted")


def test_a_socket_says_hello_with_what_the_docs_show(web: WebClient, address: str) -> None:
    url = web.apps_connections_open(app_token="xapp-A_LOOP")["url"]
    with open_socket(url) as socket:
        hello = json.loads(socket.recv())

    assert hello["type"] == "hello"
    assert hello["num_connections"] == 1
    assert hello["connection_info"] == {"app_id": "A_LOOP"}
    assert hello["debug_info"]["approximate_connection_time"] > 0


def test_a_ticket_opens_one_socket(web: WebClient, address: str) -> None:
    url = web.apps_connections_open(app_token="xapp-A_LOOP")["url"]
    with open_socket(url) as socket:
        socket.recv()
        with pytest.raises(Exception, match="rejected"):
            open_socket(url)


def test_a_bot_token_opens_no_socket(web: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        web.apps_connections_open(app_token="xoxb-A_LOOP")
    assert code(refused.value) == "not_allowed_token_type"


def test_an_eleventh_socket_is_turned_away(web: WebClient, box: SandboxClient) -> None:
    """node-slack-sdk #1654: disconnect, too_many_websockets."""
    urls = [web.apps_connections_open(app_token="xapp-A_LOOP")["url"] for _ in range(11)]
    with ExitStack() as stack:
        sockets = [stack.enter_context(open_socket(url)) for url in urls]
        first = [json.loads(socket.recv()) for socket in sockets]

    assert [each["type"] for each in first] == ["hello"] * 10 + ["disconnect"]
    assert first[-1]["reason"] == "too_many_websockets"


def test_each_envelope_goes_to_one_socket_in_turn(web: WebClient, ana: Person, box: SandboxClient) -> None:
    """ "Each payload goes to any one of them"; an acknowledgement may come over another one."""
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    card = ana.messages("review")[-1]
    urls = [web.apps_connections_open(app_token="xapp-A_LOOP")["url"] for _ in range(2)]
    with open_socket(urls[0]) as first, open_socket(urls[1]) as second:
        first.recv(), second.recv()
        for _ in range(2):
            ana.click(card, "Refund")  # no app acknowledges
        both = [json.loads(socket.recv(timeout=1)) for socket in (first, second)]

    assert {each["type"] for each in both} == {"interactive"}
    assert len({each["envelope_id"] for each in both}) == 2


def test_without_a_socket_the_person_is_told(web: WebClient, ana: Person) -> None:
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    outcome = ana.click(ana.messages("review")[-1], "Refund")
    assert (outcome.ok, outcome.status) == (False, None)
    assert "not responding" in str(outcome.error)


def test_an_app_that_does_not_acknowledge_times_out(connected: App, web: WebClient, ana: Person) -> None:
    """Bolt sends no acknowledgement for what it does not handle (slack_bolt adapter/socket_mode/internals.py)."""
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    outcome = ana.click(ana.messages("review")[-1], "Refund")
    assert outcome.error == "This app is not responding. (operation_timeout)"
    assert outcome.ms >= 300


def test_a_refresh_warns_and_ends_the_socket_and_bolt_opens_another(
    heard: Heard, web: WebClient, ana: Person, box: SandboxClient, sandbox: Sandbox
) -> None:
    before = sandbox.sockets.open["A_LOOP"][0]
    box.refresh_sockets()
    box.wait_for(lambda: len(sandbox.sockets.open["A_LOOP"]) == 2, what="a second socket after the warning")
    box.advance(10)
    box.wait_for(lambda: before not in sandbox.sockets.open["A_LOOP"])
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    card = ana.messages("review")[-1]
    box.wait_for(lambda: ana.click(card, "Refund").ok)  # slack_sdk connects once more on refresh_requested


def test_after_a_dropped_socket_bolt_comes_back(
    heard: Heard, web: WebClient, ana: Person, box: SandboxClient, sandbox: Sandbox
) -> None:
    assert box.drop_sockets() == 1
    box.wait_for(lambda: sandbox.sockets.open["A_LOOP"], what="a new socket")
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    assert ana.click(ana.messages("review")[-1], "Refund").ok


def test_two_processes_share_the_work(web: WebClient, ana: Person, box: SandboxClient) -> None:
    apps = [App(name="one", client=web), App(name="other", client=web)]
    heard = [Heard(app) for app in apps]
    handlers = [connect(app) for app in apps]
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    card = ana.messages("review")[-1]
    for _ in range(4):
        assert ana.click(card, "Refund").ok
    assert [len(each.bodies) for each in heard] == [2, 2]
    disconnect(box, *handlers)


def test_the_same_envelope_can_be_delivered_again(heard: Heard, web: WebClient, ana: Person) -> None:
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    ana.click(ana.messages("review")[-1], "Refund", action_ts="1700000000.000100", retries=2)
    assert [body["actions"][0]["action_ts"] for body in heard.bodies] == ["1700000000.000100"] * 3
    assert heard.bodies[0] == heard.bodies[1] == heard.bodies[2]
    assert heard.headers[2]["x-slack-retry-num"] == "2"


def leave(app: ClientConnection, seconds: float, politely: bool) -> None:
    time.sleep(seconds)
    if politely:
        app.close()
        return
    with suppress(OSError):  # the workspace was faster
        app.socket.shutdown(SHUT_RDWR)


@pytest.mark.slow
def test_a_workspace_ends_while_its_apps_leave() -> None:
    """An exception in the workspace's thread fails this test."""
    chance = random.Random(1)
    for _ in range(10):
        with ExitStack() as apps, ThreadPoolExecutor(8) as leaving, serve(CONFIG) as address:
            web = WebClient("xoxb-A_LOOP", base_url=f"{address}/api/")
            urls = [web.apps_connections_open(app_token="xapp-A_LOOP")["url"] for _ in range(8)]
            for number, app in enumerate([apps.enter_context(open_socket(url)) for url in urls]):
                leaving.submit(leave, app, chance.uniform(0, 0.002), politely=number % 2 == 0)
            time.sleep(chance.uniform(0, 0.001))
