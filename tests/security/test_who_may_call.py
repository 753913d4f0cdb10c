"""Which token may use which route of the API, and which routes are public."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount, Route

from core.people.api_tokens import create_token, revoke_token
from core.vocabulary import Scope
from tests.core.desk import NOW
from tests.security.house import House, house

__all__ = ["house"]  # the fixture

NEEDS = {
    ("POST", "/api/v1/queues/{queue}/predictions"): Scope.INGEST,
    ("POST", "/api/v1/queues/{queue}/predict"): Scope.PREDICT,
    ("GET", "/api/v1/queues/{queue}/items"): Scope.READ,
    ("GET", "/api/v1/queues/{queue}/corrections"): Scope.READ,
    ("GET", "/api/v1/queues/{queue}/models"): Scope.READ,
    ("GET", "/api/v1/queues/{queue}/stats"): Scope.READ,
    ("GET", "/api/v1/queues/{queue}/snapshots/{snapshot_id}"): Scope.READ,
    ("GET", "/api/v1/queues/{queue}/pictures/{sha256}"): Scope.READ,
    ("GET", "/api/v1/queues/{queue}/snapshots/{snapshot_id}/golden"): Scope.TRAIN,
    ("POST", "/api/v1/queues/{queue}/snapshots/{snapshot_id}/answers"): Scope.TRAIN,
}
SIGNED = {("POST", "/slack/events")}  # by Slack; see test_fuzzing.py
OPEN = {
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/api/docs"),
    ("GET", "/api/docs/start.js"),
    ("GET", "/api/docs/{name}"),
    ("GET", "/api/openapi.json"),
}
PRIVATE_WORDS = ("U_", "parcel", "lamp")  # what an open page must not hold: people, texts


def doors(routes: Iterable[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from doors(route.routes, before + route.path)
        elif isinstance(route, Route):
            yield from ((method, before + route.path) for method in (route.methods or ()) if method != "HEAD")
        else:  # a router that was included: its paths begin with its own prefix already
            included: Any = route
            yield from doors(included.original_router.routes, before + included.include_context.prefix)


@pytest.fixture(scope="module")
def tokens(house: House) -> dict[str, str]:
    """One for each scope alone, one with all for another queue, one revoked, and one that was never created."""
    with house.desk.database.transaction() as session:
        made = {
            str(scope): create_token(session, scope, f"chance of {scope}", [scope], "support", NOW) for scope in Scope
        }
        made["sales"] = create_token(session, "sales", "chance of sales", list(Scope), "sales", NOW)
        made["revoked"] = create_token(session, "revoked", "chance of revoked", list(Scope), None, NOW)
        revoke_token(session, "revoked", NOW)
    return made | {"invented": "goldloop_invented", "signing secret": "secret-A_GOLDLOOP", "none": ""}


def test_each_route_is_known_and_needs_what_it_should(house: House) -> None:
    assert set(doors(house.web.routes)) == set(NEEDS) | SIGNED | OPEN


@pytest.mark.parametrize(("method", "path"), NEEDS, ids=[f"{method} {path}" for method, path in NEEDS])
def test_only_the_right_token_opens_a_route(house: House, tokens: dict[str, str], method: str, path: str) -> None:
    address = path.format(queue="support", snapshot_id=1, sha256="a" * 64)
    before = house.rows()
    for holder, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status = house.client.request(method, address, headers=headers).status_code
        if holder == NEEDS[method, path]:
            assert status not in (401, 403), holder
        else:
            assert status == (401 if holder in ("revoked", "invented", "signing secret", "none") else 403), holder
    after = house.rows()
    assert {table for table in after if after[table] != before[table]} <= {"api_token"}  # when it was used last


@pytest.mark.parametrize(("method", "path"), sorted(OPEN), ids=[path for _, path in sorted(OPEN)])
def test_what_is_open_to_everyone_names_no_person(house: House, method: str, path: str) -> None:
    house.ticket()
    told = house.client.request(method, path.format(name="swagger-ui.css"))
    assert told.status_code in (200, 503)
    assert not any(word in told.text for word in PRIVATE_WORDS)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_slacks_address_takes_posts_alone(house: House, method: str) -> None:
    before = house.rows()
    assert house.client.request(method, "/slack/events").status_code == 405
    assert house.rows() == before
    assert house.client.post("/slack/events").status_code == 401  # not signed


@pytest.mark.parametrize("path", ["/api/v1/queues/support/items/", "/slack/events/", "/health/ready/", "/api/v1/docs/"])
def test_no_redirect_leads_to_the_host_that_a_request_names(house: House, path: str) -> None:
    told = house.client.get(path, headers={"host": "evil.example"}, follow_redirects=False)
    assert (told.status_code, "location" in told.headers) == (404, False)
    assert "evil.example" not in told.text
