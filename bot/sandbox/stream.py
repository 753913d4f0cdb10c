"""Change notifications for open pages. Each page receives only what its person may see."""

import asyncio
import json
from collections.abc import AsyncIterator

from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, Workspace, sees_channel

BEAT_SECONDS = 15  # a comment line, so that proxies and browsers keep the connection


class Stream:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._watchers: dict[asyncio.Queue[str | None], str] = {}
        self._stopped = False

    def tell(self, kind: str, what: Json, only: str | None, channel: Channel | None) -> None:
        text = f"event: {kind}\ndata: {json.dumps(what)}\n\n"
        for queue, person in self._watchers.items():
            if only is not None and person != only:
                continue
            if channel is None or (
                person in self.workspace.people and sees_channel(channel, self.workspace.people[person])
            ):
                queue.put_nowait(text)

    async def watch(self, person: str) -> AsyncIterator[str]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._watchers[queue] = person
        if self._stopped:
            queue.put_nowait(None)
        try:
            yield "event: ready\ndata: {}\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), BEAT_SECONDS)
                except TimeoutError:
                    text = ": beat\n\n"
                if text is None:
                    return
                yield text
        finally:
            del self._watchers[queue]

    def stop(self) -> None:
        self._stopped = True
        for queue in self._watchers:
            queue.put_nowait(None)
