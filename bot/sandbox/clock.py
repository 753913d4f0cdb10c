"""The workspace's clock: real time plus what a test has added, so that a test need not wait."""

import asyncio
import time


class Clock:
    """`now` in seconds since 1970. Only the loop that serves the workspace may wait on it."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Advances the clock and wakes all waiters."""
        self.offset += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.now() + seconds)

    async def sleep_until(self, moment: float) -> None:
        while (left := moment - self.now()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), timeout=left)
            except TimeoutError:
                continue
