"""How the API says no: problem details (RFC 9457), the one place where a refusal becomes a status."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.errors import AlreadySettled, DatabaseUnavailable, Invalid, NotAllowed, NotFound, Outdated, Refusal

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2  # after which it is worth asking a busy database again
INTERNAL = "Something went wrong on our side. It has been logged."


class Unauthorised(Refusal):
    """No token, or none that we know (any more)."""

    code = "unauthorised"


class TooLarge(Refusal):
    """The body is larger than what is read."""

    code = "too_large"


class TooFast(Refusal):
    """This token has used up its requests. `seconds`: when the next one is taken."""

    code = "too_fast"

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class Unavailable(Refusal):
    """This cannot be done at the moment, through no fault of the caller."""

    code = "unavailable"


class Conflict(Refusal):
    """What was sent contradicts what is stored."""

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
}


def problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:  # fmt: skip
    """`code` is stable and for programs, `detail` is a sentence for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JSONResponse(body | more, status, headers, MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Whatever is raised becomes a problem; a bug says nothing of itself to the caller."""

    @app.exception_handler(Refusal)
    def refused(_request: Request, refusal: Refusal) -> JSONResponse:
        status = next((STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS), 409)
        return problem(status, refusal.code, str(refusal), _headers(refusal, status), **_more(refusal))

    @app.exception_handler(HTTPException)
    def not_routed(_request: Request, error: HTTPException) -> JSONResponse:
        sentence = {404: "There is nothing at this address.", 405: "This address does not take this method."}
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
    return {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}


def _more(refusal: Refusal) -> dict[str, Any]:
    field = getattr(refusal, "field", None)
    return refusal.details | ({"field": field} if field else {})
