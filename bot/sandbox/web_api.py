"""`/api/<method>`: authentication, scopes, rate limits, then the method. Every call is logged in the inspector."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.sandbox.arguments import Arguments, read_arguments
from bot.sandbox.config import AppConfig
from bot.sandbox.errors import SlackError
from bot.sandbox.faults import Fault
from bot.sandbox.methods import METHODS
from bot.sandbox.methods.call import Call
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.scopes import check_scope
from bot.sandbox.wire import Json

SECRET = ("token", "client_secret")


async def serve_method(sandbox: Sandbox, request: Request) -> Response:
    method = request.path_params["method"]
    entry = sandbox.inspector.note("call", method=method, args={}, app=None, status=None, ok=None, error=None)
    try:
        arguments = await read_arguments(request)
        entry["args"] = {name: value for name, value in arguments.given.items() if name not in SECRET}
        app = caller(sandbox, request, arguments, method)
        entry["app"] = app.id if app else None
        response = await _answer(sandbox, app, method, arguments, entry, request)
    except SlackError as error:
        response = _failure(error, entry)
    entry["ms"] = round((sandbox.clock.now() - entry["at"]) * 1000, 1)
    return response


async def _answer(
    sandbox: Sandbox, app: AppConfig | None, method: str, arguments: Arguments, entry: Json, request: Request
) -> Response:
    fault = sandbox.faults.take(method)
    if fault is not None and fault.kind != "lost_answer":
        return await faulty(sandbox, fault, entry, request)
    if app is None and method == "api.test":
        return _success({"args": dict(arguments.given)}, entry, None)
    if app is None and method in METHODS:
        raise SlackError("not_authed")
    if app is not None:
        check_scope(Call(sandbox, app, method, arguments))
    if app is None or method not in METHODS:
        raise SlackError("unknown_method", req_method=method)
    seconds = sandbox.rates.wait(app.id, method, arguments.text("channel"))
    if seconds is not None:
        return limited(seconds, entry)
    response = _success(METHODS[method](Call(sandbox, app, method, arguments)), entry, app)
    if fault is not None:
        entry |= {"status": None, "ok": False, "error": "lost_answer"}
        request.scope["sandbox.drop"]()
    return response


def caller(sandbox: Sandbox, request: Request, arguments: Arguments, method: str) -> AppConfig | None:
    """The app with this token; None without a token. Raises token_revoked, invalid_auth, not_allowed_token_type."""
    header = request.headers.get("authorization", "")
    token = header[7:] if header.lower().startswith("bearer ") else arguments.text("token")
    if not token:
        return None
    if token in sandbox.workspace.revoked:
        raise SlackError("token_revoked")
    app_level = method == "apps.connections.open"
    for app in sandbox.workspace.apps.values():
        if token == (app.app_token if app_level else app.bot_token):
            return app
        if token in (app.app_token, app.bot_token):
            raise SlackError("not_allowed_token_type")
    raise SlackError("invalid_auth")


def _success(body: Json, entry: Json, app: AppConfig | None) -> Response:
    entry |= {"status": 200, "ok": True}
    response = JSONResponse({"ok": True, **body})
    if app is not None and app.scopes is not None:
        response.headers["X-OAuth-Scopes"] = ",".join(app.scopes)
    return response


def _failure(error: SlackError, entry: Json) -> Response:
    entry |= {"status": 200, "ok": False, "error": error.code}
    return JSONResponse({"ok": False, "error": error.code, **error.extra})


def limited(seconds: int, entry: Json) -> Response:
    entry |= {"status": 429, "ok": False, "error": "ratelimited"}
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(seconds)})


async def faulty(sandbox: Sandbox, fault: Fault, entry: Json, request: Request) -> Response:
    if fault.kind == "ratelimited":
        return limited(fault.retry_after, entry)
    if fault.kind == "server_error":
        entry |= {"status": 500, "ok": False, "error": "server_error"}
        return PlainTextResponse(json.dumps({"ok": False, "error": "internal_error"}), 500)
    if fault.kind == "timeout":
        entry |= {"status": None, "ok": False, "error": "timeout"}
        await _hang(sandbox, request, fault.seconds)
        request.scope["sandbox.drop"]()
        return PlainTextResponse("")
    return _failure(SlackError(fault.kind), entry)


async def _hang(sandbox: Sandbox, request: Request, seconds: float) -> None:
    """Waits until the caller gives up, at most `seconds`."""
    for _ in range(int(seconds / 0.05)):
        if sandbox.stopping or await request.is_disconnected():
            return
        await asyncio.sleep(0.05)
