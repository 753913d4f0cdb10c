"""The server of a workspace: in a thread for tests, or as a process of its own."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from bot.sandbox.config import SandboxConfig
from bot.sandbox.routes import create_app
from bot.sandbox.sandbox import Sandbox

__all__ = ["create_app", "run", "serve", "serving"]

PING_SECONDS = 10.0  # Bolt for JavaScript treats a socket as dead after 30 s without a ping
STOP_SECONDS = 5.0  # before open requests are cut off at the end of the server
KEPT_SECONDS = 60  # an idle connection stays open for so long; clients close theirs earlier, even on a busy machine
TICK_SECONDS = 0.1  # the delay until an interrupt is noticed


@contextmanager
def serve(config: SandboxConfig, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Runs a workspace in a thread until the block is left; yields its address."""
    with serving(Sandbox(config), port, host) as address:
        yield address


@contextmanager
def serving(sandbox: Sandbox, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Like `serve`, but yields the workspace itself."""
    listening = _listening(host, port)
    sandbox.workspace.base_url = address = f"http://{host}:{listening.getsockname()[1]}"
    server = Server(sandbox)
    thread = threading.Thread(target=_run, args=(server, listening), name="sandbox", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.002)
        yield address
    finally:
        server.end()
        thread.join()
        listening.close()


def run(sandbox: Sandbox, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Serves until interrupted. tell: called with the address once it can be reached. Raises OSError."""
    with _listening(host, port) as listening:
        sandbox.workspace.base_url = address = f"http://{host}:{listening.getsockname()[1]}"
        tell(address)
        _run(Server(sandbox), listening)


class Server(uvicorn.Server):
    """A uvicorn server that stops at once: it first ends the workspace's streams and sockets, for which uvicorn would
    wait."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(_settings(sandbox))
        self.sandbox = sandbox
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Stops the server. May be called from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            try:
                await asyncio.wait_for(self._ended.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.sandbox.stop()
        for server in self.servers:
            server.close()
        await asyncio.sleep(0.001)  # for a connection that was accepted just now and has no owner yet
        for connection in list(self.server_state.connections):
            if not connection.transport.is_closing():  # uvicorn raises InvalidState for a socket whose client closes it
                connection.shutdown()
        until = asyncio.get_running_loop().time() + STOP_SECONDS
        while (self.server_state.connections or self.server_state.tasks) and until > asyncio.get_running_loop().time():
            await asyncio.sleep(0.001)
        for task in self.server_state.tasks:
            task.cancel()


def _listening(host: str, port: int) -> socket.socket:
    """A listening socket with an explicit protocol TCP, which socket.create_server does not set: asyncio sets
    TCP_NODELAY only then, and without it each answer on a kept connection waits 40 ms for a delayed acknowledgement."""
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


def _run(server: Server, listening: socket.socket) -> None:
    with asyncio.Runner() as runner:
        runner.run(server.serve(sockets=[listening]))


def _settings(sandbox: Sandbox) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(sandbox),
        http="h11",
        ws="websockets-sansio",
        ws_ping_interval=PING_SECONDS,
        timeout_keep_alive=KEPT_SECONDS,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
    )
