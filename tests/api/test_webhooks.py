"""Over real HTTP: signed so that the convention's own library accepts it, retried until an endpoint accepts it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console
from standardwebhooks import Webhook
from starlette.responses import Response
from typer.testing import CliRunner, Result

import bot.webhooks
from bot.cli.app import app
from bot.runtime.services import Services
from bot.server.run import warn_of_secrets
from bot.webhooks import deliver_next_event, webhook_id
from core.delivery.webhook_log import last_attempts
from core.errors import NotFound
from core.policy.integrations import WebhookEndpoint, secret_variable
from tests.api.conftest import services_of
from tests.api.receiver import SECRET, Receiver, listening
from tests.core.desk import BILLING, Desk
from tests.flows.processes import write_policy
from tests.people import ANA, BEN, support_policy

HELPDESK = secret_variable("helpdesk")


@pytest.fixture
def receiver(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv(HELPDESK, SECRET)
    with listening(unused_port) as receiver:
        yield receiver


def services_for(desk: Desk, url: str) -> Services:
    endpoint = WebhookEndpoint(name="helpdesk", url=url)
    return services_of(desk.database, desk.policy.model_copy(update={"webhooks": (endpoint,)}))


def deliver(services: Services, later: timedelta = timedelta()) -> None:
    """All that is due now, or a while from now."""
    moment = replace(services, clock=lambda: datetime.now(UTC) + later)
    while deliver_next_event(moment):
        pass


def outcomes(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return [line.outcome for line in last_attempts(session, 100)][::-1]


def with_helpdesk(folder: Path, url: str) -> Path:
    """A policy file with one endpoint."""
    policy = write_policy(folder)
    policy.write_text(policy.read_text() + f'\n[webhooks.helpdesk]\nurl = "{url}"\n')
    return policy


def typed(desk: Desk, policy: Path, *words: str, columns: int = 200) -> Result:
    """`goldloop webhooks …`, as an operator types it."""
    url = desk.database.engine.url.render_as_string(hide_password=False)
    environment = {"DATABASE_URL": url, "GOLDLOOP_POLICY": str(policy), "COLUMNS": str(columns)}
    return CliRunner().invoke(app, ["webhooks", *words], env=environment)


def test_signatures_are_those_of_the_specification() -> None:
    signed = Webhook(SECRET).sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), '{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_helpdesk_learns_the_corrected_label(desk: Desk, receiver: Receiver) -> None:
    item_id = desk.settled(ANA, BEN, answer=BILLING, external_id="T-1")
    deliver(services_for(desk, receiver.url))
    [message] = receiver.heard
    assert message["type"] == "item.settled"
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    assert (message["data"]["external_id"], message["data"]["label"], message["data"]["item_id"]) == (
        "T-1",
        BILLING,
        item_id,
    )
    assert outcomes(desk) == ["204 No Content"]


@pytest.mark.usefixtures("sqlite_only")
def test_what_was_refused_comes_again_under_the_same_id(desk: Desk, receiver: Receiver) -> None:
    services = services_for(desk, receiver.url)
    receiver.answers = [Response(status_code=500), Response(status_code=302, headers={"location": "/elsewhere"})]
    desk.settled(ANA, BEN)
    for seconds in (0, 10, 60, 600):
        deliver(services, timedelta(seconds=seconds))
    assert outcomes(desk) == ["500 Internal Server Error", "302 Found", "204 No Content"]
    assert len(receiver.heard) == 3
    assert len(set(receiver.ids)) == 1


def test_an_id_is_never_that_of_another_database_or_of_what_was_lost_in_a_restore() -> None:
    first = datetime(2026, 11, 24, 8, 0, 0, 1, tzinfo=UTC)
    assert webhook_id(5, first) == webhook_id(5, first)
    assert len({webhook_id(5, first), webhook_id(5, first + timedelta(microseconds=1)), webhook_id(6, first)}) == 3


@pytest.mark.usefixtures("sqlite_only")
def test_gone_means_never_again(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [Response(status_code=410)]
    desk.settled(ANA, BEN)
    for days in (0, 1):
        deliver(services_for(desk, receiver.url), timedelta(days=days))
    assert outcomes(desk) == ["410 Gone"]


@pytest.mark.usefixtures("sqlite_only")
def test_a_secret_that_is_missing_or_broken_is_said_and_sends_nothing(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_for(desk, receiver.url)
    desk.settled(ANA, BEN)
    monkeypatch.delenv(HELPDESK)
    deliver(services)
    monkeypatch.setenv(HELPDESK, "whsec_a")
    deliver(services, timedelta(minutes=1))
    monkeypatch.setenv(HELPDESK, SECRET)
    deliver(services, timedelta(minutes=5))
    assert outcomes(desk) == [
        f"{HELPDESK} is not set, so webhooks to helpdesk cannot be signed.",
        f"{HELPDESK} is not a secret of the form whsec_… (base64).",
        "204 No Content",
    ]


@pytest.mark.usefixtures("sqlite_only")
def test_an_endpoint_that_does_not_answer_is_an_outcome_too(desk: Desk, receiver: Receiver) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]  # closed again: no process listens here
        desk.settled(ANA, BEN)
        deliver(services_for(desk, f"http://127.0.0.1:{port}/"))
    assert outcomes(desk) == ["no answer (ConnectError)"]


@contextmanager
def dripping() -> Iterator[str]:
    """The address of one that begins to answer, and sends one more byte of a header ten times a second, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            peer, _ = server.accept()
            with peer, suppress(OSError):
                peer.sendall(b"HTTP/1.1 204 No Content\r\nx-long: ")
                while True:
                    peer.sendall(b"x")
                    time.sleep(0.1)

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_one_that_never_comes_to_an_end_holds_an_attempt_no_longer_than_another(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.webhooks, "TIMEOUT", 1.0)
    with dripping() as url:
        desk.settled(ANA, BEN)
        deliver(services_for(desk, url))
    assert outcomes(desk) == ["no answer within 1 seconds"]


