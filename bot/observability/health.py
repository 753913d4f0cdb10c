"""Health routes for monitoring: /health, /health/live, /health/ready and /metrics.

A process is ready if the database answers and takes writes, its socket to Slack (if any) is connected and its worker's
scheduler (if any) runs. Waiting messages are reported but do not affect readiness: removing processes would not deliver
them.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.observability.liveness import Liveness
from bot.observability.metrics import Exposition
from bot.observability.write_check import WriteCheck, Writes
from bot.runtime.services import Services
from core.delivery import backlog
from core.delivery.backlog import GivenUp, Waiting
from core.errors import DatabaseUnavailable, Refusal
from core.storage.deadlines import finished_within

log = logging.getLogger(__name__)

DATABASE_SECONDS = 2.0
PING_SECONDS = 60.0  # the socket is pinged every second
TICK_SECONDS = 30.0  # at rest, the most frequent task runs every 20 s (bot/worker/tasks.py)
LATE_SECONDS = 300.0

Part = dict[str, Any]


@dataclass(frozen=True)
class _Look:
    """The database's answer. seconds: how long it took."""

    seconds: float
    waiting: Waiting
    given_up: list[GivenUp]


def health_routes(services: Services, liveness: Liveness) -> list[Route]:
    writes = WriteCheck(services)
    exposition = Exposition(services, liveness, writes)

    def health(_request: Request) -> Response:
        try:
            with services.database.reading() as session:
                session.execute(text("SELECT 1"))
        except DatabaseUnavailable as busy:
            return JSONResponse({"status": busy.code}, 503)
        return JSONResponse({"status": "ok"})

    def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def ready(_request: Request) -> Response:
        parts = _parts(services, liveness, writes)
        is_ready = all(parts[name]["ok"] for name in ("database", "socket", "scheduler") if name in parts)
        return JSONResponse({"ready": is_ready, **parts}, 200 if is_ready else 503)

    def metrics(_request: Request) -> Response:
        return Response(exposition.text(), media_type=CONTENT_TYPE_LATEST)

    answers = {"/health": health, "/health/live": live, "/health/ready": ready, "/metrics": metrics}
    return [Route(path, answer) for path, answer in answers.items()]


def _parts(services: Services, liveness: Liveness, writes: WriteCheck) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    found, written = _look(services), writes.result()
    parts["database"] = _database(found, written)
    if liveness.socket is not None:
        state = liveness.socket()
        heard = state.ping_age is None or state.ping_age < PING_SECONDS
        parts["socket"] = {"ok": state.connected and heard, "ping_age_seconds": _rounded(state.ping_age)}
    if liveness.works:
        age = liveness.tick_age()
        parts["scheduler"] = {"ok": age is not None and age < TICK_SECONDS, "tick_age_seconds": _rounded(age)}
    if found is not None:
        parts["delivery"] = _delivery(services, found)
    return parts


def _database(found: _Look | None, written: Writes) -> Part:
    """The state of the database. A table that Goldloop's own migration has locked cannot be read either."""
    ok = written is Writes.BUSY or (written.is_fine and found is not None)
    return {"ok": ok, "writes": written.value, "seconds": round(found.seconds, 4) if found else None}


def _delivery(services: Services, look: _Look) -> Part:
    waiting = look.waiting
    age = (services.clock() - waiting.since).total_seconds() if waiting.since else 0.0
    ok = age < LATE_SECONDS and not look.given_up
    told = [{"channel": lost.channel, "reason": lost.reason, "messages": lost.count} for lost in look.given_up]
    return {"ok": ok, "waiting": waiting.count, "oldest_seconds": _rounded(age), "refused": told}


def _look(services: Services) -> _Look | None:
    """The database's answer. None: it gave none within `DATABASE_SECONDS`, or an error."""
    start = time.monotonic()
    try:
        with finished_within(DATABASE_SECONDS), services.database.reading(wait=DATABASE_SECONDS) as session:
            waiting, given_up = backlog.waiting(session), backlog.given_up(session)
    except (SQLAlchemyError, Refusal) as error:  # called every few seconds, so without a traceback
        log.info("Database does not answer", extra={"reason": type(error).__name__})
        return None
    return _Look(time.monotonic() - start, waiting, given_up)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
