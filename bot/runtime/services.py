"""The services that entry points need, built once and passed on."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from slack_sdk import WebClient

from bot.runtime.clock import utc_now
from bot.runtime.model_services import ModelServices
from bot.runtime.policy_at_start import file_or_stored
from bot.runtime.policy_in_force import PolicyInForce
from bot.runtime.processes import this_process
from bot.runtime.rate_limits import Budget
from bot.runtime.settings import Settings, require_setting
from core.jobs import Execute, execute_here
from core.learning.learners.external import Connect, unconnected
from core.learning.lifecycle.serving import Serving
from core.policy import Policy
from core.storage.database import Database

SLACK_TIMEOUT = 10  # seconds per call


@dataclass(frozen=True)
class Services:
    database: Database
    slack: WebClient
    in_force: PolicyInForce
    serving: Serving
    budget: Budget
    process: str  # the name under which this process leases rows
    clock: Callable[[], datetime]
    extra_learners: Mapping[str, str]  # name -> "module:Class", in addition to installed packages
    execute: Execute  # runs long computations; in a worker, in a process of their own
    connect: Connect = unconnected  # connects to external services that run models
    workspace: str = ""  # the workspace's address; empty: Slack was not asked, because this process draws no link

    @property
    def policy(self) -> Policy:
        """The policy in force, for work that begins outside of a transaction. Inside one, use `in_force.read`."""
        return self.in_force.policy


def build_services(settings: Settings) -> Services:
    """Read the policy file and open the database. No network call is made. If the file cannot be used, the stored
    policy is; raises Invalid if there is none."""
    policy = file_or_stored(settings)
    token = require_setting(settings.slack_bot_token, "SLACK_BOT_TOKEN")
    database = Database(settings.database_url, settings.sqlite_full_sync)
    return assemble(database, slack_client(token, settings.slack_base_url), policy)


def assemble(
    database: Database,
    slack: WebClient,
    policy: Policy,
    budget: Budget | None = None,
    extra_learners: Mapping[str, str] = {},
) -> Services:
    connect = ModelServices(utc_now, tls)
    return Services(
        database,
        slack,
        PolicyInForce(policy, extra_learners),
        Serving(database, extra_learners, connect),
        budget or Budget(time.monotonic),
        this_process(),
        utc_now,
        extra_learners,
        execute_here,
        connect=connect,
    )


def slack_client(token: str, base_url: str) -> WebClient:
    """A client without retry handlers: Slack's default one posts twice when an answer is lost. The outbox retries."""
    return WebClient(token=token, base_url=base_url, timeout=SLACK_TIMEOUT, retry_handlers=[], ssl=tls())


@cache
def tls() -> ssl.SSLContext:
    """The TLS context for all calls to Slack. Otherwise each call would create one and read the machine's certificates,
    which takes 20 ms of processor time, several times that of a click."""
    return ssl.create_default_context()
