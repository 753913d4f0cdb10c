"""The main function of a process: web, worker or both, with Slack over a socket or over HTTP."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from slack_sdk.errors import SlackApiError

from bot.observability.liveness import Liveness
from bot.observability.metrics import count_refusals
from bot.runtime.gc_tuning import collect_seldom
from bot.runtime.migrate import migrate
from bot.runtime.policy_in_force import start_policy
from bot.runtime.processes import process_title
from bot.runtime.services import Services, build_services
from bot.runtime.settings import Settings, require_setting
from bot.runtime.signing import signing_secret
from bot.server.app import create_app, create_listener
from bot.server.listener import bound, listening, port_problem
from bot.server.policy_watch import PolicyWatch, log_start, watched_policy
from bot.server.slow_clients import Fenced
from bot.slack.delivery.sender import CARDS, Show
from bot.slack.directory.refresh import refresh_people
from bot.slack.errors import sorted_failure
from bot.slack.inbound.app import build_app
from bot.slack.inbound.socket_mode import socket_mode, socket_state
from bot.slack.startup import wait_for_slack
from bot.worker.upkeep import load_live_models
from core.delivery.backlog import draw_by_policy
from core.errors import Invalid, Refusal
from core.policy import Policy
from core.storage.database import PATIENT
from core.vocabulary import Card, require_exhaustive

log = logging.getLogger(__name__)


def run(settings: Settings, *, web: bool, work: bool) -> None:
    """Run until SIGTERM or Ctrl-C, then finish the work in progress. Raises Refusal if Slack rejects the app."""
    try:
        _run(settings, Liveness(), web=web, work=work)
    except SlackApiError as error:
        word = sorted_failure(error).reason
        raise Refusal(
            f"Slack answered with the error “{word}”, so Goldloop cannot start. Run `goldloop doctor` for help."
        ) from error


def _run(settings: Settings, liveness: Liveness, *, web: bool, work: bool) -> None:
    collect_seldom()
    services = build_services(settings)
    over_http = web and not settings.slack_app_token.get_secret_value()
    if over_http:
        require_setting(settings.slack_signing_secret, "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET")
    count_refusals(services.slack)
    services = replace(services, workspace=wait_for_slack(services.slack))
    prepare(services, settings.policy)
    if work:
        warn_of_secrets(services.policy)
    collect_seldom()  # again, after the libraries of the live models were loaded
    parts = _parts(web, over_http, work)
    with _stop_signal() as stop, ExitStack() as stack:
        stack.callback(services.database.close)  # SQLite then merges its log into the database file
        stack.enter_context(
            _reload_on_hangup(stack.enter_context(watched_policy(services, settings.policy, parts, work)))
        )
        port = stack.enter_context(_taken_port(settings)) if over_http else None
        log.info("Goldloop started", extra={"parts": parts, "port": settings.port})
        if work:
            from bot.worker.scheduler import worker  # here, so that a process without a worker does not load it

            stack.enter_context(worker(services, liveness, settings.stop_seconds))
        if port is not None:
            _serve_http(settings, services, liveness, port)  # until the signal, which uvicorn passes on
            return
        if web:
            token = require_setting(settings.slack_app_token, "SLACK_APP_TOKEN")
            slack = stack.enter_context(closing(build_app(services)))
            handler = stack.enter_context(socket_mode(slack, token))
            stack.callback(slack.stop_votes)  # runs first at the end, so that the last votes are acknowledged
            liveness.socket = partial(socket_state, handler)
        stack.enter_context(listening(create_listener(services, liveness, api=web), settings.host, settings.port))
        stop.wait()


def _parts(web: bool, over_http: bool, work: bool) -> str:
    slack = f"Slack over {'HTTP' if over_http else 'a socket'}"
    return " and ".join([slack] * web + ["the worker"] * work)


def prepare(services: Services, file: Path, cards: Mapping[Card, Show] = CARDS) -> None:
    """Bring tables, policy, queues, people and models up to date. Safe to repeat, and in any number of processes at
    once. file: the policy file, for the log. Raises IncompleteTableError if a kind of card cannot be delivered."""
    require_exhaustive(cards, Card, "view")
    migrate(services.database)
    by = f"the start of {process_title(services.process)}"
    started = start_policy(services.database, services.policy, by, services.clock(), services.extra_learners)
    with services.database.transaction(wait=PATIENT) as session:
        draw_by_policy(session, started.policy, services.clock())
    services.in_force.take(started.version, started.policy)
    services.in_force.followed = started.version
    log_start(started, file)
    refresh_people(services)
    load_live_models(services)  # loads their libraries, so that no click waits for the import


def warn_of_secrets(policy: Policy) -> None:
    """Warn of missing secrets. They stop nothing: the events wait, or are given up after a day of attempts."""
    for endpoint in policy.webhooks:
        try:
            signing_secret(endpoint.name)
        except Invalid as problem:
            log.warning("%s Run `goldloop webhooks secret` to create one, and set it for this process.", problem)


def _serve_http(settings: Settings, services: Services, liveness: Liveness, port: socket.socket) -> None:
    secret = settings.slack_signing_secret.get_secret_value()
    with closing(build_app(services)) as slack:
        Fenced(create_app(services, slack, secret, liveness)).run([port])


def _taken_port(settings: Settings) -> socket.socket:
    """The listening socket. Raises Refusal if the port cannot be used: Slack could not call this process."""
    try:
        return bound(settings.host, settings.port)
    except OSError as error:
        raise Refusal(port_problem(settings.port, error)) from error


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    stop = threading.Event()
    former = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def _reload_on_hangup(watch: PolicyWatch) -> Iterator[None]:
    """Make SIGHUP reload the policy file. If the terminal of this process was closed, the signal ends the process, as
    is usual."""
    is_at_terminal = os.isatty(0)

    def hung_up(*_: object) -> None:
        if is_at_terminal and not os.isatty(0):
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            watch.ask_to_reload()

    former = signal.signal(signal.SIGHUP, hung_up)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, former)
