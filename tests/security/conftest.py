"""The HTTP door as Slack and strangers reach it: a real app on a real database, on a free port."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import func, select

from bot.runtime.services import assemble, slack_client
from bot.sandbox.client import SandboxClient
from bot.sandbox.server import serve
from bot.server.app import create_app
from bot.slack.directory.refresh import refresh_people
from bot.slack.inbound.app import build_app
from core.policy import Policy
from core.records import Base
from core.storage.database import Database
from tests.core.conftest import database, database_url, postgresql_database, sqlite_database
from tests.core.desk import Desk, opened
from tests.people import ANA, BEN, CLEO, support_policy
from tests.security.strangers import STRANGERS, open_place
from tests.web import web_server

__all__ = ["database", "database_url", "postgresql_database", "sqlite_database"]

SECRET = "secret-A_GOLDLOOP"


@dataclass(frozen=True)
class Door:
    client: httpx.Client
    box: SandboxClient
    desk: Desk

    def post(self, body: bytes, kind: str = "application/x-www-form-urlencoded", **headers: str) -> httpx.Response:
        spelt = httpx.Headers({"content-type": kind, **headers}, encoding="latin-1")  # as any client may send them
        return self.client.post("/slack/events", content=body, headers=spelt)

    def signed(self, body: bytes, kind: str = "application/x-www-form-urlencoded", age: int = 0) -> httpx.Response:
        return self.post(body, kind, **signature(body, int(time.time()) - age))

    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        with self.desk.database.reading() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
                if table.name != "received_event"  # which kinds of events come: bookkeeping of our own
            }


def signature(body: bytes, at: int, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": f"v0={digest}"}


@pytest.fixture
def door(database: Database, unused_port: int) -> Iterator[Door]:
    with _opened(database, unused_port, support_policy()) as door:
        yield door


@pytest.fixture
def named(database: Database, unused_port: int) -> Iterator[Door]:
    """Where the policy names them as reviewers and leads."""
    policy = support_policy(reviewers=[ANA, BEN, *STRANGERS], leads=[CLEO, *STRANGERS])
    with _opened(database, unused_port, policy) as door:
        yield door


@contextmanager
def _opened(database: Database, unused_port: int, policy: Policy) -> Iterator[Door]:
    place = open_place()
    with serve(place, port=0) as url, SandboxClient(url) as box:
        services = assemble(database, slack_client(place.apps[0].bot_token, f"{url}/api/"), policy)
        desk = opened(database, policy)
        refresh_people(services)
        app = create_app(services, build_app(services), SECRET)
        address = f"http://127.0.0.1:{unused_port}"
        with web_server(app, unused_port), httpx.Client(base_url=address, timeout=30, verify=False) as client:
            yield Door(client, box, desk)
