"""The workspace as a web application: Slack's addresses and `/control`."""

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from bot.sandbox import control, page
from bot.sandbox.errors import Refused, SlackError
from bot.sandbox.files import receive
from bot.sandbox.hosts import require_own_host
from bot.sandbox.payloads import file_object
from bot.sandbox.responses import respond
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.web_api import faulty, serve_method
from bot.sandbox.wire import Json
from bot.sandbox.workspace import File, sees_channel


def create_app(sandbox: Sandbox) -> ASGIApp:
    """The routes of Slack and of `/control` around one workspace."""

    async def web_api(request: Request) -> Response:
        _learn_address(sandbox, request)
        return await serve_method(sandbox, request)

    async def link(websocket: WebSocket) -> None:
        await sandbox.sockets.serve(websocket)

    async def response(request: Request) -> Response:
        return await _respond(sandbox, request)

    async def upload(request: Request) -> Response:
        return await _upload(sandbox, request)

    async def download(request: Request) -> Response:
        require_own_host(request)
        return _download(sandbox, request)

    app = Starlette(
        routes=[
            Route("/api/{method}", web_api, methods=["GET", "POST"]),
            WebSocketRoute("/link/", link),
            Route("/response/{token}", response, methods=["POST"]),
            Route("/upload/{file}", upload, methods=["POST", "PUT"]),
            Route("/files/{file}/{name}", download, methods=["GET"]),
            Mount("/control", routes=control.routes(sandbox)),
            *page.routes(sandbox),
        ],
        exception_handlers={ClientDisconnect: _client_gone, Refused: _refused},
    )
    return Droppable(app)


class Droppable:
    """Lets a request close its connection without an answer, which ASGI does not provide for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)  # uvicorn's request/response cycle, or its websocket protocol

        def drop() -> None:
            if cycle is None:
                raise RuntimeError("This server cannot drop a connection.")
            cycle.transport.abort()

        scope["sandbox.drop"] = drop
        await self.app(scope, receive, send)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return Response(error.sentence, error.status, media_type="text/plain")


async def _client_gone(_request: Request, _error: Exception) -> Response:
    """The response if the caller disconnected during the request: nothing was done, and no answer would arrive."""
    return Response(status_code=400)


def _learn_address(sandbox: Sandbox, request: Request) -> None:
    if not sandbox.workspace.base_url:
        sandbox.workspace.base_url = str(request.base_url).rstrip("/")


async def _respond(sandbox: Sandbox, request: Request) -> Response:
    entry = sandbox.inspector.note("response_url", body=None, status=200, error=None)
    fault = sandbox.faults.take("response_url")
    if fault is not None and fault.kind != "lost_answer":
        return await faulty(sandbox, fault, entry, request)
    try:
        body = await _json_body(request)
        entry["body"] = body
        respond(sandbox.workspace, request.path_params["token"], body)
    except SlackError as error:
        gone = error.code in ("used_url", "expired_url")
        entry |= {"status": 404 if gone else 400, "error": error.code}
        return JSONResponse({"ok": False, "error": error.code}, entry["status"])
    if fault is not None:
        request.scope["sandbox.drop"]()
    return JSONResponse({"ok": True})


async def _json_body(request: Request) -> Json:
    try:
        body = await request.json()
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    return body


async def _upload(sandbox: Sandbox, request: Request) -> Response:
    fault = sandbox.faults.take("upload")
    if fault is not None and fault.kind != "lost_answer":
        return await faulty(sandbox, fault, {"at": sandbox.clock.now()}, request)
    content = await _uploaded(request)
    try:
        file = receive(sandbox.workspace, request.path_params["file"], content)
    except SlackError as error:
        return PlainTextResponse(error.code, 400)
    if fault is not None:
        request.scope["sandbox.drop"]()
    return PlainTextResponse(f"OK - {len(file.content)}")


async def _uploaded(request: Request) -> bytes:
    """The uploaded bytes: the body, or the first file of a form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form() as form:
        for part in form.values():
            if not isinstance(part, str):
                return await part.read()
    return b""


def _download(sandbox: Sandbox, request: Request) -> Response:
    file = sandbox.workspace.files.get(request.path_params["file"])
    if file is None or not file.uploaded or not _may_read(sandbox, request, file):
        return PlainTextResponse("file_not_found", 404)
    mimetype = file_object(sandbox.workspace, file)["mimetype"] or "application/octet-stream"
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
    return Response(file.content, media_type=mimetype, headers=headers)


def _may_read(sandbox: Sandbox, request: Request, file: File) -> bool:
    """Whether the request may read a file: an app by its token; a person, whom the page names in the address, if they
    see a channel that has the file."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if any(token == app.bot_token for app in sandbox.workspace.apps.values()):
        return True
    person = sandbox.workspace.people.get(request.query_params.get("person", ""))
    if person is None:
        return False
    channels = [sandbox.workspace.channels[each] for each in file.shares]
    if not channels:  # a person's own file, or one that an app has uploaded and not yet shown in a message
        return file.app is None
    return any(sees_channel(each, person) for each in channels)
