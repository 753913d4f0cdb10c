"""How the bot runs: web, worker, or both in one process; over a socket or over HTTP."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

from slack_sdk.errors import SlackApiError

from bot.observability.liveness import Liveness
from bot.observability.metrics import count_refusals
from bot.runtime.gc_tuning import collect_seldom
from bot.runtime.migrate import migrate
from bot.runtime.services import Services, build_services
from bot.runtime.settings import Settings, require_setting
from bot.server.app import create_app, create_listener
from bot.server.listener import bound, listening
from bot.server.slow_clients import Fenced
from bot.slack.directory.refresh import refresh_people
from bot.slack.errors import sorted_failure
from bot.slack.inbound.app import build_app
from bot.slack.inbound.socket_mode import socket_mode, socket_state
from bot.slack.startup import wait_for_slack
from bot.worker.scheduler import worker
from bot.worker.tasks import load_live_models
from core.delivery.backlog import draw_by_policy
from core.errors import Refusal
from core.policy_sync import sync_queues
from core.storage.database import PATIENT

log = logging.getLogger(__name__)


def run(settings: Settings, *, web: bool, work: bool) -> None:
    """Until SIGTERM or Ctrl-C; then the pieces at hand are finished. Does not return where a training run could not be:
    it is another worker's now, and only the end of the process ends its thread. Raises Refusal where Slack does not let
    us in."""
    liveness = Liveness()
    try:
        _run(settings, liveness, web=web, work=work)
    except SlackApiError as error:
        word = sorted_failure(error).reason
        raise Refusal(
            f"Slack says {word}, so this cannot start. `goldloop doctor` says what to do about it."
        ) from error
    if liveness.left_behind:
        logging.shutdown()
        os._exit(0)


def _run(settings: Settings, liveness: Liveness, *, web: bool, work: bool) -> None:
    services = build_services(settings)
    over_http = web and not settings.slack_app_token.get_secret_value()
    if over_http:
        require_setting(settings.slack_signing_secret, "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET")
    count_refusals(services.slack)
    wait_for_slack(services.slack)
    prepare(services)
    collect_seldom()
    with _stop_signal() as stop, ExitStack() as stack:
        stack.callback(services.database.close)  # SQLite then puts all into one file
        port = stack.enter_context(_taken_port(settings)) if over_http else None
        log.info("Goldloop runs: %s; port %d", _parts(web, over_http, work), settings.port)
        if work:
            stack.enter_context(worker(services, liveness, settings.stop_seconds))
        if port is not None:
            _serve_http(settings, services, liveness, port)  # until the signal, which uvicorn passes on to ours
            return
        if web:
            token = require_setting(settings.slack_app_token, "SLACK_APP_TOKEN")
            slack = stack.enter_context(closing(build_app(services)))
            handler = stack.enter_context(socket_mode(slack, token))
            liveness.socket = partial(socket_state, handler)
        stack.enter_context(listening(create_listener(services, liveness, api=web), settings.host, settings.port))
        stop.wait()


def _parts(web: bool, over_http: bool, work: bool) -> str:
    slack = f"Slack over {'HTTP' if over_http else 'a socket'}"
    return " and ".join([slack] * web + ["the worker"] * work)


def prepare(services: Services) -> None:
    """Tables, queues, people and models as they should be. Safe to repeat, from any number of processes."""
    migrate(services.database)
    with services.database.transaction(wait=PATIENT) as session:
        sync_queues(session, services.policy, services.clock())
        draw_by_policy(session, services.policy, services.clock())
    refresh_people(services)
    load_live_models(services)  # and the libraries that it needs: no click has to wait for them


def _serve_http(settings: Settings, services: Services, liveness: Liveness, port: socket.socket) -> None:
    secret = settings.slack_signing_secret.get_secret_value()
    with closing(build_app(services)) as slack:
        Fenced(create_app(services, slack, secret, liveness)).run([port])


def _taken_port(settings: Settings) -> socket.socket:
    """Raises Refusal: without it Slack reaches nobody."""
    try:
        return bound(settings.host, settings.port)
    except OSError as error:
        raise Refusal(f"Port {settings.port} cannot be had ({error.strerror}). Set PORT to another.") from error


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    stop = threading.Event()
    former = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
