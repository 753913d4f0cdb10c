"""The API as an application of its own, so that its answers, its page and its limits touch nothing else."""

import time
from typing import Any

from fastapi import APIRouter, FastAPI

from bot.api.callers import admission
from bot.api.exports import export_routes
from bot.api.intake import intake_routes
from bot.api.limits import RateLimit
from bot.api.page import serve_page
from bot.api.problems import MEDIA_TYPE, answer_problems
from bot.api.reading import reading_routes
from bot.api.shapes import Problem
from bot.runtime.services import Services
from core.vocabulary import Scope

SAID_NO = {
    401: "no valid token",
    403: "the token lacks the scope, or is for another queue",
    404: "there is no such queue, model or snapshot",
    409: "it contradicts what is stored",
    413: "the body is too large",
    422: "it cannot be used; `field` says what",
    429: "too many requests; Retry-After says when",
    503: "not at the moment; Retry-After says when",
}


def create_api(services: Services) -> FastAPI:
    """To be mounted under /api. The page about it is /api/docs, the document /api/openapi.json."""
    api = FastAPI(
        title="Goldloop",
        version="1",
        description="Send predictions, get corrections. See docs/api.md.",
        docs_url=None,  # its scripts would come from elsewhere; see bot/api/page.py
        redoc_url=None,
        redirect_slashes=False,  # it would send people to whatever host their request names
        responses={status: _said(words) for status, words in SAID_NO.items()},
    )
    limit = RateLimit(services.policy.api.requests_per_minute, time.monotonic)
    may = {scope: admission(services, limit, scope) for scope in Scope}
    routes = APIRouter(prefix="/v1/queues/{queue}")
    routes.include_router(intake_routes(services, may[Scope.INGEST], may[Scope.PREDICT]))
    routes.include_router(reading_routes(services, may[Scope.READ]))
    routes.include_router(export_routes(services, may[Scope.READ]))
    api.include_router(routes)
    answer_problems(api)
    serve_page(api)
    return api


def _said(words: str) -> dict[str, Any]:
    return {"description": words, "model": Problem, "content": {MEDIA_TYPE: {}}}
