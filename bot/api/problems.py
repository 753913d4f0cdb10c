"""Errors of the API as problem details (RFC 9457): the one place where a refusal becomes a status."""

from http import HTTPStatus
from math import ceil
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

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
RETRY_SECONDS = 2  # until a caller should try again when the database is busy
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


def answer_problems(app: Starlette) -> None:
    """Turn every exception into a problem response. A bug is answered without details."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _bug)


def _refused(_request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    status = next((STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS), 409)
    return problem(status, refusal.code, str(refusal), _headers(refusal, status), **_more(refusal))


def _not_routed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    sentence = {404: "This address does not exist.", 405: "This address does not support this method."}
    headers = dict(error.headers or {})
    return problem(error.status_code, "http", sentence.get(error.status_code, str(error.detail)), headers)


def _bug(_request: Request, _error: Exception) -> JSONResponse:
    return problem(500, "internal", INTERNAL)  # the server logs it with its traceback


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
