"""The workspace as a web application, and ways to run it: in a thread for tests, or alone."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from bot.sandbox import control, page
from bot.sandbox.config import SandboxConfig
from bot.sandbox.errors import SlackError
from bot.sandbox.files import receive
from bot.sandbox.payloads import file_object
from bot.sandbox.responses import respond
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.web_api import serve_method
from bot.sandbox.wire import Json
from bot.sandbox.workspace import File, sees_channel

PING_SECONDS = 10.0  # Bolt for JavaScript takes a socket for dead that Slack has not pinged for 30 s
STOP_SECONDS = 5  # until open requests are cut off when the server ends


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
        return _download(sandbox, request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await sandbox.stop()

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
        lifespan=lifespan,
    )
    return Droppable(app)


class Droppable:
    """Gives a request the means to end its connection without an answer, which ASGI has no word for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)  # uvicorn's cycle of request and response, which owns the transport

        def drop() -> None:
            if cycle is None:
                raise RuntimeError("This server cannot drop a connection.")
            cycle.transport.abort()

        scope["sandbox.drop"] = drop
        await self.app(scope, receive, send)


def _learn_address(sandbox: Sandbox, request: Request) -> None:
    if not sandbox.workspace.base_url:
        sandbox.workspace.base_url = str(request.base_url).rstrip("/")


async def _respond(sandbox: Sandbox, request: Request) -> Response:
    entry = sandbox.inspector.note("response_url", body=None, status=200, error=None)
    try:
        body = await _json_body(request)
        entry["body"] = body
        respond(sandbox.workspace, request.path_params["token"], body)
    except SlackError as error:
        gone = error.code in ("used_url", "expired_url")
        entry |= {"status": 404 if gone else 400, "error": error.code}
        return JSONResponse({"ok": False, "error": error.code}, entry["status"])
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
    content = await _uploaded(request)
    try:
        file = receive(sandbox.workspace, request.path_params["file"], content)
    except SlackError as error:
        return PlainTextResponse(error.code, 400)
    return PlainTextResponse(f"OK - {len(file.content)}")


async def _uploaded(request: Request) -> bytes:
    """The bytes as such, or those of the first file of a form."""
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
    """An app by its token; a person (named in the address by the page) who sees a channel that has the file."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if any(token == app.bot_token for app in sandbox.workspace.apps.values()):
        return True
    person = sandbox.workspace.people.get(request.query_params.get("person", ""))
    if person is None:
        return False
    channels = [sandbox.workspace.channels[each] for each in file.shares]
    return not channels or any(sees_channel(each, person) for each in channels)


@contextmanager
def serve(config: SandboxConfig, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Runs a workspace in a thread and gives its address; at the end everything is closed."""
    with serving(Sandbox(config), port, host) as address:
        yield address


@contextmanager
def serving(sandbox: Sandbox, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    listening = _listening(host, port)
    address = f"http://{host}:{listening.getsockname()[1]}"
    sandbox.workspace.base_url = address
    server = uvicorn.Server(_settings(sandbox))
    thread = threading.Thread(target=_run, args=(server, listening), name="sandbox", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.005)
        yield address
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def run(sandbox: Sandbox, host: str, port: int) -> None:
    """Serves until interrupted."""
    with _listening(host, port) as listening:
        sandbox.workspace.base_url = f"http://{host}:{listening.getsockname()[1]}"
        _run(uvicorn.Server(_settings(sandbox)), listening)


def _listening(host: str, port: int) -> socket.socket:
    """Says that it is TCP, which socket.create_server does not: asyncio sets TCP_NODELAY only then, and without it each
    answer on a kept connection waits 40 ms for a delayed acknowledgement."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    made.listen(200)
    return made


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    with asyncio.Runner() as runner:
        runner.run(server.serve(sockets=[listening]))


def _settings(sandbox: Sandbox) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(sandbox),
        http="h11",
        ws="websockets-sansio",
        ws_ping_interval=PING_SECONDS,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
