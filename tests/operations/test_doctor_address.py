"""`goldloop doctor --url`: the address is tried with the challenge that Slack sends, signed as Slack signs it."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from bot.checks.address import public_address
from bot.checks.finding import Finding
from bot.runtime.clock import utc_now
from bot.runtime.services import build_services
from bot.server.app import create_app
from bot.slack.inbound.app import build_app
from core.errors import Invalid
from tests.operations.conftest import Place
from tests.web import web_server

pytestmark = pytest.mark.usefixtures("sqlite_only")


@pytest.fixture
def address(place: Place, unused_port: int) -> Iterator[str]:
    place.values |= {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "right"}
    services = build_services(place.settings)
    with web_server(create_app(services, build_app(services), "right"), unused_port):
        yield f"http://127.0.0.1:{unused_port}"
    services.database.close()


def tried(place: Place, url: str) -> Finding:
    [found] = public_address(url, place.settings, utc_now)
    return found


def test_a_running_goldloop_answers_slacks_challenge(place: Place, address: str) -> None:
    assert place.bad(public_url=address) == []
    assert [one for one in place.findings(public_url=address) if "To test it" in one.remedy] == []
    assert [one for one in place.findings() if "To test it" in one.remedy], "only who has not tried it is told how"
    assert "answers Slack's challenge" in tried(place, address).words


def test_another_secret_is_found(place: Place, address: str) -> None:
    place.values["SLACK_SIGNING_SECRET"] = "wrong"
    assert "SLACK_SIGNING_SECRET" in tried(place, address).remedy


def test_where_slack_uses_a_socket_no_address_is_tried(place: Place) -> None:
    found = tried(place, "http://127.0.0.1:9")
    assert "Goldloop uses Socket Mode" in found.words
    assert "Unset SLACK_APP_TOKEN" in found.remedy


def test_without_a_secret_nothing_is_sent(place: Place) -> None:
    place.values["SLACK_APP_TOKEN"] = ""
    assert "SLACK_SIGNING_SECRET is not set" in tried(place, "http://127.0.0.1:9").words


def test_another_server_at_that_address_is_found(place: Place, unused_port: int) -> None:
    place.values |= {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "right"}
    with web_server(FastAPI(), unused_port):
        assert "answers with status 404" in tried(place, f"http://127.0.0.1:{unused_port}").words


def test_an_address_that_does_not_answer_is_found(place: Place, unused_port: int) -> None:
    place.values |= {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "right"}
    assert "does not answer (ConnectError)" in tried(place, f"http://127.0.0.1:{unused_port}").words


def test_an_address_that_slack_never_calls_is_refused(place: Place) -> None:
    with pytest.raises(Invalid, match="is not an https:// address"):
        tried(place, "http://bot.example.com")
