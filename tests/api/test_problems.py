"""Callers without access learn nothing; refusals are problem details; internal errors reveal nothing."""

import sqlite3
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from bot.api.limits import MOST_BUCKETS, RateLimit, WrongTokens
from bot.api.problems import TooFast
from core.people.api_tokens import revoke_token, tokens
from core.records.learning import Evaluation
from core.vocabulary import Scope
from tests.api.conftest import Api, StartApi
from tests.core.desk import NOW, Desk, sent
from tests.core.models import promoted, seeded

pytestmark = pytest.mark.usefixtures("sqlite_only")

PATHS = (
    ("POST", "predictions"),
    ("POST", "predict"),
    ("GET", "items"),
    ("GET", "corrections"),
    ("GET", "models"),
    ("GET", "stats"),
    ("GET", f"pictures/{'0' * 64}"),
    ("GET", "snapshots/1"),
    ("GET", "snapshots/1/golden"),
    ("POST", "snapshots/1/answers"),
)


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["title"]
    assert body["detail"]
    return body


def test_without_a_valid_token_there_is_nothing_to_learn(api: Api) -> None:
    token = api.token()
    with api.desk.database.transaction() as session:
        revoke_token(session, "sender", NOW)
    for method, path in PATHS:
        for queue, given in (("support", ""), ("support", token), ("no-such-queue", "x" * 5000)):
            answer = api.call(method, f"{queue}/{path}", given)
            is_problem(answer, 401, "unauthorised")
            assert answer.headers["www-authenticate"] == "Bearer"
    basic = api.call("GET", "support/items", headers={"Authorization": "Basic eDp5"})
    is_problem(basic, 401, "unauthorised")


def test_a_token_opens_what_its_scopes_and_its_queue_say(api: Api) -> None:
    nothing = api.token(Scope.PREDICT, name="asks", queue="support")
    for method, path in PATHS:
        if path != "predict":
            is_problem(api.call(method, f"support/{path}", nothing), 403, "not_allowed")
        is_problem(api.call(method, f"other/{path}", nothing), 403, "not_allowed")
    is_problem(api.call("GET", "other/items", api.token(name="all")), 404, "not_found")


def test_the_last_use_of_a_token_is_seen(api: Api) -> None:
    api.call("GET", "support/items", api.token())
    with api.desk.database.reading() as session:
        [line] = tokens(session)
    assert line.last_used_at is not None


def test_addresses_methods_and_parameters_that_do_not_exist(api: Api) -> None:
    token = api.token()
    is_problem(api.call("GET", "support/nothing", token), 404, "http")
    is_problem(api.call("DELETE", "support/items", token), 405, "http")
    for query, field in (("limit=0", "limit"), ("cursor=-1", "cursor"), ("state=lost", "state"), ("limit=x", "limit")):
        assert is_problem(api.call("GET", f"support/items?{query}", token), 422, "invalid")["field"] == field
    for number in ("0", "x", "9" * 30):
        is_problem(api.call("GET", f"support/snapshots/{number}", token), 422, "invalid")


def test_too_much_at_once_is_not_read(desk: Desk, start_api: StartApi) -> None:
    api = start_api(desk, {"body_bytes": 2000})
    token = api.token()
    assert api.call("POST", "support/predictions", token, json=sent()).status_code == 200
    large = api.call("POST", "support/predictions", token, json=sent("x" * 2000))
    assert "2,000 bytes" in is_problem(large, 413, "too_large")["detail"]


def test_too_many_requests_of_one_token_wait_and_others_do_not(desk: Desk, start_api: StartApi) -> None:
    api = start_api(desk, {"requests_per_minute": 3})
    token, other = api.token(), api.token(name="other")
    answers = [api.call("GET", "support/items", token) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20
    is_problem(answers[3], 429, "too_fast")
    assert api.call("GET", "support/items", other).status_code == 200


def test_those_who_try_tokens_are_slowed_down_and_known_senders_are_not(api: Api) -> None:
    token = api.token()
    assert api.call("GET", "support/items", token).status_code == 200
    answers = [api.call("GET", "support/items", f"goldloop_guess-{number}") for number in range(100)]
    assert [answer.status_code for answer in answers[:60]] == [401] * 60
    slowed = next(answer for answer in answers if answer.status_code != 401)
    assert slowed.headers["retry-after"] == "1"
    assert "wrong tokens" in is_problem(slowed, 429, "too_fast")["detail"]
    assert api.call("GET", "support/items", token).status_code == 200
    is_problem(api.call("GET", "support/items"), 401, "unauthorised")


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8:0:1::1", "", "a socket"])
def test_an_address_that_has_waited_may_try_again(address: str) -> None:
    seconds = [0.0]
    wrong = WrongTokens(lambda: seconds[0], per_minute=2)
    for guess in ("a", "b"):
        wrong.require(guess, address)
        wrong.wrong(guess, address)
    with pytest.raises(TooFast):
        wrong.require("c", address)
    wrong.require("c", "2001:db8:0:2::1")
    seconds[0] = 30.0
    wrong.require("c", address)


def test_a_whole_ipv6_network_is_one_address_and_a_revoked_token_is_a_wrong_one() -> None:
    wrong = WrongTokens(lambda: 0.0, per_minute=1)
    wrong.right("known")
    wrong.wrong("guess", "2001:db8::1")
    wrong.require("known", "2001:db8::2")
    with pytest.raises(TooFast):
        wrong.wrong("known", "2001:db8::3")
    with pytest.raises(TooFast):
        wrong.require("known", "2001:db8::4")


def test_buckets_of_addresses_do_not_pile_up() -> None:
    limit = RateLimit[int](lambda: 1, lambda: 0.0)
    for key in range(MOST_BUCKETS + 1):
        limit.take(key)
    limit.take(0)  # its bucket was dropped
    with pytest.raises(TooFast):
        limit.take(MOST_BUCKETS)


@pytest.mark.slow
def test_a_database_that_is_locked_by_another_process_is_worth_asking_again(api: Api) -> None:
    token = api.token()
    api.call("GET", "support/items", token)  # its use is noted, so that the next request waits for nothing else
    with sqlite3.connect(api.desk.database.engine.url.database or "", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert api.call("GET", "support/items", token).status_code == 200
        busy = api.call("POST", "support/predictions", token, json=sent())
        other.execute("ROLLBACK")
    other.close()
    is_problem(busy, 503, "database_unavailable")
    assert busy.headers["retry-after"] == "2"
    assert api.call("POST", "support/predictions", token, json=sent()).json()["new"] == 1


def test_a_bug_says_nothing_of_itself(api: Api) -> None:
    promoted(seeded(api.desk))
    with api.desk.database.transaction() as session:
        session.execute(update(Evaluation).values(blocks=[{}]))  # as no code of ours writes it
    answer = api.call("GET", "support/models", api.token())
    assert is_problem(answer, 500, "internal")["detail"] == "Internal error. It has been logged."


def test_the_page_and_the_document_list_every_endpoint(api: Api) -> None:
    document = httpx.get(f"{api.address}/api/openapi.json").json()
    listed = {path.removeprefix("/v1/queues/{queue}/") for path in document["paths"]}
    known = {path.replace("/1", "/{snapshot_id}").replace("0" * 64, "{sha256}") for _method, path in PATHS}
    assert listed == known
    assert "Goldloop" in httpx.get(f"{api.address}/api/docs").text
    row = document["paths"]["/v1/queues/{queue}/predictions"]["post"]["requestBody"]["content"]["application/json"]
    assert row["schema"]["oneOf"][0]["required"] == ["external_id", "model_version"]
