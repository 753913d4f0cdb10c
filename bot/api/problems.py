"""Errors of the API as problem details (RFC 9457): the one place where a refusal becomes a status."""

from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.errors import (
    AlreadySettled,
    DatabaseUnavailable,
    Invalid,
    ModelUnavailable,
    NotAllowed,
    NotFound,
    Outdated,
    Refusal,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2  # until a caller should try a busy database again
INTERNAL = "Internal error. It has been logged."


class Unauthorised(Refusal):
    """The token is missing, unknown or revoked."""

    code = "unauthorised"


class TooLarge(Refusal):
    """The body exceeds the limit."""

    code = "too_large"


class TooFast(Refusal):
    """The token has used up its requests. `seconds`: until the next one is accepted."""

    code = "too_fast"

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class Unavailable(Refusal):
    """Temporarily impossible, through no fault of the caller."""

    code = "unavailable"


class Conflict(Refusal):
    """The request contradicts what is stored."""

    code = "conflict"


STATUS: dict[type[Refusal], int] = {
    Unauthorised: 401,
    NotAllowed: 403,
    NotFound: 404,
    AlreadySettled: 409,
    Outdated: 409,
    Conflict: 409,
    TooLarge: 413,
    Invalid: 422,
    TooFast: 429,
    DatabaseUnavailable: 503,
    Unavailable: 503,
    ModelUnavailable: 503,
}


def problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:  # fmt: skip
    """A problem response. `code` is stable, for programs; `detail` is a sentence for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JSONResponse(body | more, status, headers, MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Turn every exception into a problem response. A bug is answered without details."""

    @app.exception_handler(Refusal)
    def refused(_request: Request, refusal: Refusal) -> JSONResponse:
        status = next((STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS), 409)
        return problem(status, refusal.code, str(refusal), _headers(refusal, status), **_more(refusal))

    @app.exception_handler(HTTPException)
    def not_routed(_request: Request, error: HTTPException) -> JSONResponse:
        sentence = {404: "This address does not exist.", 405: "This address does not support this method."}
        headers = dict(error.headers or {})
        return problem(error.status_code, "http", sentence.get(error.status_code, str(error.detail)), headers)

    @app.exception_handler(RequestValidationError)
    def not_valid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or "request"
        return problem(422, Invalid.code, f"{field}: {first['msg'].lower()}.", field=field)

    @app.exception_handler(Exception)
    def bug(_request: Request, _error: Exception) -> JSONResponse:
        return problem(500, "internal", INTERNAL)  # logged by the server with its traceback


def _headers(refusal: Refusal, status: int) -> dict[str, str]:
    if isinstance(refusal, Unauthorised):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(refusal, TooFast):
        return {"Retry-After": str(refusal.seconds)}
    if isinstance(refusal, ModelUnavailable):
        return {"Retry-After": str(max(1, ceil(refusal.seconds)))}
    return {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}


def _more(refusal: Refusal) -> dict[str, Any]:
    field = getattr(refusal, "field", None)
    return refusal.details | ({"field": field} if field else {})
