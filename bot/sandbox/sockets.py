"""Socket Mode: the websockets that apps open. Each envelope goes to one of them.

Up to 10 sockets an app (docs.slack.dev using-socket-mode); an acknowledgement may come over any of them.
"""

import asyncio
import itertools
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bot.sandbox.clock import Clock
from bot.sandbox.inspector import Inspector
from bot.sandbox.wire import Json

MOST_SOCKETS = 10
WARNING_SECONDS = 10  # between the warning and the end of a socket
LIFE_SECONDS = 18_060  # approximate_connection_time in Slack's messages; here, no socket ends by itself


@dataclass(eq=False)
class Socket:
    app: str
    websocket: WebSocket
    number: int
    ending: bool = False  # it was warned, and gets no envelope while another socket is open
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, message: Json) -> None:
        async with self.sending:
            if self.websocket.application_state is not WebSocketState.CONNECTED:
                raise WebSocketDisconnect
            await self.websocket.send_text(json.dumps(message))

    def abort(self) -> None:
        self.websocket.scope["sandbox.drop"]()
        self.websocket.application_state = WebSocketState.DISCONNECTED  # nothing more can be sent

    async def close(self) -> None:
        """Closes the socket, even if the app has just closed it too."""
        async with self.sending:
            if self.websocket.application_state is WebSocketState.CONNECTED:
                with suppress(WebSocketDisconnect):
                    await self.websocket.close(1000)


class NoSocket(Exception):  # noqa: N818 - an everyday state of an app
    """The app has no open socket."""


class Sockets:
    def __init__(self, clock: Clock, inspector: Inspector) -> None:
        self.clock = clock
        self.inspector = inspector
        self.tickets: dict[str, str] = {}  # ticket -> app
        self.open: dict[str, list[Socket]] = {}
        self._waiting: dict[str, asyncio.Future[Json]] = {}  # envelope -> its acknowledgement
        self._turn = itertools.count()
        self._numbers = itertools.count(1)

    def ticket(self, app: str) -> str:
        made = secrets.token_hex(16)
        self.tickets[made] = app
        return made

    async def serve(self, websocket: WebSocket) -> None:
        """Serves one socket from its handshake to its end."""
        app = self.tickets.pop(websocket.query_params.get("ticket", ""), None)
        if app is None:
            await websocket.close(4404)
            return
        await websocket.accept()
        socket = Socket(app, websocket, next(self._numbers))
        sockets = self.open.setdefault(app, [])
        if len(sockets) >= MOST_SOCKETS:
            await socket.send({"type": "disconnect", "reason": "too_many_websockets", "debug_info": self._debug_info()})
            await socket.close()
            return
        sockets.append(socket)
        self.inspector.note("socket", app=app, socket=socket.number, what="opened")
        try:
            await socket.send(
                {
                    "type": "hello",
                    "num_connections": len(sockets),
                    "debug_info": self._debug_info() | {"approximate_connection_time": LIFE_SECONDS},
                    "connection_info": {"app_id": app},
                }
            )
            while True:
                self._acknowledged(await websocket.receive_text(), socket)
        except WebSocketDisconnect:
            pass
        finally:
            if socket in sockets:
                sockets.remove(socket)
            self.inspector.note("socket", app=app, socket=socket.number, what="closed")

    async def ask(self, app: str, envelope: Json, seconds: float) -> Json:
        """Sends an envelope to one of the app's sockets; returns its acknowledgement. Raises NoSocket, TimeoutError."""
        identity = str(envelope["envelope_id"])
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[identity] = answer
        try:
            await self._send(app, envelope)
            return await asyncio.wait_for(answer, seconds)
        finally:
            self._waiting.pop(identity, None)

    async def _send(self, app: str, envelope: Json) -> None:
        for _ in range(MOST_SOCKETS):
            sockets = self.open.get(app, [])
            if not sockets:
                raise NoSocket
            fresh = [socket for socket in sockets if not socket.ending] or sockets
            socket = fresh[next(self._turn) % len(fresh)]
            try:
                await socket.send(envelope)
                return
            except (WebSocketDisconnect, RuntimeError):
                if socket in sockets:
                    sockets.remove(socket)
        raise NoSocket

    def _acknowledged(self, text: str, socket: Socket) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            self.inspector.note("socket", app=socket.app, socket=socket.number, what="not JSON", text=text[:500])
            return
        waiting = self._waiting.get(str(message.get("envelope_id"))) if isinstance(message, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def drop(self, app: str | None = None, abruptly: bool = False) -> int:
        """Closes sockets without a warning; returns how many. abruptly: without a close frame too, as a server that is
        killed does."""
        dropped = self._all(app)
        for socket in dropped:
            if abruptly:
                socket.abort()
            await self._end(socket)
        return len(dropped)

    async def refresh(self, app: str | None = None) -> None:
        """Warns every open socket and ends it ten seconds later, as Slack does every few hours."""
        ending = self._all(app)
        for socket in ending:
            socket.ending = True
            await self._say_disconnect(socket, "warning")
        await self.clock.sleep(WARNING_SECONDS)
        for socket in ending:
            await self._say_disconnect(socket, "refresh_requested")
            await self._end(socket)

    async def _end(self, socket: Socket) -> None:
        if socket in self.open[socket.app]:  # otherwise it ended by itself while others were closed
            self.open[socket.app].remove(socket)
        await socket.close()

    async def _say_disconnect(self, socket: Socket, reason: str) -> None:
        try:
            await socket.send({"type": "disconnect", "reason": reason, "debug_info": self._debug_info()})
        except (WebSocketDisconnect, RuntimeError):
            return

    def _all(self, app: str | None) -> list[Socket]:
        return [socket for name, sockets in self.open.items() if app in (None, name) for socket in sockets]

    def _debug_info(self) -> Json:
        return {"host": "sandbox", "build_number": 1}
