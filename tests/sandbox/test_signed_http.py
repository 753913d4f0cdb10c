"""Apps at a request URL: signed requests, checked by Bolt (docs authentication/verifying-requests-from-slack)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from slack_bolt import Ack, App, BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.client import Person, SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.wire import Json
from tests.sandbox.conftest import CONFIG, Heard, actions, button, modal, note, text


class Site:
    """A web server around a Bolt app, or around nothing: then it answers `status` and remembers what came."""

    def __init__(self) -> None:
        self.app: App | None = None
        self.status = 200
        self.answer_headers: dict[str, str] = {}
        self.seen: list[tuple[dict[str, str], str]] = []
        self.url = ""


@contextmanager
def running(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.seen.append((headers, body))
            status, answer_headers, answer = site.status, site.answer_headers, ""
            if site.app is not None:
                response = site.app.dispatch(BoltRequest(body=body, headers=dict(headers)))
                status, answer = response.status, response.body
                answer_headers = {name: value[0] for name, value in response.headers.items()}
            self.send_response(status)
            for name, value in answer_headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/slack/events"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with running(Site()) as site:
        yield site


@pytest.fixture
def config(site: Site) -> SandboxConfig:
    app = replace(CONFIG.apps[0], request_url=site.url, signing_secret="hush")
    return replace(CONFIG, apps=(app,))


@pytest.fixture
def bolt(site: Site, web: WebClient) -> App:
    site.app = App(name="loop", client=web, signing_secret="hush")
    return site.app


def test_bolt_accepts_the_signature_of_every_kind_of_request(
    bolt: App, web: WebClient, ana: Person, box: SandboxClient, site: Site
) -> None:
    heard = Heard(bolt)
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    assert ana.click(ana.messages("review")[-1], "Refund").status == 200
    assert ana.command("/loop stats", "review").status == 200
    assert ana.react(ana.messages("review")[-1], "eyes").status == 200
    assert {body.get("type", body.get("command")) for body in heard.bodies} == {
        "block_actions",
        "/loop",
        "event_callback",
    }
    headers, body = next(each for each in site.seen if each[1].startswith("payload="))
    assert SignatureVerifier("hush").is_valid_request(body, dict(headers))
    assert headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_wrong_secret_is_found_out(site: Site, web: WebClient, ana: Person) -> None:
    site.app = App(name="loop", client=web, signing_secret="another")
    outcome = ana.command("/loop", "review")
    assert (outcome.ok, outcome.status) == (False, 401)
    assert outcome.error == '/loop failed with the error "dispatch_failed"'


def test_a_form_and_a_select_are_answered_in_the_body(bolt: App, web: WebClient, ana: Person) -> None:
    def open_form(ack: Ack, body: Json) -> None:
        ack()
        web.views_open(trigger_id=body["trigger_id"], view=modal(note()))

    bolt.shortcut("new")(open_form)
    bolt.view("form")(lambda ack: ack(response_action="errors", errors={"note": "No."}))
    bolt.options("label")(lambda ack: ack(options=[{"text": text("Spam"), "value": "spam"}]))
    ana.global_shortcut("new")
    ana.box.wait_for(lambda: ana.view)
    assert ana.submit({"note": "x"}).errors == {"note": "No."}
    select = {"type": "external_select", "action_id": "label"}
    web.chat_postMessage(channel="C_REVIEW", text="x", blocks=[actions(select)])
    assert ana.suggestions(ana.messages("review")[-1], "label", "")[0]["value"] == "spam"


def test_the_url_is_verified_by_its_challenge(bolt: App, box: SandboxClient) -> None:
    """docs reference/events/url_verification"""
    assert box.verify_url().ok


def test_a_url_without_the_challenge_is_not_verified(site: Site, box: SandboxClient) -> None:
    assert not box.verify_url().ok


def test_a_failing_url_gets_retries_with_headers(site: Site, ana: Person, box: SandboxClient) -> None:
    """docs apis/events-api: X-Slack-Retry-Num and X-Slack-Retry-Reason."""
    site.status = 500
    ana.post("review", "hello")
    box.wait_for(lambda: len(site.seen) == 2)
    assert "x-slack-retry-num" not in site.seen[0][0]
    headers = site.seen[1][0]
    assert (headers["x-slack-retry-num"], headers["x-slack-retry-reason"]) == ("1", "http_error")
    site.status = 200
    box.advance(60)
    box.wait_for(lambda: len(site.seen) == 3)
    box.advance(300)
    assert len(site.seen) == 3


def test_a_url_may_decline_retries(site: Site, ana: Person, box: SandboxClient) -> None:
    """docs apis/events-api: x-slack-no-retry: 1."""
    site.status, site.answer_headers = 500, {"X-Slack-No-Retry": "1"}
    ana.post("review", "hello")
    box.wait_for(lambda: [each for each in box.inspector() if each["kind"] == "ack"])
    box.advance(3600)
    assert len(site.seen) == 1
