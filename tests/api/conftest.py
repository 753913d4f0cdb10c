"""The API as it runs, by HTTP, on a real database. The tests act as senders do: by the client, or by plain requests."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import httpx
import pytest
from slack_sdk import WebClient

from bot.observability.liveness import Liveness
from bot.runtime.services import Services, assemble
from bot.server.app import create_listener
from core.people.api_tokens import create_token
from core.policy import Policy
from core.storage.database import Database
from core.vocabulary import Scope
from goldloop_client import Client
from tests.core.conftest import database, database_url, postgresql_database, sqlite_database
from tests.core.desk import NOW, Desk, opened
from tests.people import support_policy
from tests.web import web_server

__all__ = ["database", "database_url", "postgresql_database", "sqlite_database"]

SECRET = "signing secret"


@dataclass(frozen=True)
class Api:
    """A running API, and the desk behind it."""

    address: str
    desk: Desk
    services: Services
    http: httpx.Client  # one for all plain requests

    def token(self, *scopes: Scope, name: str = "sender", queue: str | None = None) -> str:
        with self.desk.database.transaction() as session:
            return create_token(session, name, f"chance of {name}", scopes or tuple(Scope), queue, NOW)

    def client(self, token: str | None = None, **more: Any) -> Client:
        return Client(self.address, token or self.token(), **more)

    def call(self, method: str, path: str, token: str = "", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.request(
            method, f"{self.address}/api/v1/queues/{path}", headers=headers | more.pop("headers", {}), **more
        )


@pytest.fixture
def desk(database: Database) -> Desk:
    return opened(database, support_policy())


@pytest.fixture
def another_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class StartApi(Protocol):
    def __call__(self, desk: Desk, api: dict[str, int] | None = None) -> Api: ...


@pytest.fixture
def start_api(unused_port: int) -> Iterator[StartApi]:
    with ExitStack() as stack:

        def start(desk: Desk, api: dict[str, int] | None = None) -> Api:
            policy = desk.policy.model_copy(update={"api": desk.policy.api.model_copy(update=api or {})})
            return stack.enter_context(running(replace(desk, policy=policy), unused_port))

        yield start


@contextmanager
def running(desk: Desk, port: int) -> Iterator[Api]:
    services = services_of(desk.database, desk.policy)
    with web_server(create_listener(services, Liveness()), port), httpx.Client(verify=False) as http:
        yield Api(f"http://127.0.0.1:{port}", desk, services, http)


def services_of(database: Database, policy: Policy) -> Services:
    return assemble(database, WebClient(token="xoxb-none", base_url="http://127.0.0.1:9/"), policy)


@pytest.fixture
def api(desk: Desk, start_api: StartApi) -> Api:
    return start_api(desk)
