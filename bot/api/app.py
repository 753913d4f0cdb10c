"""The API as a FastAPI application of its own, so that its errors, page and limits affect nothing else."""

import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from bot.api.callers import admission
from bot.api.exports import export_routes
from bot.api.intake import intake_routes
from bot.api.limits import RateLimit, WrongTokens
from bot.api.page import serve_page
from bot.api.problems import MEDIA_TYPE, answer_problems, problem
from bot.api.reading import reading_routes
from bot.api.shapes import Problem
from bot.api.training import training_routes
from bot.runtime.services import Services
from core.errors import Invalid
from core.vocabulary import Scope

ERRORS = {
    401: "The token is missing, unknown or revoked.",
    403: "The token lacks the scope, or is for another queue.",
    404: "The queue, model or snapshot does not exist.",
    409: "The request contradicts what is stored.",
    413: "The body is too large.",
    422: "The request is invalid; `field` names the invalid part.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "Temporarily unavailable; `Retry-After` says when to try again.",
}


def create_api(services: Services) -> FastAPI:
    """The application to mount under /api. Its page is /api/docs, its OpenAPI document /api/openapi.json."""
    api = FastAPI(
        title="Goldloop",
        version="1",
        description="Send predictions and get corrections. The guide is the page `goldloop docs api`.",
        docs_url=None,  # FastAPI's page loads scripts from another server; see bot/api/page.py
        redoc_url=None,
        redirect_slashes=False,  # Starlette would redirect to any host that the request names
        responses={status: _response(description) for status, description in ERRORS.items()},
    )
    limit = RateLimit[int](lambda: services.policy.api.requests_per_minute, time.monotonic)
    wrong = WrongTokens(time.monotonic)
    may = {scope: admission(services, limit, wrong, scope) for scope in Scope}
    for routes in (
        intake_routes(services, may[Scope.INGEST], may[Scope.PREDICT]),
        reading_routes(services, may[Scope.READ]),
        export_routes(services, may[Scope.READ]),
        training_routes(services, may[Scope.TRAIN]),
    ):
        api.include_router(routes, prefix="/v1/queues/{queue}")
    answer_problems(api)
    api.add_exception_handler(RequestValidationError, _not_valid)
    serve_page(api)
    return api


def _not_valid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or "request"
    return problem(422, Invalid.code, f"{field}: {first['msg'].lower()}.", field=field)


def _response(description: str) -> dict[str, Any]:
    return {"description": description, "model": Problem, "content": {MEDIA_TYPE: {}}}