@pytest.mark.usefixtures("sqlite_only")
def test_whatever_goes_wrong_is_the_attempts_outcome(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    desk.settled(ANA, BEN)
    deliver(services_for(desk, "https://xn--a.example/"))
    [outcome] = outcomes(desk)
    assert outcome.startswith("no answer (")


@pytest.mark.parametrize(
    "url", ["https://here:abc/", "https://here:99999/", "https://here:0/", "https:///x", "ftp://a/b"]
)
def test_an_address_that_can_never_be_called_is_refused_with_the_policy(url: str) -> None:
    with pytest.raises(ValidationError):
        WebhookEndpoint(name="helpdesk", url=url)


@pytest.mark.usefixtures("sqlite_only")
def test_an_operator_sees_what_is_dead_and_sends_it_again(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    policy = with_helpdesk(tmp_path, receiver.url)

    def goldloop(*words: str) -> Result:
        return typed(desk, policy, *words)

    assert f"helpdesk: secret in {HELPDESK}" in goldloop().stdout
    receiver.answers = [Response(status_code=410)]
    desk.settled(ANA, BEN)
    deliver(services_for(desk, receiver.url))
    shown = goldloop().stdout
    assert "410 Gone" in shown
    assert "no longer tried: the endpoint refused them, or every attempt of almost a day failed." in " ".join(
        shown.split()
    )
    assert "goldloop webhooks replay" in " ".join(shown.split())
    assert "1 delivery will be sent again." in goldloop("replay").stdout
    deliver(services_for(desk, receiver.url))
    assert len(receiver.heard) == 2
    assert "Nothing to send again." in goldloop("replay").stdout
    assert Webhook(goldloop("secret").stdout.strip())


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--event", "999"), "There is no event 999."),
        (("--endpoint", "nope"), "There is no endpoint “nope”"),
        (("--endpoint", "helpdesk", "--event", "999"), "There is no event 999."),
    ],
)
def test_what_is_not_there_cannot_be_sent_again(
    desk: Desk, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    refused = typed(desk, with_helpdesk(tmp_path, "https://desk.example"), "replay", *words)
    assert isinstance(refused.exception, NotFound)
    assert sentence in str(refused.exception)


@pytest.mark.usefixtures("sqlite_only")
def test_an_endpoint_that_left_the_policy_is_still_known(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [Response(status_code=410)]
    desk.settled(ANA, BEN)
    deliver(services_for(desk, receiver.url))
    assert (
        "1 delivery will be sent again."
        in typed(desk, write_policy(tmp_path), "replay", "--endpoint", "helpdesk").stdout
    )


@pytest.mark.usefixtures("sqlite_only")
def test_a_long_address_is_whole_in_a_narrow_terminal(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.webhooks.out", Console(width=80))
    address = "https://helpdesk.example.com/hooks/goldloop/item-settled/0123456789/abcdefghij"
    shown = typed(desk, with_helpdesk(tmp_path, address)).stdout
    assert "…" not in shown
    cells = [line.split("│")[-2].strip() for line in shown.splitlines() if line.count("│") > 2]
    assert "".join(cells) == address


@pytest.mark.usefixtures("sqlite_only")
def test_a_start_says_which_secret_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("GOLDLOOP_WEBHOOK_SECRET_HELPDESK", raising=False)
    endpoint = WebhookEndpoint(name="helpdesk", url="https://helpdesk.example/goldloop")
    warn_of_secrets(support_policy().model_copy(update={"webhooks": (endpoint,)}))
    assert caplog.messages == [
        "GOLDLOOP_WEBHOOK_SECRET_HELPDESK is not set, so webhooks to helpdesk cannot be signed. "
        "Run `goldloop webhooks secret` to create one, and set it for this process."
    ]
