"""Messages to the `response_url` of a click: receipts and refusals, sent on an event loop.

Connections are kept (connections.py): a new connection for each receipt would begin with handshakes, which take five
times as long as the receipt itself.
"""

import asyncio
import logging
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from pydantic_core import to_json

from bot.slack.blocks import Message
from bot.slack.inbound.connections import Connections

LONGEST_PAUSE = 60  # seconds that Slack may ask to wait
STOP_SECONDS = 5.0  # for what is under way when the process ends

log = logging.getLogger(__name__)


class Tell(Protocol):
    """`ResponseUrls.tell`."""

    def __call__(self, response_url: str, message: Message, in_place: bool = False) -> None: ...


class ResponseUrls:
    """Sends messages on the event loop of the web server while there is one (`serving`), else on a loop in a thread of
    its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._connections = Connections()

    def tell(self, response_url: str, message: Message, in_place: bool = False) -> None:
        """Send the message to the person alone, from any thread, without waiting. in_place: it replaces the message in
        which they clicked, which only they see. Never raises. Does nothing if the request has no response_url, as a
        form."""
        if not response_url:
            return
        words = {"text": message.text, "blocks": message.blocks or None, "replace_original": in_place}
        try:
            loop = self._running_loop()
            if loop is _current_loop():
                self._begin(response_url, words)
            else:
                loop.call_soon_threadsafe(self._begin, response_url, words)
        except RuntimeError:  # closed
            log.info("Receipt dropped at shutdown")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Use the running event loop until the block is left; messages in progress are sent first."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            with self._lock:
                self._loop = None
            await self._finish()
            self._connections = Connections()

    def close(self) -> None:
        """Finish what is under way, for at most `STOP_SECONDS`. Nothing is sent afterwards."""
        with self._lock:
            self._closed, thread, loop = True, self._thread, self._loop
            self._thread = None
        if thread is not None and loop is not None:
            asyncio.run_coroutine_threadsafe(self._finish(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """The event loop. Raises RuntimeError after the end."""
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="receipts", daemon=True)
                self._thread.start()
            return self._loop

    def _begin(self, response_url: str, words: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(answer(self._connections, response_url, words))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            log.error("Receipt failed", exc_info=bug, extra={"reference": uuid.uuid4().hex[:8]})

    async def _finish(self) -> None:
        if self._under_way:
            _done, late = await asyncio.wait(self._under_way, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
        await self._connections.close()


async def answer(connections: Connections, response_url: str, words: dict[str, Any]) -> None:
    """Once more only if Slack asks for it. Not said twice where the network fails and Slack may have shown it: a
    receipt that appears twice looks like two votes. The Home tab has it in any case."""
    said = {name: value for name, value in words.items() if value is not None}
    body = to_json(said | {"response_type": "ephemeral"})
    try:
        status, pause = await connections.post(response_url, body)
        if status == 429 and pause is not None:
            await asyncio.sleep(min(pause, LONGEST_PAUSE))
            status, _pause = await connections.post(response_url, body)
    except OSError as error:
        log.info("Receipt delivery uncertain", extra={"reason": type(error).__name__})
        return
    if status != 200:
        log.info("Receipt not delivered", extra={"status": status})


def _current_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
