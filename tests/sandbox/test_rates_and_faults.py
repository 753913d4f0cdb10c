"""Rates per method (java-slack-sdk MethodsRateLimits.java) and faults to order."""

import socket

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from bot.sandbox.client import Person, SandboxClient
from bot.sandbox.clock import Clock
from bot.sandbox.rates import PER_MINUTE, Rates
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serving
from tests.sandbox.conftest import code


def limited(web: WebClient, method: str, **arguments: object) -> int:
    with pytest.raises(SlackApiError) as error:
        web.api_call(method, params=arguments)
    assert (error.value.response.status_code, code(error.value)) == (429, "ratelimited")
    return int(error.value.response.headers["Retry-After"])


def test_chat_update_takes_fifty_a_minute_for_the_whole_workspace(web: WebClient, box: SandboxClient) -> None:
    stamps = {channel: web.chat_postMessage(channel=channel, text="x")["ts"] for channel in ("C_REVIEW", "C_LEADS")}
    box.rates(True)
    for number in range(50):
        channel = ("C_REVIEW", "C_LEADS")[number % 2]
        web.chat_update(channel=channel, ts=stamps[channel], text=str(number))
    wait = limited(web, "chat.update", channel="C_REVIEW", ts=stamps["C_REVIEW"], text="x")
    assert 50 <= wait <= 60
    box.advance(wait)
    assert web.chat_update(channel="C_REVIEW", ts=stamps["C_REVIEW"], text="x")["ok"]


def test_a_channel_takes_a_message_a_second_after_a_small_burst(web: WebClient, box: SandboxClient) -> None:
    box.rates(True)
    for _ in range(4):
        web.chat_postMessage(channel="C_REVIEW", text="x")
    assert limited(web, "chat.postMessage", channel="C_REVIEW", text="x") == 1
    assert web.chat_postMessage(channel="C_LEADS", text="another channel")["ok"]
    box.advance(1)
    assert web.chat_postMessage(channel="C_REVIEW", text="x")["ok"]


def test_methods_have_their_own_counts() -> None:
    rates = Rates(Clock(), on=True)
    for method in ("reactions.add", "views.open", "users.list", "chat.update"):
        answers = [rates.wait("A", method, None) for _ in range(PER_MINUTE[method] + 1)]
        assert answers[:-1] == [None] * PER_MINUTE[method]
        assert answers[-1]
    assert rates.wait("B", "chat.update", None) is None


def test_slack_sdks_own_handler_waits_as_told(web: WebClient, box: SandboxClient) -> None:
    box.fault("auth.test", "ratelimited", retry_after=0)
    web.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    assert web.auth_test()["ok"]
    assert [each["status"] for each in box.calls("auth.test")] == [429, 200]


@pytest.mark.slow
def test_an_answer_can_be_lost_after_its_effect(web: WebClient, box: SandboxClient, ana: Person) -> None:
    """slack_sdk's default handler posts again: one call, two messages."""
    box.fault("chat.postMessage", "lost_answer")
    with pytest.raises(OSError, match=r"closed|reset"):
        web.chat_postMessage(channel="C_REVIEW", text="once")
    assert [each.text for each in ana.messages("review")] == ["once"]

    box.fault("chat.postMessage", "lost_answer")
    web.retry_handlers.append(ConnectionErrorRetryHandler(max_retry_count=1))
    web.chat_postMessage(channel="C_REVIEW", text="twice")
    assert [each.text for each in ana.messages("review")] == ["once", "twice", "twice"]
    assert box.calls("chat.postMessage")[0]["error"] == "lost_answer"


def test_a_call_can_hang(address: str, box: SandboxClient, ana: Person) -> None:
    box.fault("chat.postMessage", "timeout")
    impatient = WebClient("xoxb-A_LOOP", base_url=f"{address}/api/", timeout=0.1, retry_handlers=[])  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        impatient.chat_postMessage(channel="C_REVIEW", text="x")
    assert ana.messages("review") == []


def test_a_server_error_and_any_code_can_be_ordered(web: WebClient, box: SandboxClient) -> None:
    box.fault("auth.test", "server_error")
    with pytest.raises(SlackApiError) as error:
        web.auth_test()
    assert error.value.response.status_code == 500
    box.fault("auth.test", "token_revoked", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError) as error:
            web.auth_test()
        assert code(error.value) == "token_revoked"
    assert web.auth_test()["ok"]


def test_every_call_is_in_the_inspector_without_its_token(web: WebClient, box: SandboxClient) -> None:
    web.chat_postMessage(channel="C_REVIEW", text="x")
    call = box.calls("chat.postMessage")[0]
    assert (call["method"], call["status"], call["ok"], call["error"]) == ("chat.postMessage", 200, True, None)
    assert (call["args"]["channel"], call["app"]) == ("C_REVIEW", "A_LOOP")
    assert "xoxb" not in str(box.inspector())


def test_an_app_that_dies_in_the_middle_of_a_call_is_no_bug_of_the_workspace(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(sandbox) as url:
        host, port = url.removeprefix("http://").split(":")
        for path in ("/response/token", "/upload/F1", "/api/chat.postMessage"):
            with socket.create_connection((host, int(port))) as dying:
                dying.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf".encode())
        with SandboxClient(url) as box:
            box.wait_for(lambda: len(box.inspector()) >= 1, what="a call that broke off")
    assert "Exception in ASGI application" not in caplog.text


def test_the_addresses_that_slack_gives_out_fail_to_order_too(web: WebClient, box: SandboxClient, ana: Person) -> None:
    place = web.files_getUploadURLExternal(filename="a.txt", length=1)["upload_url"]
    for kind, status in (("ratelimited", 429), ("server_error", 500), ("file_not_found", 200)):
        box.fault("upload", kind)
        assert WebhookClient(place, retry_handlers=[]).send_dict({}).status_code == status
        box.fault("response_url", kind)
        assert WebhookClient(f"{box.address}/response/x", retry_handlers=[]).send_dict({}).status_code == status
    assert WebhookClient(f"{box.address}/response/x", retry_handlers=[]).send(text="x").status_code == 404


def test_a_revoked_token_is_refused_and_the_new_one_is_good(web: WebClient, box: SandboxClient) -> None:
    new = box.revoke_token()
    with pytest.raises(SlackApiError) as error:
        web.auth_test()
    assert code(error.value) == "token_revoked"
    assert WebClient(token=new, base_url=web.base_url).auth_test()["ok"]
