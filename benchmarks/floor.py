"""The least that can be done for a click: a bare Starlette endpoint that checks the signature, reads the payload
and makes one transaction of an upsert (the answer), a counter (the item's votes) and an insert (what is to be said).

    python -m benchmarks.floor DATABASE_URL PORT SIGNING_SECRET

uvicorn takes the event loop and the parser that Goldloop's processes take. It knows nothing of roles, of late or
repeated clicks, of consensus, and it sends no messages.
"""

import json
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import Engine, create_engine, event, text
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TABLES = (
    "CREATE TABLE IF NOT EXISTS floor_answer (item_id BIGINT, person TEXT, label TEXT, clicked_at TEXT, "
    "PRIMARY KEY (item_id, person))",
    "CREATE TABLE IF NOT EXISTS floor_item (id BIGINT PRIMARY KEY, votes INT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS floor_outbox (id {serial} PRIMARY KEY, item_id BIGINT NOT NULL)",
)
ANSWER = text(
    "INSERT INTO floor_answer VALUES (:item, :person, :label, :at) "
    "ON CONFLICT (item_id, person) DO UPDATE SET label = excluded.label, clicked_at = excluded.clicked_at"
)
COUNT = text("UPDATE floor_item SET votes = votes + 1 WHERE id = :item")
OUTBOX = text("INSERT INTO floor_outbox (item_id) VALUES (:item)")


def engine_for(url: str) -> Engine:
    """With the settings of ours: WAL and BEGIN IMMEDIATE on SQLite, a pool of twenty on both."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=20, max_overflow=20)
    engine = create_engine(url, connect_args={"check_same_thread": False}, pool_size=20, max_overflow=20)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def make_tables(engine: Engine, items: int) -> None:
    serial = "INTEGER" if engine.dialect.name == "sqlite" else "BIGSERIAL"
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(table.format(serial=serial)))
        rows = [{"item": number} for number in range(1, items + 1)]
        connection.execute(text("INSERT INTO floor_item VALUES (:item, 0) ON CONFLICT DO NOTHING"), rows)


def storing(engine: Engine) -> Callable[[dict[str, Any]], None]:
    """The transaction, of a click's payload."""
    one_writer = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    def store(click: dict[str, Any]) -> None:
        item, _, answer = click["actions"][0]["value"].partition("|")
        said = {
            "item": int(item),
            "person": click["user"]["id"],
            "label": answer,
            "at": click["actions"][0]["action_ts"],
        }
        with one_writer, engine.begin() as connection:
            connection.execute(ANSWER, said)
            connection.execute(COUNT, {"item": int(item)})
            connection.execute(OUTBOX, {"item": int(item)})

    return store


def create_floor(engine: Engine, secret: str) -> Starlette:
    verifier, store = SignatureVerifier(secret), storing(engine)

    async def clicked(request: Request) -> Response:
        body = await request.body()
        if not verifier.is_valid_request(body, dict(request.headers)):
            return Response(status_code=401)
        await run_in_threadpool(store, json.loads(parse_qs(body.decode())["payload"][0]))
        return Response()

    return Starlette(routes=[Route("/slack/events", clicked, methods=["POST"])])


def _prepare(connection: Any, _entry: object) -> None:
    connection.isolation_level = None
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


if __name__ == "__main__":
    app = create_floor(engine_for(sys.argv[1]), sys.argv[3])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
