"""A start without Slack: it waits while Slack cannot be reached, and reports Slack's error if the token is refused."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError

from bot.runtime.services import slack_client
from bot.sandbox.server import serve
from bot.slack.startup import wait_for_slack
from tests.operations.test_first_day import office


def test_it_waits_at_increasing_intervals_until_slack_can_be_reached(unused_port: int) -> None:
    pauses: list[float] = []
    with ExitStack() as stack:

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                stack.enter_context(serve(office(unused_port, over_http=True), unused_port))

        wait_for_slack(slack_client("xoxb-page", f"http://127.0.0.1:{unused_port}/api/"), pause)
    assert pauses == [1.0, 2.0, 4.0]


def test_it_does_not_wait_where_slack_says_no(unused_port: int) -> None:
    def never(_seconds: float) -> None:
        raise AssertionError("waited")

    with serve(office(unused_port, over_http=True)) as url, pytest.raises(SlackApiError, match="invalid_auth"):
        wait_for_slack(slack_client("xoxb-other", f"{url}/api/"), never)


@pytest.mark.slow
@pytest.mark.parametrize("way", [{"SLACK_SIGNING_SECRET": "page"}, {"SLACK_APP_TOKEN": "xapp-page"}])
def test_a_wrong_token_is_said_in_a_sentence(way: dict[str, str], unused_port: int, tmp_path: Path) -> None:
    assert _said(tmp_path, unused_port, SLACK_BOT_TOKEN="xoxb-other", **way) == (
        "Slack answered with the error “invalid_auth”, so Goldloop cannot start. Run `goldloop doctor` for help.\n"
    )


@pytest.mark.slow
def test_a_wrong_app_token_is_said_in_a_sentence(unused_port: int, tmp_path: Path) -> None:
    said = _said(tmp_path, unused_port, SLACK_BOT_TOKEN="xoxb-page", SLACK_APP_TOKEN="xapp-other")
    assert said.endswith("so Goldloop cannot start. Run `goldloop doctor` for help.\n")
    assert "Traceback" not in said


@pytest.mark.slow
def test_over_http_a_port_that_is_taken_is_said_and_nothing_starts(unused_port: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        way = {"SLACK_BOT_TOKEN": "xoxb-page", "SLACK_SIGNING_SECRET": "page", "HOST": "127.0.0.1", "PORT": port}
        said = " ".join(_said(tmp_path, unused_port, **way).split())
    assert said == f"Port {port} is already in use. Set PORT to another."


@pytest.mark.slow
def test_another_reason_why_a_port_cannot_be_used_is_named(unused_port: int, tmp_path: Path) -> None:
    way = {"SLACK_BOT_TOKEN": "xoxb-page", "SLACK_SIGNING_SECRET": "page", "HOST": "192.0.2.1"}  # not of this machine
    said = " ".join(_said(tmp_path, unused_port, **way).split())
    assert said == (
        f"Goldloop cannot listen on port {unused_port}: Cannot assign requested address. Check HOST and PORT."
    )


def _said(folder: Path, port: int, **environment: str) -> str:
    (folder / "goldloop.toml").write_text(
        '[queues.support]\ntitle = "S"\nchannel = "C0REVIEW"\nleads_channel = "C0LEADS"\nleads = ["U0CLEO"]\n'
        'labels = ["refund", "delivery"]\n'
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "GOLDLOOP_"))}
    with serve(office(port, over_http=False)) as url:
        where = {"SLACK_API_URL": f"{url}/api/", "DATABASE_URL": "sqlite:///g.sqlite", "PORT": str(port)}
        done = subprocess.run(
            [sys.executable, "-c", "import sys; sys.argv[1:] = ['web']; from bot.cli.app import main; main()"],
            cwd=folder, env={**kept, **where, **environment, "COLUMNS": "200"}, capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
    assert done.returncode == 2, done.stderr
    return done.stderr
